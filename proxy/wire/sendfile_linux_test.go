package wire

import (
	"bytes"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"strings"
	"testing"
)

// noise is a file of n bytes, and these.
func noise(t *testing.T, n int) (f *os.File, data []byte) {
	t.Helper()
	data = make([]byte, n)
	for i := range data {
		data[i] = byte(rand.Uint32())
	}
	f, err := os.Create(t.TempDir() + "/body")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	if _, err := f.Write(data); err != nil {
		t.Fatal(err)
	}
	return f, data
}

// sending is SendFile on c by a goroutine that is waited for.
type sending struct {
	sent int64
	err  error
	done chan struct{}
}

func send(c *Conn, head string, f *os.File, off, n int64) *sending {
	s := &sending{done: make(chan struct{})}
	go func() {
		defer close(s.done)
		s.sent, s.err = c.SendFile([]byte(head), int(f.Fd()), off, n)
	}()
	return s
}

func TestSendFile(t *testing.T) {
	g := newGuard(t)
	f, data := noise(t, 8<<20)
	long := strings.Repeat("h", 4<<20) // more than a socket takes
	for _, l := range links[:2] {
		near, out := l.make(t)
		c := g.conn(t, near)
		if !CanSendFile(c) {
			t.Fatal("a plain socket, and no file")
		}
		for _, head := range []string{"", "head", long} {
			for _, span := range [][2]int{{0, 1}, {0, 100_000}, {4095, 4097}, {1, 1 << 20}, {0, len(data)}, {len(data) - 1, len(data)}} {
				s := send(c, head, f, int64(span[0]), int64(span[1]-span[0]))
				want := append([]byte(head), data[span[0]:span[1]]...)
				got := make([]byte, len(want))
				_, err := io.ReadFull(out, got)
				<-s.done
				if err != nil || s.err != nil || s.sent != int64(span[1]-span[0]) || !bytes.Equal(got, want) {
					t.Errorf("%s, head of %d, %v: %v, %v, %d sent", l.name, len(head), span, err, s.err, s.sent)
				}
			}
		}
	}
}

func TestSendFileThatIsShort(t *testing.T) {
	g := newGuard(t)
	f, _ := noise(t, 1000)
	near, _ := tcp(t)
	sent, err := g.conn(t, near).SendFile([]byte("head"), int(f.Fd()), 400, 1000)
	if sent != 600 || err != io.ErrUnexpectedEOF {
		t.Errorf("%d sent, %v", sent, err)
	}
}

func TestSendFileEndsAtItsLimits(t *testing.T) {
	g := newGuard(t)
	f, _ := noise(t, 0)
	must(t, f.Truncate(64<<20))
	to := func(what string, want error, end func(c *Conn, out net.Conn)) {
		t.Helper()
		near, out := tcp(t)
		c := g.conn(t, near)
		if want == ErrTime {
			c.WriteWithin(2 * Tick)
		}
		s := send(c, "head", f, 0, 64<<20)
		await(t, "the peer to be full", func() bool { return parked(&c.wr)() || want == ErrTime })
		end(c, out)
		<-s.done
		if s.err == nil || want != nil && s.err != want || s.sent >= 64<<20 {
			t.Errorf("%s: %d sent, %v", what, s.sent, s.err)
		}
	}
	to("a client that does not read", ErrTime, func(*Conn, net.Conn) {})
	to("interrupted", ErrBroken, func(c *Conn, _ net.Conn) { c.Interrupt() })
	to("a client that leaves", nil, func(_ *Conn, out net.Conn) { out.Close() })
}
