//go:build linux

package wire

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
)

// passer is a rester whose bytes need no goroutine, as long as it says so.
type passer struct {
	rester
	pass  func(b []byte) (n int, stays bool)
	woken atomic.Int32
}

func (p *passer) Pass() bool {
	b := p.c.Buffered()
	n, stays := p.pass(b)
	p.got = append(p.got, b[:n]...)
	p.c.Skip(n)
	return stays
}

func (p *passer) Wake() {
	p.woken.Add(1)
	p.rester.Wake()
}

func all(b []byte) (int, bool) { return len(b), true }

// parkPasser has c parked with its bytes passed by pass.
func parkPasser(t *testing.T, c *Conn, pass func([]byte) (int, bool)) *passer {
	t.Helper()
	p := &passer{rester: rester{c: c, err: make(chan error, 1)}, pass: pass}
	c.Own()
	c.MayPark(true)
	if !c.Park(p, false) {
		t.Fatal("it does not park")
	}
	return p
}

// overParked runs a test over each kind of connection that parks.
func overParked(t *testing.T, test func(t *testing.T, c *Conn, far net.Conn)) {
	for _, l := range links[:plain] {
		t.Run(l.name, func(t *testing.T) {
			g := newGuard(t)
			near, far := l.make(t)
			test(t, g.conn(t, near), far)
		})
	}
}

func TestBytesArePassedWhereTheyAreRead(t *testing.T) { overParked(t, testPass) }

func testPass(t *testing.T, c *Conn, far net.Conn) {
	passed := make(chan string, 10)
	p := parkPasser(t, c, func(b []byte) (int, bool) {
		passed <- string(b)
		return len(b), true
	})
	for _, s := range []string{"one", "two", "three"} {
		io.WriteString(far, s)
		if got := <-passed; got != s {
			t.Fatalf("%q, want %q", got, s)
		}
	}
	if n := p.woken.Load(); n != 0 {
		t.Errorf("%d goroutines", n)
	}
	far.Close()
	if err := <-p.err; err != io.EOF {
		t.Error(err)
	}
}

// What is not passed is for Wake, in order and whole.
func TestWakeGoesOnWithWhatIsLeft(t *testing.T) {
	for name, pass := range map[string]func([]byte) (int, bool){
		"of some":     func(b []byte) (int, bool) { return len(b) / 2, true },
		"of nothing":  func([]byte) (int, bool) { return 0, false },
		"though none": func(b []byte) (int, bool) { return len(b), false },
		"now and then": func(b []byte) (int, bool) {
			return rand.IntN(len(b) + 1), rand.IntN(2) == 0
		},
	} {
		overParked(t, func(t *testing.T, c *Conn, far net.Conn) {
			p := parkPasser(t, c, pass)
			sent := make([]byte, 1<<18)
			for i := range sent {
				sent[i] = byte(rand.Uint32())
			}
			for b := sent; len(b) > 0; {
				n := min(1+rand.IntN(100<<10), len(b))
				far.Write(b[:n])
				b = b[n:]
			}
			far.Close()
			if err := <-p.err; err != io.EOF || !bytes.Equal(p.got, sent) {
				t.Errorf("%s: %d of %d bytes, %v", name, len(p.got), len(sent), err)
			}
		})
	}
}

// More than a turn takes comes in the turns after it.
func TestOneTurnIsBounded(t *testing.T) { overParked(t, testOneTurn) }

func testOneTurn(t *testing.T, c *Conn, far net.Conn) {
	const total = 4 << 20
	seen, longest, done := 0, 0, make(chan struct{})
	p := parkPasser(t, c, func(b []byte) (int, bool) {
		longest = max(longest, len(b))
		if seen += len(b); seen == total {
			close(done)
		}
		return len(b), true
	})
	far.Write(make([]byte, total))
	<-done
	if n := p.woken.Load(); longest > turnSize || n != 0 {
		t.Errorf("%d bytes in a turn, %d goroutines", longest, n)
	}
	far.Close()
	<-p.err
}

// A socket tells once that it broke: whoever reads then hears it.
func TestResetIsNoEnd(t *testing.T) {
	g := newGuard(t)
	for n := range 50 {
		near, far := tcp(t)
		c := g.conn(t, near)
		if n%2 == 0 {
			c.settle()
		}
		p := parkPasser(t, c, all)
		far.(*net.TCPConn).SetLinger(0)
		far.Close()
		if err := <-p.err; !errors.Is(err, syscall.ECONNRESET) {
			t.Error(err)
		}
	}
}

// Whatever wakes it while its bytes pass, none is lost and none comes twice.
func TestPassedAndWokenAtOnce(t *testing.T) {
	g := newGuard(t)
	var conns sync.WaitGroup
	for n := range 20 {
		near, far := links[n%plain].make(t)
		c := g.conn(t, near)
		p := parkPasser(t, c, func(b []byte) (int, bool) {
			if rand.IntN(8) == 0 {
				return rand.IntN(len(b) + 1), false
			}
			return len(b), true
		})
		conns.Go(func() {
			var sent []byte
			for i := range 500 {
				b := bytes.Repeat([]byte{byte(i)}, 1+rand.IntN(200))
				far.Write(b)
				sent = append(sent, b...)
				if rand.IntN(10) == 0 {
					c.unpark() // as the Guard does
				}
			}
			far.Close()
			if err := <-p.err; err != io.EOF || !bytes.Equal(p.got, sent) {
				t.Errorf("%d of %d bytes, %v", len(p.got), len(sent), err)
			}
		})
	}
	conns.Wait()
}
