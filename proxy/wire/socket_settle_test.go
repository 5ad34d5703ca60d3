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

func TestSettledKeepsItsAddresses(t *testing.T) {
	for _, l := range sockets {
		near, _ := l.make(t)
		local, there := near.LocalAddr(), near.RemoteAddr()
		c := newGuard(t).conn(t, near)
		c.settle()
		if nc := c.NetConn(); nc.LocalAddr() != local || nc.RemoteAddr() != there {
			t.Errorf("%s: %v and %v, want %v and %v", l.name, nc.LocalAddr(), nc.RemoteAddr(), local, there)
		}
	}
}

func TestOnlyPlainSocketsSettle(t *testing.T) {
	for _, l := range links[plain:] {
		near, far := l.make(t)
		c := newGuard(t).conn(t, near)
		if c.settle() || c.NetConn() != near {
			t.Errorf("%s does", l.name)
		}
		far.Close()
	}
}

// A closed one does not settle, and stays what it is.
func TestClosedConnectionDoesNotSettle(t *testing.T) {
	near, _ := tcp(t)
	c := newGuard(t).conn(t, near)
	near.Close()
	if c.settle() || c.NetConn() != near {
		t.Error("it does")
	}
}

// What was there before, and what came meanwhile, is read.
func TestBytesComeWhileItSettles(t *testing.T) {
	for _, l := range sockets {
		g := newGuard(t)
		for range 50 {
			near, far := l.make(t)
			c := g.conn(t, near)
			go io.WriteString(far, "hello")
			if rand.IntN(2) == 0 {
				time.Sleep(time.Duration(rand.IntN(100)) * time.Microsecond)
			}
			c.settle()
			if err := c.Fill(100); err != nil || string(c.Buffered()) != "hello" {
				t.Fatalf("%s: %q, %v", l.name, c.Buffered(), err)
			}
		}
	}
}

// Limits that were set before hold behind it.
func TestSettledKeepsItsDeadlines(t *testing.T) {
	read := func(c *Conn) error { return c.Fill(100) }
	write := func(c *Conn) error { return c.Write(make([]byte, 16<<20), nil) }
	for _, e := range []struct {
		what   string
		before func(c *Conn)
		then   func(c *Conn) error
		want   error
	}{
		{"Interrupt", (*Conn).Interrupt, read, ErrBroken},
		{"Interrupt", (*Conn).Interrupt, write, ErrBroken},
		{"InterruptRead", (*Conn).InterruptRead, read, ErrBroken},
		{"EndWithin", func(c *Conn) { c.EndWithin(time.Millisecond) }, read, ErrTime},
		{"EndWrites", func(c *Conn) { c.EndWrites(time.Millisecond) }, write, ErrTime},
		{"a limit that was reached", func(c *Conn) { c.ReadWithin(time.Millisecond); c.Fill(100) }, read, ErrTime},
	} {
		for _, l := range sockets {
			near, far := l.make(t)
			c := newGuard(t).conn(t, near)
			e.before(c)
			c.settle()
			if err := e.then(c); err != e.want {
				t.Errorf("%s, %s: %v, want %v", l.name, e.what, err, e.want)
			}
			far.Close()
		}
	}
}

// One that was interrupted for reading, settled, and is to go on does so.
func TestSettledResumes(t *testing.T) {
	near, far := tcp(t)
	c := newGuard(t).conn(t, near)
	c.InterruptRead()
	c.settle()
	c.ResumeRead()
	io.WriteString(far, "x")
	must(t, c.Fill(100))
}

// Others may do with it what they like meanwhile, and none of it is lost.
func TestSettledAmidOthers(t *testing.T) {
	for _, e := range []struct {
		what string
		do   func(g *Guard, c *Conn)
		want error
	}{
		{"Interrupt", func(_ *Guard, c *Conn) { c.Interrupt() }, ErrBroken},
		{"InterruptRead", func(_ *Guard, c *Conn) { c.InterruptRead() }, ErrBroken},
		{"EndAll", func(g *Guard, _ *Conn) { g.EndAll() }, ErrBroken},
		{"EndWithin", func(_ *Guard, c *Conn) { c.EndWithin(time.Millisecond) }, ErrTime},
		{"Left and Near", func(_ *Guard, c *Conn) { c.Left(); c.Near(); c.EndWrites(time.Hour); c.EndWithin(0) }, ErrTime},
		{"the Guard", func(g *Guard, c *Conn) { c.shard.sweep(g.Now(), true); c.InterruptRead() }, ErrBroken},
	} {
		for range 30 {
			g := newGuard(t)
			near, _ := tcp(t)
			c := g.conn(t, near)
			var did sync.WaitGroup
			did.Go(func() { e.do(g, c) })
			c.settle()
			if err := c.Fill(100); err != e.want {
				t.Errorf("%s: %v, want %v", e.what, err, e.want)
			}
			did.Wait()
		}
	}
}

// What has happened before it is parked wakes it, as what comes later does.
func TestSettledIsWokenByWhatWasBefore(t *testing.T) {
	overSockets(t, func(t *testing.T, c *Conn, far net.Conn) {
		io.WriteString(far, "hello")
		await(t, "it to happen", func() bool { return c.own.Load().in.who.Load() == edge })
		r := goOn(c)
		far.Close()
		if err := <-r.err; err != io.EOF || string(r.got) != "hello" {
			t.Errorf("%q, %v", r.got, err)
		}
	})
}

// An end that came with bytes is heard of, though who read them forgot it.
func TestSettledIsWokenByAnEndThatWasBefore(t *testing.T) {
	overSockets(t, func(t *testing.T, c *Conn, far net.Conn) {
		io.WriteString(far, "hello")
		far.Close()
		must(t, c.Fill(100))
		c.Skip(len("hello"))
		if err := <-goOn(c).err; err != io.EOF {
			t.Error(err)
		}
	})
}

// goOn has c parked, or read where something came before that.
func goOn(c *Conn) *rester {
	r := &rester{c: c, err: make(chan error, 1)}
	c.MayPark(true)
	if !c.Park(r, false) {
		go r.Wake()
	}
	return r
}

// One that was parked before it is settled is in no set any more for what it
// was then, and two of a tunnel meet in one lot.
func TestSettledLateAndMoved(t *testing.T) {
	g := newGuard(t)
	for n := range 40 {
		near, far := links[n%2].make(t)
		c := g.conn(t, near)
		if n/2%2 == 0 {
			r := park(t, c)
			c.InterruptRead()
			<-r.err
			c.ResumeRead()
		}
		c.settle()
		other := g.conn(t, first(tcp(t)))
		other.settle()
		c.Beside(other)
		if c.lot != other.lot {
			t.Fatal("they are in two lots")
		}
		r := park(t, c)
		io.WriteString(far, "hello")
		far.Close()
		if err := <-r.err; err != io.EOF || string(r.got) != "hello" {
			t.Fatalf("%q, %v", r.got, err)
		}
	}
	places := 0
	for _, l := range g.lots.all {
		if l != nil {
			places += len(l.conns) - len(l.free)
		}
	}
	if places != 80 {
		t.Errorf("%d places for 80 connections", places)
	}
}

func first(a, _ net.Conn) net.Conn { return a }
