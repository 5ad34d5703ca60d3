package wire

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"
)

// waits are all the ways to wait for a peer that says nothing.
var waits = []struct {
	name string
	wait func(c *Conn) error
}{
	{"Read", func(c *Conn) error { _, err := c.Read(make([]byte, 1)); return err }},
	{"Fill", func(c *Conn) error { return c.Fill(100) }},
	{"Await", func(c *Conn) error { return c.Await(false) }},
	{"Await between", func(c *Conn) error { return c.Await(true) }},
	{"Each", func(c *Conn) error { return c.Each(func() bool { return false }) }},
	{"Ask", func(c *Conn) error {
		_, err := c.Ask(append(AcquireBuffer(1)[:0], "x"...), nil)
		return err
	}},
}

// overWaits runs a test for each way to wait over each kind of connection, on
// which a peer reads and says nothing.
func overWaits(t *testing.T, test func(t *testing.T, g *Guard, c *Conn, wait func(*Conn) error)) {
	for _, l := range links {
		for _, w := range waits {
			t.Run(l.name+"/"+w.name, func(t *testing.T) {
				t.Parallel()
				g := newGuard(t)
				a, b := l.make(t)
				go io.Copy(io.Discard, b)
				test(t, g, g.conn(t, a), w.wait)
			})
		}
	}
}

func TestWaitsEndAtTheirLimit(t *testing.T) {
	overWaits(t, func(t *testing.T, _ *Guard, c *Conn, wait func(*Conn) error) {
		c.ReadWithin(Tick)
		begin := time.Now()
		if err := wait(c); err != ErrTime {
			t.Errorf("ended with %v", err)
		}
		if d := time.Since(begin); d > patience/2 {
			t.Errorf("ended after %v", d)
		}
	})
}

func TestWritesEndAtTheirLimit(t *testing.T) {
	overLinks(t, func(t *testing.T, c *Conn, peer net.Conn) {
		c.WriteWithin(Tick)
		if err := c.Write(make([]byte, 16<<20), nil); err != ErrTime {
			t.Errorf("ended with %v", err)
		}
		peer.Close() // or TLS waits to say goodbye
	})
}

func TestWaitsWithoutLimitGoOn(t *testing.T) {
	overLinks(t, func(t *testing.T, c *Conn, peer net.Conn) {
		c.ReadWithin(Tick)
		c.ReadWithin(0)
		go func() {
			time.Sleep(4 * Tick) // nothing must happen meanwhile
			_, err := peer.Write([]byte("x"))
			must(t, err)
		}()
		if err := c.Fill(100); err != nil || string(c.Buffered()) != "x" {
			t.Errorf("%q, %v", c.Buffered(), err)
		}
	})
}

// A client that leaves ends what is waited for on its behalf, however it
// leaves.
func TestWaitEndsWhenTheClientLeaves(t *testing.T) {
	for name, leave := range map[string]func(net.Conn){
		"close":      func(nc net.Conn) { nc.Close() },
		"reset":      func(nc net.Conn) { nc.(*net.TCPConn).SetLinger(0); nc.Close() },
		"half-close": func(nc net.Conn) { nc.(*net.TCPConn).CloseWrite() },
		"with bytes unread": func(nc net.Conn) {
			nc.Write([]byte("GET /next HTTP/1.1\r\n\r\n"))
			nc.Close()
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel() // the Guard is patient
			g := newGuard(t)
			near, client := tcp(t)
			a, b := tcp(t)
			c := g.conn(t, a)
			go io.Copy(io.Discard, b)
			c.Serve(g.conn(t, near))
			ended := make(chan error, 1)
			go func() {
				_, err := c.Ask(append(AcquireBuffer(1)[:0], "x"...), nil)
				ended <- err
			}()
			await(t, "the question", parked(&c.rd))
			leave(client)
			if err := <-ended; err != ErrGone {
				t.Errorf("ended with %v", err)
			}
		})
	}
}

func TestWaitGoesOnWhileTheClientIsThere(t *testing.T) {
	g := newGuard(t)
	near, client := tcp(t)
	a, b := tcp(t)
	c := g.conn(t, a)
	c.Serve(g.conn(t, near))
	_, err := client.Write([]byte("GET /next HTTP/1.1\r\n\r\n")) // is not leaving
	must(t, err)
	go func() {
		time.Sleep(10 * Tick) // long enough for the Guard to have looked
		_, err := b.Write([]byte("y"))
		must(t, err)
	}()
	if err := c.Fill(100); err != nil {
		t.Error(err)
	}
}

func TestEndIdleEndsIdleWaitsOnly(t *testing.T) {
	g := newGuard(t)
	type end struct {
		name string
		err  error
	}
	ended := make(chan end, 2*len(waits))
	idlers := map[string]bool{"Await between": true, "Each": true}
	var peers []net.Conn
	for _, w := range waits {
		a, b := tcp(t)
		c := g.conn(t, a)
		go func() { ended <- end{w.name, w.wait(c)} }()
		await(t, "a wait", parked(&c.rd))
		if !idlers[w.name] {
			peers = append(peers, b)
		}
	}
	g.EndIdle()
	for range idlers {
		if e := <-ended; !idlers[e.name] || e.err == nil {
			t.Errorf("%s ended with %v", e.name, e.err)
		}
	}
	for _, b := range peers {
		_, err := b.Write([]byte("y"))
		must(t, err)
	}
	for range peers {
		if e := <-ended; e.err != nil {
			t.Errorf("%s ended with %v", e.name, e.err)
		}
	}
}

func TestInterruptEndsEveryWait(t *testing.T) {
	overWaits(t, func(t *testing.T, g *Guard, c *Conn, wait func(*Conn) error) {
		ended := make(chan error, 1)
		go func() { ended <- wait(c) }()
		await(t, "a wait", parked(&c.rd))
		g.EndAll()
		if err := <-ended; err != ErrBroken {
			t.Errorf("ended with %v", err)
		}
		if err := wait(c); err != ErrBroken {
			t.Errorf("the next one ended with %v", err)
		}
	})
}

func TestReadsGoOnAfterInterruptRead(t *testing.T) {
	overLinks(t, func(t *testing.T, c *Conn, peer net.Conn) {
		c.InterruptRead()
		if err := c.Fill(100); err != ErrBroken {
			t.Errorf("ended with %v", err)
		}
		go peer.Write([]byte("x"))
		c.ResumeRead()
		if err := c.Fill(100); err != nil || string(c.Buffered()) != "x" {
			t.Errorf("%q, %v", c.Buffered(), err)
		}
	})
}

// The Guard races with what it watches: answers come at about the limit of
// the wait for them. A wait may only end so that the reason is true: ErrTime,
// and for having waited, in this read or, where bytes came together with the
// limit, in the one before.
func TestNoWaitEndsWithoutReason(t *testing.T) {
	const (
		limit = 2 * Tick
		run   = 2 * time.Second
	)
	g := newGuard(t)
	stop := time.Now().Add(run)
	var group sync.WaitGroup
	for range 24 {
		group.Go(func() {
			for time.Now().Before(stop) {
				a, b, err := pair()
				if err != nil {
					t.Error(err)
					return
				}
				c := NewConn(a, g, HeadBuffer)
				must(t, quickWaits(c, b, limit, stop))
				c.Close()
				b.Close()
			}
		})
	}
	group.Wait()
}

// quickWaits reads answers that mostly come at once and sometimes at about
// the limit, until one is too late.
func quickWaits(c *Conn, peer net.Conn, limit time.Duration, stop time.Time) error {
	var before time.Duration
	for i := 0; time.Now().Before(stop); i++ {
		delay := time.Duration(0)
		if i%20 == 19 {
			delay = limit + rand.N(3*Tick) - Tick/2
		}
		timer := time.AfterFunc(delay, func() { peer.Write([]byte("y")) })
		begin := time.Now()
		c.ReadWithin(limit)
		err := c.Fill(100)
		took := time.Since(begin)
		timer.Stop()
		switch {
		case err == nil:
			c.Skip(len(c.Buffered()))
			before = took
		case err == ErrTime && max(took, before) >= limit-Tick:
			return nil
		default:
			return fmt.Errorf("%w after %v, and %v in the wait before; the limit is %v", err, took, before, limit)
		}
	}
	return nil
}

func pair() (a, b net.Conn, err error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, nil, err
	}
	defer ln.Close()
	if a, err = net.Dial("tcp", ln.Addr().String()); err != nil {
		return nil, nil, err
	}
	b, err = ln.Accept()
	return a, b, err
}

func TestConnsJoinAndLeaveFromManyGoroutines(t *testing.T) {
	g := newGuard(t)
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			var open []*Conn
			for range 2000 {
				if len(open) > 0 && rand.N(2) == 0 {
					i := rand.N(len(open))
					open[i].Close()
					open[i] = open[len(open)-1]
					open = open[:len(open)-1]
				} else {
					open = append(open, NewConn(&feed{}, g, HeadBuffer))
				}
			}
			for _, c := range open {
				c.Close()
			}
		})
	}
	group.Wait()
	for i := range g.shards {
		if n := len(g.shards[i].conns); n != 0 {
			t.Errorf("shard %d: %d conns left", i, n)
		}
	}
}

func TestDateIsNow(t *testing.T) {
	g := newGuard(t)
	at, err := http.ParseTime(string(bytes.TrimSuffix(bytes.TrimPrefix(g.Date(), []byte("Date: ")), []byte("\r\n"))))
	if d := time.Since(at); err != nil || d < 0 || d > patience {
		t.Errorf("%q: %v, %v off", g.Date(), err, d)
	}
}
