package wire

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestWritesArrive(t *testing.T) {
	big := make([]byte, 3<<20) // more than any socket takes at once
	for i := range big {
		big[i] = byte(i * 7)
	}
	overLinks(t, func(t *testing.T, c *Conn, peer net.Conn) {
		var want []byte
		done := make(chan struct{})
		go func() {
			defer close(done)
			for _, w := range [][2][]byte{{big[:1], nil}, {nil, nil}, {nil, big[:2]}, {big[:3], big[:4]}, {big, big[:5]}, {big[:6], big}, {big, big}} {
				must(t, c.Write(w[0], w[1]))
				want = append(append(want, w[0]...), w[1]...)
			}
			must(t, c.NetConn().Close())
		}()
		got, err := io.ReadAll(peer)
		if <-done; err != nil || !bytes.Equal(got, want) {
			t.Errorf("%d of %d bytes arrived, %v", len(got), len(want), err)
		}
	})
}

func TestOneReadsWhileAnotherWrites(t *testing.T) {
	overLinks(t, func(t *testing.T, c *Conn, peer net.Conn) {
		const n = 4 << 20
		go io.Copy(peer, peer) // until c closes
		go func() { must(t, c.Write(bytes.Repeat([]byte("x"), n), nil)) }()
		for got := 0; got < n; {
			if err := c.Fill(LargeBuffer); err != nil {
				t.Fatal(err)
			}
			got += len(c.Buffered())
			c.Skip(len(c.Buffered()))
		}
	})
}

func TestEndOfTheConnection(t *testing.T) {
	overLinks(t, func(t *testing.T, c *Conn, peer net.Conn) {
		go func() {
			peer.Write([]byte("last"))
			peer.Close()
		}()
		must(t, c.Fill(100))
		if string(c.Buffered()) != "last" {
			t.Errorf("%q", c.Buffered())
		}
		for range 2 {
			if err := c.Fill(100); err != io.EOF {
				t.Errorf("Fill: %v", err)
			}
		}
		c.Skip(4)
		if err := c.Await(true); err != io.EOF {
			t.Errorf("Await: %v", err)
		}
		if err := c.Each(func() bool { t.Error("a message"); return true }); err != io.EOF {
			t.Errorf("Each: %v", err)
		}
	})
}

// Whatever is done between, the bytes come out in order, and what is pinned
// stays as it was while the buffer moves and grows under it.
func TestConnKeepsEveryByteInOrder(t *testing.T) {
	g := newGuard(t)
	data := make([]byte, 1<<20)
	for i := range data {
		data[i] = byte(rand.Uint32())
	}
	for range 8 {
		c := NewConn(&feed{data: string(data), piece: 1 + rand.N(20000)}, g, HeadBuffer)
		at := 0
		var pinned, want []byte
		for err := error(nil); err == nil; {
			if b := c.Buffered(); !bytes.Equal(b, data[at:at+len(b)]) {
				t.Fatalf("other bytes at %d", at)
			}
			n := rand.N(len(c.Buffered()) + 1)
			switch rand.N(6) {
			case 0, 1:
				c.Skip(n)
				at += n
			case 2:
				if pinned == nil { // as a head is, at most once in a message
					pinned, want = c.Buffered()[:n], data[at:at+n]
					c.Pin(n)
					at += n
				}
			case 3:
				c.Reserve(rand.N(100000))
			case 4:
				if rand.N(10) == 0 {
					c.Release()
					pinned = nil
				}
			case 5:
				switch err = c.Fill(LargeBuffer); err {
				case longHead:
					c.Skip(len(c.Buffered()))
					at = min(at+LargeBuffer, len(data)) // never more than the limit
					if b := len(c.Buffered()); b != 0 {
						t.Fatalf("%d bytes over the limit", b)
					}
					err = nil
				}
			}
			if pinned != nil && !bytes.Equal(pinned, want) {
				t.Fatalf("what was pinned has changed")
			}
		}
		if at+len(c.Buffered()) != len(data) {
			t.Errorf("%d of %d bytes", at+len(c.Buffered()), len(data))
		}
		c.Close()
	}
}

func TestFillStopsAtItsLimit(t *testing.T) {
	g := newGuard(t)
	for _, limit := range []int{HeadBuffer, SmallBuffer, SmallBuffer + 1, 64 << 10, LargeBuffer, 3 * LargeBuffer} {
		c := NewConn(&feed{data: strings.Repeat("x", 2*limit), piece: 1000}, g, HeadBuffer)
		var err error
		for err == nil {
			err = c.Fill(limit)
		}
		// One read may go over; a second must not.
		if n := len(c.Buffered()); err != longHead || n < limit || n >= limit+1000 {
			t.Errorf("limit %d: %v with %d bytes", limit, err, n)
		}
		c.Close()
	}
}

// More takes what is there, and leaves the reason for there being no more to
// the next read.
func TestMoreDoesNotWait(t *testing.T) {
	g := newGuard(t)
	a, b := tcp(t)
	c := g.conn(t, a)
	write := func(text string) {
		_, err := b.Write([]byte(text))
		must(t, err)
	}
	write("head")
	must(t, c.Await(false))
	c.Reserve(100000)
	if c.More(5) {
		t.Error("more than there is")
	}
	write(strings.Repeat("x", 50000))
	await(t, "the rest", func() bool { return c.More(50004) })
	if !c.More(50004) || string(c.Buffered()) != "head"+strings.Repeat("x", 50000) {
		t.Errorf("%d bytes", len(c.Buffered()))
	}
	b.Close()
	await(t, "the end to arrive", c.Left)
	if c.More(50005) {
		t.Error("more than there was")
	}
	if err := c.Fill(100000); err != io.EOF {
		t.Errorf("at the end: %v", err)
	}
}

func TestAwaitLeavesTheFirstBytes(t *testing.T) {
	overLinks(t, func(t *testing.T, c *Conn, peer net.Conn) {
		go peer.Write([]byte("x"))
		must(t, c.Await(true))
		must(t, c.Await(true)) // they are there already
		if string(c.Buffered()) != "x" {
			t.Errorf("%q", c.Buffered())
		}
	})
}

// Messages are handed over one after the other, each when it is there,
// however the peer's writes and our turns interleave.
func TestEachMissesNothing(t *testing.T) {
	const n = 3000
	overLinks(t, func(t *testing.T, c *Conn, peer net.Conn) {
		c.ReadWithin(patience)
		go func() {
			answer := make([]byte, 1)
			for i := range n {
				if i%3 == 0 { // goes out while the turn before may still be under way
					peer.Write([]byte{byte(i), 'x'})
				} else {
					peer.Write([]byte{byte(i)})
					peer.Write([]byte{'x'})
				}
				if _, err := io.ReadFull(peer, answer); err != nil || answer[0] != byte(i) {
					t.Errorf("answer %d: %v, %v", i, answer, err)
					break
				}
			}
			peer.Close()
		}()
		turns := 0
		for {
			err := c.Each(func() bool {
				b := c.Buffered()
				if len(b) < 2 {
					return false // as a message in pieces, which is read outside
				}
				turns++
				must(t, c.Write(b[:1], nil))
				c.Skip(2)
				c.Release()
				return true
			})
			if err != nil {
				if !errors.Is(err, io.EOF) || turns != n {
					t.Errorf("%v after %d turns, want %d", err, turns, n)
				}
				return
			}
			must(t, c.Fill(100))
		}
	})
}

// An end that comes together with a message is no news to a loop that knows
// it has read all; the Guard has to say so.
func TestEachNoticesAnEndThatCameWithTheLastBytes(t *testing.T) {
	g := newGuard(t)
	a, b := tcp(t)
	c := g.conn(t, a)
	c.ReadWithin(patience)
	_, err := b.Write([]byte("1"))
	must(t, err)
	begin := time.Now()
	err = c.Each(func() bool {
		if string(c.Buffered()) == "1" {
			_, err := b.Write([]byte("2"))
			must(t, err)
			must(t, b.Close())
			await(t, "the end to arrive", c.Left)
		}
		c.Skip(len(c.Buffered()))
		c.Release()
		return true
	})
	if d := time.Since(begin); err == nil || err == ErrTime || d > patience/2 {
		t.Errorf("%v after %v", err, d)
	}
}

func TestLeftSeesThatThePeerHasClosed(t *testing.T) {
	for _, l := range links[:plain] {
		for name, leave := range map[string]func(net.Conn){
			"close":       func(nc net.Conn) { nc.Close() },
			"half-close":  func(nc net.Conn) { nc.(interface{ CloseWrite() error }).CloseWrite() },
			"after bytes": func(nc net.Conn) { nc.Write([]byte("x")); nc.Close() },
		} {
			if strings.HasSuffix(l.name, "unix") && name == "after bytes" {
				continue // cannot be known: there is no state to ask for
			}
			t.Run(l.name+"/"+name, func(t *testing.T) {
				g := newGuard(t)
				a, b := l.make(t)
				c := g.conn(t, a)
				if c.Left() || !c.Silent() {
					t.Error("left, or not silent, while it is there")
				}
				leave(b)
				await(t, "Left", c.Left)
				if c.Silent() {
					t.Error("silent after its end")
				}
			})
		}
	}
}

func TestSilentSeesBytes(t *testing.T) {
	for _, l := range links[:plain] {
		t.Run(l.name, func(t *testing.T) {
			g := newGuard(t)
			a, b := l.make(t)
			c := g.conn(t, a)
			_, err := b.Write([]byte("HTTP/1.1 408 Too late\r\n\r\n"))
			must(t, err)
			await(t, "bytes to be noticed", func() bool { return !c.Silent() })
		})
	}
}

// Close is an end, Abort a break: only the first may pass for a body's end.
func TestAbortIsNoEnd(t *testing.T) {
	g := newGuard(t)
	read := func(leave func(*Conn)) error {
		a, b := tcp(t)
		c := NewConn(a, g, HeadBuffer)
		must(t, c.Write([]byte("x"), nil))
		leave(c)
		_, err := io.ReadAll(b)
		return err
	}
	if err := read(func(c *Conn) { c.Close() }); err != nil {
		t.Errorf("closed: %v", err)
	}
	if err := read(func(c *Conn) { c.Abort() }); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("aborted: %v", err)
	}
}

// A read that fails takes nothing from what is there.
func TestAFailedReadLeavesWhatIsThere(t *testing.T) {
	for _, l := range links[:plain] {
		g := newGuard(t)
		a, b := l.make(t)
		c := g.conn(t, a)
		_, err := b.Write([]byte("front"))
		must(t, err)
		must(t, c.Fill(100))
		must(t, c.Write([]byte("unread"), nil)) // so that closing is a reset
		must(t, b.Close())
		if err := c.Fill(100); err == nil || string(c.Buffered()) != "front" {
			t.Errorf("%s: %q, %v", l.name, c.Buffered(), err)
		}
	}
}
