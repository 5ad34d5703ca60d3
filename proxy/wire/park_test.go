//go:build linux

package wire

import (
	"io"
	"math/rand/v2"
	"net"
	"sync"
	"testing"
	"time"
)

// rester reads from a connection and parks it whenever it is quiet.
type rester struct {
	c    *Conn
	got  []byte
	once bool // parks at once, however busy
	err  chan error
}

func (r *rester) Wake() {
	for {
		err := r.c.Stream(func() bool {
			r.got = append(r.got, r.c.Buffered()...)
			r.c.Skip(len(r.c.Buffered()))
			return !r.once
		})
		if err == ErrQuiet || err == nil {
			if r.c.Park(r, false) {
				return
			}
			continue
		}
		r.err <- err
		return
	}
}

// park has c parked, and tells how it ends.
func park(t *testing.T, c *Conn) *rester {
	t.Helper()
	r := &rester{c: c, err: make(chan error, 1)}
	c.MayPark(true)
	if !c.Park(r, true) {
		t.Fatal("it does not park")
	}
	if c.state.Load() != resting {
		t.Fatal("it does not rest")
	}
	return r
}

func TestParkedConnectionIsWoken(t *testing.T) {
	for _, e := range []struct {
		what string
		do   func(g *Guard, c *Conn, far net.Conn)
		want error
	}{
		{"its end", func(_ *Guard, _ *Conn, far net.Conn) { far.Close() }, io.EOF},
		{"Interrupt", func(_ *Guard, c *Conn, _ net.Conn) { c.Interrupt() }, ErrBroken},
		{"InterruptRead", func(_ *Guard, c *Conn, _ net.Conn) { c.InterruptRead() }, ErrBroken},
		{"EndAll", func(g *Guard, _ *Conn, _ net.Conn) { g.EndAll() }, ErrBroken},
		{"EndIdle", func(g *Guard, _ *Conn, _ net.Conn) { g.EndIdle() }, ErrTime},
		{"EndWithin", func(_ *Guard, c *Conn, _ net.Conn) { c.EndWithin(time.Millisecond) }, ErrTime},
		{"a last word", func(_ *Guard, _ *Conn, far net.Conn) { io.WriteString(far, "bye"); far.Close() }, io.EOF},
	} {
		for _, l := range links[:plain] {
			g := newGuard(t)
			near, far := l.make(t)
			c := g.conn(t, near)
			r := park(t, c)
			e.do(g, c, far)
			if err := <-r.err; err != e.want {
				t.Errorf("%s, %s: %v, want %v", l.name, e.what, err, e.want)
			}
		}
	}
}

func TestParkedConnectionHasItsLimit(t *testing.T) {
	overParked(t, func(t *testing.T, c *Conn, _ net.Conn) {
		c.ReadWithin(10 * time.Millisecond)
		if err := <-park(t, c).err; err != ErrTime {
			t.Error(err)
		}
	})
}

func TestOnlyPlainSocketsPark(t *testing.T) {
	for _, l := range links[plain:] {
		g := newGuard(t)
		near, _ := l.make(t)
		c := g.conn(t, near)
		c.MayPark(true)
		if c.parks.Load() {
			t.Errorf("%s does", l.name)
		}
	}
}

func TestQuietConnectionMayPark(t *testing.T) { overParked(t, testQuiet) }

func testQuiet(t *testing.T, c *Conn, far net.Conn) {
	r := &rester{c: c, err: make(chan error, 1)}
	c.MayPark(true)
	go r.Wake()
	for range 3 {
		io.WriteString(far, "hello")
		await(t, "it to be quiet", func() bool { return c.state.Load() == resting })
	}
	far.Close()
	if err := <-r.err; err != io.EOF || string(r.got) != "hellohellohello" {
		t.Errorf("%q, %v", r.got, err)
	}
}

// What comes while a connection is parked, woken or neither is never missed.
func TestNoWakeIsMissed(t *testing.T) {
	g := newGuard(t)
	var all sync.WaitGroup
	for n := range 20 {
		near, far := links[n%plain].make(t)
		c := g.conn(t, near)
		r := &rester{c: c, once: n/plain%2 == 0, err: make(chan error, 1)}
		c.MayPark(true)
		if !c.Park(r, false) {
			t.Fatal("it does not park")
		}
		all.Go(func() {
			sent := 0
			for range 300 {
				k, _ := far.Write(make([]byte, 1+rand.IntN(20)))
				sent += k
				if rand.IntN(10) == 0 {
					c.unpark() // as the Guard does
				}
				time.Sleep(time.Duration(rand.IntN(300)) * time.Microsecond)
			}
			far.Close()
			if err := <-r.err; err != io.EOF || len(r.got) != sent {
				t.Errorf("%d of %d bytes, %v", len(r.got), sent, err)
			}
		})
	}
	all.Wait()
}

// A place is somebody else's once its connection is closed.
func TestPlacesAreUsedAgain(t *testing.T) {
	g := newGuard(t)
	for n := range 50 {
		near, far := tcp(t)
		c := NewConn(near, g, HeadBuffer)
		if n%2 == 0 {
			c.settle()
		}
		r := park(t, c)
		far.Close()
		<-r.err
		must(t, c.Close())
	}
	for _, l := range g.lots.all {
		if l != nil && len(l.conns) != 1 {
			t.Errorf("%d places", len(l.conns))
		}
	}
}
