//go:build linux

package wire

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"golang.org/x/net/nettest"
)

// sockets are what a socket is made of.
var sockets = []struct {
	name string
	make func(t testing.TB) (a, b net.Conn)
}{{"tcp", tcp}, {"unix", unix}}

// settled is a connection that is, and its far end.
func settled(t testing.TB, g *Guard, make func(testing.TB) (a, b net.Conn)) (*Conn, net.Conn) {
	t.Helper()
	near, far := make(t)
	c := g.conn(t, near)
	if !c.settle() {
		t.Fatal("it does not settle")
	}
	return c, far
}

// overSockets runs a test over each kind of socket, settled.
func overSockets(t *testing.T, test func(t *testing.T, c *Conn, far net.Conn)) {
	for _, l := range sockets {
		t.Run(l.name, func(t *testing.T) {
			c, far := settled(t, newGuard(t), l.make)
			test(t, c, far)
		})
	}
}

// All that a net.Conn promises, between two of ours.
func TestSocketIsAConnection(t *testing.T) {
	for _, l := range sockets {
		t.Run(l.name, func(t *testing.T) {
			g := newGuard(t)
			nettest.TestConn(t, func() (net.Conn, net.Conn, func(), error) {
				near, far := l.make(t)
				a, b := NewConn(near, g, HeadBuffer), NewConn(far, g, HeadBuffer)
				if !a.settle() || !b.settle() {
					return nil, nil, nil, errors.New("it does not settle")
				}
				return a.nc, b.nc, func() { a.Close(); b.Close() }, nil
			})
		})
	}
}

// Whoever ends a wait, it ends at once, and says why.
func TestWaitOnASocketEnds(t *testing.T) {
	now := func() time.Time { return time.Now() }
	for _, e := range []struct {
		what string
		do   func(nc net.Conn)
		want error
	}{
		{"Close", func(nc net.Conn) { nc.Close() }, net.ErrClosed},
		{"a deadline that has passed", func(nc net.Conn) { nc.SetDeadline(past) }, os.ErrDeadlineExceeded},
		{"one to come", func(nc net.Conn) { nc.SetDeadline(now().Add(time.Millisecond)) }, os.ErrDeadlineExceeded},
		{"one that was moved", func(nc net.Conn) {
			nc.SetDeadline(now().Add(time.Hour))
			nc.SetDeadline(now().Add(time.Millisecond))
		}, os.ErrDeadlineExceeded},
	} {
		for way, wait := range map[string]func(raw syscall.RawConn, f func(uintptr) bool) error{
			"read": syscall.RawConn.Read, "write": syscall.RawConn.Write,
		} {
			overSockets(t, func(t *testing.T, c *Conn, _ net.Conn) {
				waits := make(chan struct{}, 100)
				go func() { <-waits; e.do(c.nc) }()
				err := wait(c.raw, func(uintptr) bool { waits <- struct{}{}; return false })
				if err != e.want {
					t.Errorf("%s, %s: %v, want %v", e.what, way, err, e.want)
				}
			})
		}
	}
}

func TestDeadlineIsTakenBack(t *testing.T) {
	overSockets(t, func(t *testing.T, c *Conn, far net.Conn) {
		for range 200 { // also while it rings
			must(t, c.nc.SetDeadline(time.Now().Add(time.Duration(rand.IntN(100))*time.Microsecond)))
			time.Sleep(time.Duration(rand.IntN(100)) * time.Microsecond)
			must(t, c.nc.SetDeadline(time.Time{}))
			io.WriteString(far, "x")
			if _, err := c.nc.Read(make([]byte, 1)); err != nil {
				t.Fatal(err)
			}
		}
	})
}

// While f runs the descriptor is nobody else's, though Close returns.
func TestDescriptorOutlivesClose(t *testing.T) {
	overSockets(t, func(t *testing.T, c *Conn, _ net.Conn) {
		must(t, c.raw.Read(func(fd uintptr) bool {
			must(t, c.nc.Close())
			if _, err := syscall.GetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_TYPE); err != nil {
				t.Error(err)
			}
			return true
		}))
	})
}

func TestClosedSocketRefuses(t *testing.T) {
	overSockets(t, func(t *testing.T, c *Conn, _ net.Conn) {
		must(t, c.nc.Close())
		nop, yes := func(uintptr) {}, func(uintptr) bool { return true }
		for what, err := range map[string]error{
			"Control":     c.raw.Control(nop),
			"Read":        c.raw.Read(yes),
			"Write":       c.raw.Write(yes),
			"Close":       c.nc.Close(),
			"SetDeadline": c.nc.SetDeadline(past),
			"CloseWrite":  c.nc.(*socket).CloseWrite(),
			"SetLinger":   c.nc.(*socket).SetLinger(0),
		} {
			if !errors.Is(err, net.ErrClosed) {
				t.Errorf("%s: %v", what, err)
			}
		}
	})
}

func TestHalfOfASocketIsClosed(t *testing.T) {
	overSockets(t, func(t *testing.T, c *Conn, far net.Conn) {
		must(t, c.Write([]byte("last"), nil))
		must(t, c.nc.(interface{ CloseWrite() error }).CloseWrite())
		if got, err := io.ReadAll(far); string(got) != "last" || err != nil {
			t.Errorf("%q, %v", got, err)
		}
		io.WriteString(far, "answer")
		if err := c.Fill(100); err != nil || string(c.Buffered()) != "answer" {
			t.Errorf("%q, %v", c.Buffered(), err)
		}
	})
}

func TestAbortedSocketIsReset(t *testing.T) {
	c, far := settled(t, newGuard(t), tcp)
	c.Abort()
	if _, err := io.ReadAll(far); !errors.Is(err, syscall.ECONNRESET) {
		t.Error(err)
	}
}

// Closed while others use it in all ways, it closes one descriptor, once.
func TestSocketsCloseTheirDescriptor(t *testing.T) {
	g := newGuard(t)
	for range runtime.GOMAXPROCS(0) {
		g.lots.next() // which has one, too
	}
	before := descriptors(t)
	for range 50 {
		a, b, err := pair()
		must(t, err)
		c := NewConn(a, g, HeadBuffer)
		c.settle()
		var users sync.WaitGroup
		for _, use := range []func(){
			func() { c.nc.Read(make([]byte, 1)) },
			func() { c.nc.Read(make([]byte, 1)) },
			func() { c.nc.Write(make([]byte, 8<<20)) },
			func() { c.nc.Write(make([]byte, 8<<20)) },
			func() { c.Left() },
			func() { c.nc.Close() },
			func() { c.nc.Close() },
		} {
			users.Go(use)
		}
		users.Wait()
		c.Close()
		b.Close()
	}
	await(t, "all to be closed", func() bool { return descriptors(t) <= before })
}

// Many at once, echoed in pieces of any length, each byte for byte.
func TestManySocketsWithRandomTraffic(t *testing.T) {
	const conns, bytesEach = 500, 8000
	g := newGuard(t)
	var all sync.WaitGroup
	defer all.Wait()
	gate := make(chan struct{}, 100) // who writes at a time
	for n := range conns {
		make := sockets[n%2].make
		c, far := settled(t, g, make)
		d := g.conn(t, far)
		d.settle()
		all.Go(func() { echo(d) })
		all.Go(func() { c.traffic(t, gate, bytesEach) })
	}
}

func echo(c *Conn) {
	defer c.Close()
	for c.Fill(SmallBuffer) == nil && c.Write(c.Buffered(), nil) == nil {
		c.Skip(len(c.Buffered()))
	}
}

// traffic writes n bytes while it reads them back.
func (c *Conn) traffic(t *testing.T, gate chan struct{}, n int) {
	sent := make([]byte, n)
	for i := range sent {
		sent[i] = byte(rand.Uint32())
	}
	var writer sync.WaitGroup
	defer writer.Wait()
	writer.Go(func() {
		for b := sent; len(b) > 0; {
			gate <- struct{}{}
			k := min(1+rand.IntN(5000), len(b))
			must(t, c.Write(b[:k], nil))
			b = b[k:]
			<-gate
		}
	})
	var got []byte
	for len(got) < n {
		if err := c.Fill(SmallBuffer); err != nil {
			t.Errorf("%v behind %d bytes", err, len(got))
			return
		}
		got = append(got, c.Buffered()...)
		c.Skip(len(c.Buffered()))
	}
	if !bytes.Equal(got, sent) {
		t.Error("other bytes came back")
	}
	c.nc.(*socket).CloseWrite()
}

// What happens between a look that finds nothing and the wait is not missed.
func TestNoEdgeIsMissed(t *testing.T) {
	overSockets(t, func(t *testing.T, c *Conn, far net.Conn) {
		const n = 5000
		var asked atomic.Int32
		go func() {
			for range n {
				far.Read(make([]byte, 1))
				asked.Add(1)
				io.WriteString(far, "x")
			}
		}()
		for range n {
			must(t, c.Write([]byte("?"), nil))
			if rand.IntN(2) == 0 {
				must(t, c.Await(false))
			} else {
				must(t, c.Fill(100))
			}
			c.Skip(1)
		}
	})
}
