package wire

import (
	"bytes"
	"io"
	"net"
	"strings"
	"syscall"
	"testing"
)

// behind is SpliceBehind from one new connection to another, by a goroutine
// that is waited for.
func (g *Guard) behind(t *testing.T, head, body string, n int64, before func(in net.Conn)) (s *spliced) {
	t.Helper()
	s = &spliced{done: make(chan struct{})}
	near, in := tcp(t)
	far, out := tcp(t)
	s.in, s.out = in, out
	s.src, s.dst = g.conn(t, near), g.conn(t, far)
	before(in)
	go func() {
		defer close(s.done)
		s.fromSrc, s.err = SpliceBehind(s.dst, s.src, []byte(head), []byte(body), n, func(k int64) { s.moved += k })
	}()
	return s
}

func (s *spliced) wants(t *testing.T, what, want string) {
	t.Helper()
	got := make([]byte, len(want))
	if n, err := io.ReadFull(s.out, got); err != nil || string(got) != want {
		t.Errorf("%s: %d of %d bytes, %v", what, n, len(want), err)
	}
}

func TestSpliceBehindWritesFirstWhatGoesBefore(t *testing.T) {
	g := newGuard(t)
	rest := strings.Repeat("0123456789abcdef", 20<<10)
	for _, head := range []string{"", "head", strings.Repeat("h", 4<<20)} { // the last one is more than a socket takes
		for _, body := range []string{"", "body", strings.Repeat("b", 1<<20)} {
			for _, early := range []bool{true, false} {
				feed := func(in net.Conn) { go in.Write([]byte(rest)) }
				before := feed
				if !early {
					before = func(net.Conn) {}
				}
				s := g.behind(t, head, body, int64(len(rest)), before)
				s.wants(t, "head", head)
				s.wants(t, "body", body)
				if !early {
					feed(s.in)
				}
				s.wants(t, "rest", rest)
				if <-s.done; s.err != nil || s.moved != int64(len(rest)) {
					t.Errorf("head of %d, body of %d: %v, %d moved", len(head), len(body), s.err, s.moved)
				}
			}
		}
	}
}

// What has come goes on before more of it is waited for.
func TestSpliceHoldsNothingBack(t *testing.T) {
	g := newGuard(t)
	for _, first := range []int{0, 1, 1000, pipeSize - 1, pipeSize, pipeSize + 1, 3 * pipeSize} {
		data := bytes.Repeat([]byte("x"), first)
		s := g.behind(t, "head", "", int64(first)+1, func(in net.Conn) { go in.Write(data) })
		s.wants(t, "head", "head")
		s.wants(t, "what has come", string(data))
		await(t, "the wait for more", parked(&s.src.rd))
		_, err := s.in.Write([]byte("y"))
		must(t, err)
		s.wants(t, "the last one", "y")
		if <-s.done; s.err != nil {
			t.Errorf("%d bytes: %v", first, s.err)
		}
	}
}

// Behind a full pipe the socket keeps back the end of what it was given, for
// more is to come. If it does not, that end must not wait for it: TCP_NODELAY is
// what pushes it, and was taken away here so that it shows.
func TestSpliceSendsWhatTheSocketKeptBeforeItWaits(t *testing.T) {
	g := newGuard(t)
	near, in := tcp(t)
	far, _ := tcp(t)
	must(t, far.(*net.TCPConn).SetNoDelay(false))
	m := movers.Get().(*mover)
	m.src, m.dst, m.left, m.full = g.conn(t, near), g.conn(t, far), 1, true
	done := make(chan error)
	go func() { done <- m.take() }()
	await(t, "the wait for more", parked(&m.src.rd))
	pushed := 0
	must(t, m.dst.raw.Control(func(fd uintptr) {
		pushed, _ = syscall.GetsockoptInt(int(fd), syscall.IPPROTO_TCP, syscall.TCP_NODELAY)
	}))
	if pushed == 0 {
		t.Error("the end of a piece waits for the next one")
	}
	_, err := in.Write([]byte("x"))
	must(t, err)
	must(t, <-done)
	m.release()
}

// Who waits for a source holds no pipe: there are thousands of those.
func TestSpliceWaitsWithoutAPipe(t *testing.T) {
	g := newGuard(t)
	for range 2 * maxPipes {
		s := g.behind(t, "head", "", 2, func(in net.Conn) { in.Write([]byte("a")) })
		await(t, "the wait for more", parked(&s.src.rd))
	}
	pipes.Lock()
	defer pipes.Unlock()
	if len(pipes.free) == 0 {
		t.Error("no pipe is free")
	}
}

func TestSpliceWithoutPipes(t *testing.T) {
	g := newGuard(t)
	pipes.Lock()
	free := pipes.free
	pipes.free, pipes.none = nil, true
	pipes.Unlock()
	defer func() {
		pipes.Lock()
		pipes.free, pipes.none = free, false
		pipes.Unlock()
	}()
	s := g.behind(t, "head", "body", 4, func(in net.Conn) { in.Write([]byte("rest")) })
	s.wants(t, "what goes before", "headbody")
	if <-s.done; s.err != ErrNoPipe || !s.fromSrc || s.moved != 0 {
		t.Errorf("%v, %d moved", s.err, s.moved)
	}
	if err := s.src.Fill(10); err != nil || string(s.src.Buffered()) != "rest" {
		t.Errorf("to be copied is %q, %v", s.src.Buffered(), err)
	}
}
