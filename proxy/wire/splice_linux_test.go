package wire

import (
	"bytes"
	"io"
	"math/rand/v2"
	"net"
	"testing"
)

// spliced passes n bytes from one new connection to another, and gives the
// far ends to feed and to read.
type spliced struct {
	in, out  net.Conn
	src, dst *Conn
	moved    int64
	fromSrc  bool
	err      error
	done     chan struct{}
}

func startSplice(t *testing.T, g *Guard, link func(testing.TB) (a, b net.Conn), n int64) *spliced {
	t.Helper()
	s := &spliced{done: make(chan struct{})}
	near, in := link(t)
	far, out := link(t)
	s.in, s.out = in, out
	s.src, s.dst = g.conn(t, near), g.conn(t, far)
	if !CanSplice(s.dst, s.src) {
		t.Fatal("plain sockets, and no splice")
	}
	go func() {
		defer close(s.done)
		s.fromSrc, s.err = Splice(s.dst, s.src, n, func(k int64) { s.moved += k })
	}()
	return s
}

func TestSplice(t *testing.T) {
	g := newGuard(t)
	data := make([]byte, 10<<20)
	for i := range data {
		data[i] = byte(rand.Uint32())
	}
	for _, l := range links[:plain] {
		for _, n := range []int{1, 2, 1000, 64 << 10, 1<<20 - 1, 1 << 20, 1<<20 + 1, len(data)} {
			s := startSplice(t, g, l.make, int64(n))
			go func() {
				for piece := range bytesIn(data[:n], 1+n/3) {
					s.in.Write(piece)
				}
				s.in.Write([]byte("behind")) // is not the body's
			}()
			got := make([]byte, n)
			_, err := io.ReadFull(s.out, got)
			<-s.done
			if err != nil || s.err != nil || s.moved != int64(n) || !bytes.Equal(got, data[:n]) {
				t.Errorf("%s, %d bytes: %v, %v, %d moved", l.name, n, err, s.err, s.moved)
			}
			if err := s.src.Fill(100); err != nil || string(s.src.Buffered()) != "behind" {
				t.Errorf("%s, %d bytes: behind them %q, %v", l.name, n, s.src.Buffered(), err)
			}
		}
	}
}

func bytesIn(b []byte, piece int) func(yield func([]byte) bool) {
	return func(yield func([]byte) bool) {
		for len(b) > 0 && yield(b[:min(piece, len(b))]) {
			b = b[min(piece, len(b)):]
		}
	}
}

func TestSpliceOfABodyCutShort(t *testing.T) {
	g := newGuard(t)
	s := startSplice(t, g, tcp, 1000)
	_, err := s.in.Write(make([]byte, 600))
	must(t, err)
	must(t, s.in.Close())
	<-s.done
	if !s.fromSrc || s.err != io.ErrUnexpectedEOF || s.moved != 600 {
		t.Errorf("from the source %v, %v, %d moved", s.fromSrc, s.err, s.moved)
	}
}

func TestSpliceToAPeerThatHasGone(t *testing.T) {
	g := newGuard(t)
	s := startSplice(t, g, tcp, 64<<20)
	must(t, s.out.Close())
	fed := make(chan struct{})
	go func() {
		defer close(fed)
		for _, err := s.in.Write(make([]byte, 64<<10)); err == nil; {
			_, err = s.in.Write(make([]byte, 64<<10))
		}
	}()
	<-s.done
	if s.fromSrc || s.err == nil {
		t.Errorf("from the source %v, %v", s.fromSrc, s.err)
	}
	s.in.Close()
	<-fed
}

func TestSpliceEndsAtItsLimits(t *testing.T) {
	g := newGuard(t)
	silent := startSplice(t, g, tcp, 1000)
	await(t, "the wait", parked(&silent.src.rd))
	silent.src.Interrupt()
	<-silent.done
	if !silent.fromSrc || silent.err != ErrBroken {
		t.Errorf("interrupted: from the source %v, %v", silent.fromSrc, silent.err)
	}

	near, in := tcp(t)
	far, _ := tcp(t)
	src, dst := g.conn(t, near), g.conn(t, far)
	src.ReadWithin(Tick)
	if fromSrc, err := Splice(dst, src, 1000, func(int64) {}); !fromSrc || err != ErrTime {
		t.Errorf("from the source %v, %v", fromSrc, err)
	}
	src.ResumeRead()
	src.ReadWithin(0)
	dst.WriteWithin(2 * Tick)
	fed := make(chan struct{})
	go func() {
		defer close(fed)
		in.Write(make([]byte, 64<<20))
	}()
	if fromSrc, err := Splice(dst, src, 64<<20, func(int64) {}); fromSrc || err != ErrTime {
		t.Errorf("from the source %v, %v", fromSrc, err)
	}
	in.Close()
	<-fed
}

// A pipe that still holds bytes of one body must not meet another, and none
// is forgotten open.
func TestSpliceLosesNoPipe(t *testing.T) {
	g := newGuard(t)
	in := func() int { return descriptors(t) - 2*len(pipes.free) }
	before := in()
	for i := range 50 {
		breakSplice(t, g, i%2 == 0)
	}
	if after := in(); after > before {
		t.Errorf("%d descriptors before, %d after", before, after)
	}
	s := startSplice(t, g, tcp, 4)
	_, err := s.in.Write([]byte("body"))
	must(t, err)
	got := make([]byte, 4)
	if _, err := io.ReadFull(s.out, got); err != nil || string(got) != "body" {
		t.Errorf("%q, %v", got, err)
	}
	<-s.done
}

// breakSplice breaks one at either end, with bytes under way, and closes all
// that is of it.
func breakSplice(t *testing.T, g *Guard, atSource bool) {
	s := startSplice(t, g, tcp, 64<<20)
	go func() {
		for b := make([]byte, 64<<10); ; {
			if _, err := s.in.Write(b); err != nil {
				return
			}
		}
	}()
	await(t, "the peer to be full", parked(&s.dst.wr))
	if atSource {
		s.src.nc.Close()
	}
	s.out.Close()
	<-s.done
	for _, nc := range []net.Conn{s.in, s.out, s.src.nc, s.dst.nc} {
		nc.Close()
	}
}
