package wire

import (
	"bytes"
	"io"
	"net"
	"sync/atomic"
	"testing"
	"time"
)

// askedOff is a question under way on a connection that can be called off.
func askedOff(t *testing.T, c *Conn, peer net.Conn, off *atomic.Bool) (ended chan error) {
	t.Helper()
	c.CallOff(off)
	ended = make(chan error, 1)
	go func() {
		sent, err := c.Ask(request("question"), nil)
		if !sent {
			t.Error("not sent")
		}
		ended <- err
	}()
	got := make([]byte, len("question"))
	_, err := io.ReadFull(peer, got)
	must(t, err)
	waits := parked(&c.rd)
	await(t, "it to wait", func() bool { return waits() || len(ended) > 0 })
	return ended
}

func TestQuestionIsCalledOffOnce(t *testing.T) {
	overLinks(t, func(t *testing.T, c *Conn, peer net.Conn) {
		var off atomic.Bool
		ended := askedOff(t, c, peer, &off)
		select {
		case err := <-ended:
			t.Fatalf("ended with %v", err)
		case <-time.After(4 * Tick):
		}
		off.Store(true)
		if err := <-ended; err != ErrCalledOff {
			t.Fatalf("ended with %v", err)
		}
		go func() {
			time.Sleep(4 * Tick) // nothing must happen meanwhile
			_, err := peer.Write([]byte("answer"))
			must(t, err)
		}()
		if err := c.Stay(); err != nil || string(c.Buffered()) != "answer" {
			t.Errorf("%q, %v", c.Buffered(), err)
		}
	})
}

func TestWhoStaysKeepsTheLimit(t *testing.T) {
	overLinks(t, func(t *testing.T, c *Conn, peer net.Conn) {
		var off atomic.Bool
		off.Store(true)
		begin := time.Now()
		c.ReadWithin(12 * Tick)
		if err := <-askedOff(t, c, peer, &off); err != ErrCalledOff {
			t.Fatalf("ended with %v", err)
		}
		if err := c.Stay(); err != ErrTime {
			t.Errorf("ended with %v", err)
		}
		if d := time.Since(begin); d < 12*Tick || d > patience/2 {
			t.Errorf("ended after %v", d)
		}
	})
}

func TestWhoStaysCanBeInterrupted(t *testing.T) {
	overLinks(t, func(t *testing.T, c *Conn, peer net.Conn) {
		var off atomic.Bool
		off.Store(true)
		if err := <-askedOff(t, c, peer, &off); err != ErrCalledOff {
			t.Fatalf("ended with %v", err)
		}
		c.Interrupt() // before Stay takes the deadline back
		if err := c.Stay(); err != ErrBroken {
			t.Errorf("ended with %v", err)
		}
	})
}

func TestOnlyQuestionsAreCalledOff(t *testing.T) {
	for _, w := range waits {
		if w.name == "Ask" {
			continue
		}
		t.Run(w.name, func(t *testing.T) {
			t.Parallel()
			var off atomic.Bool
			off.Store(true)
			a, b := tcp(t)
			c := newGuard(t).conn(t, a)
			c.CallOff(&off)
			c.ReadWithin(6 * Tick)
			go io.Copy(io.Discard, b)
			if err := w.wait(c); err != ErrTime {
				t.Errorf("ended with %v", err)
			}
		})
	}
}

// An answer that comes at the moment at which it is called off is whole, and
// what comes behind it is not cut short.
func TestAnswerBeatsBeingCalledOff(t *testing.T) {
	g := newGuard(t)
	for _, l := range links[:plain+1] {
		t.Run(l.name, func(t *testing.T) {
			a, b := l.make(t)
			var off atomic.Bool
			c := g.conn(t, a)
			c.CallOff(&off)
			go func() {
				got := make([]byte, len("question"))
				for n := 0; ; n++ {
					if _, err := io.ReadFull(b, got); err != nil {
						return
					}
					off.Store(true)
					c.strike()
					b.Write([]byte("ans"))
					time.Sleep(time.Millisecond)
					b.Write([]byte("wer"))
				}
			}()
			called := 0
			for range 300 {
				off.Store(false)
				_, err := c.Ask(request("question"), nil)
				if err == ErrCalledOff {
					called++
					err = c.Stay()
				}
				for err == nil && len(c.Buffered()) < len("answer") {
					err = c.Fill(100)
				}
				if err != nil || !bytes.Equal(c.Buffered(), []byte("answer")) {
					t.Fatalf("%q, %v", c.Buffered(), err)
				}
				c.Skip(len("answer"))
				c.Release()
			}
			t.Logf("called off %d times", called)
		})
	}
}

// strike is the Guard's look, now.
func (c *Conn) strike() { go c.shard.sweep(c.guard.Now(), false) }
