package pipe

import (
	"bytes"
	"io"
	"log/slog"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"multiserver/proxy/wire"
)

// feed is an upstream's side of a connection: it says data in pieces, and ends.
type feed struct {
	net.Conn
	data  []byte
	piece int
}

func (f *feed) Read(p []byte) (int, error) {
	if len(f.data) == 0 {
		return 0, io.EOF
	}
	n := copy(p, f.data[:min(f.piece, len(f.data))])
	f.data = f.data[n:]
	return n, nil
}
func (f *feed) Close() error                     { return nil }
func (f *feed) SetDeadline(time.Time) error      { return nil }
func (f *feed) SetReadDeadline(time.Time) error  { return nil }
func (f *feed) SetWriteDeadline(time.Time) error { return nil }

// Whatever an upstream says to three requests: they are dealt its bytes in order
// and none twice; an answer that was whole is one by itself, and who is behind
// one that was not has nothing.
func FuzzDealing(f *testing.F) {
	ok := answer("a")
	for _, seed := range []string{
		ok + ok + ok, ok + ok, ok + ok + ok + ok, "",
		"HTTP/1.1 103 Early Hints\r\n\r\n" + ok + ok,
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nT: x\r\n\r\n" + ok,
		"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n" + ok,
		"HTTP/1.1 200 OK\r\n\r\n" + ok, "HTTP/1.1 101 X\r\n\r\n" + ok,
		ok + "HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\nabc" + ok,
		ok + "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;x\r\na\r\nz\r\n" + ok,
	} {
		f.Add([]byte(seed), 1)
		f.Add([]byte(seed), 1000)
	}
	g := wire.NewGuard()
	f.Cleanup(g.Close)
	f.Fuzz(func(t *testing.T, data []byte, piece int) {
		if piece < 1 || len(data) > 1<<16 {
			return
		}
		s := New(Options{Guard: g, Depth: 3, MaxHead: 1 << 12, Log: slog.New(slog.DiscardHandler)})
		c := newConn(s, &feed{data: bytes.Clone(data), piece: piece})
		var seats [3]*Seat
		for i := range seats {
			seats[i] = s.Seat()
			seats[i].conn, seats[i].waits = c, true
			c.line[i] = seats[i]
		}
		c.n, c.sent = 3, 3
		c.places.Store(3)
		c.wanted.Store(3)
		c.shut.Store(true)
		done := make(chan struct{})
		go func() {
			defer close(done)
			c.run()
		}()
		watchdog := time.AfterFunc(5*time.Second, func() { panic(string(data)) })
		defer watchdog.Stop()
		rest, open := data, true
		for i, seat := range seats {
			got, err := io.ReadAll(seat)
			if err != nil && os.IsTimeout(err) {
				t.Fatal(err)
			}
			if !bytes.HasPrefix(rest, got) {
				t.Fatalf("%d: %q, of %q", i, got, rest)
			}
			rest = rest[len(got):]
			if len(got) > 0 && !open {
				t.Fatalf("%d has %q behind an answer that was not whole", i, got)
			}
			if open = seat.whole; open && !isAnswer(got) {
				t.Fatalf("%d: %q is no answer", i, got)
			}
		}
		<-done
		if n := c.wanted.Load(); n != 0 {
			t.Fatalf("%d are still waited for", n)
		}
	})
}

// isAnswer reads b in its own way: heads, then what the last one tells of.
func isAnswer(b []byte) bool {
	var r wire.Response
	for {
		n, err := r.Parse(b)
		if err != nil {
			return false
		}
		if b = b[n:]; r.Status >= 200 {
			break
		}
	}
	switch r.Framing(false) {
	case wire.None:
		return len(b) == 0
	case wire.Sized:
		return int64(len(b)) == r.Length
	case wire.Chunked:
		return strings.HasSuffix(string(b), "\r\n") && bytes.Contains(b, []byte("0"))
	}
	return false
}
