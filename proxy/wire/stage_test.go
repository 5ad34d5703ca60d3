package wire

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http/httptest"
	"os"
	"testing"
	"time"
)

// patience is how long anything that must happen may take before a test says
// that it did not.
const patience = 30 * time.Second

// newGuard is a Guard for one test. Conns must be closed before it: make them
// after it.
func newGuard(t testing.TB) *Guard {
	g := NewGuard()
	t.Cleanup(g.Close)
	return g
}

// conn wraps nc for one test.
func (g *Guard) conn(t testing.TB, nc net.Conn) *Conn {
	s, ok := nc.(*settler)
	if ok {
		nc = s.Conn
	}
	c := NewConn(nc, g, HeadBuffer)
	t.Cleanup(func() { c.Close() })
	if ok {
		c.settle()
		s.Conn = c.NetConn()
	}
	return c
}

// settler is what conn settles, and then the connection that is under it.
type settler struct{ net.Conn }

func settling(make func(testing.TB) (a, b net.Conn)) func(testing.TB) (a, b net.Conn) {
	return func(t testing.TB) (a, b net.Conn) {
		a, b = make(t)
		return &settler{a}, b
	}
}

// tcp is two ends of a connection over loopback.
func tcp(t testing.TB) (a, b net.Conn) {
	t.Helper()
	return dialed(t, "tcp", "127.0.0.1:0")
}

func unix(t testing.TB) (a, b net.Conn) {
	t.Helper()
	return dialed(t, "unix", t.TempDir()+"/s")
}

func dialed(t testing.TB, network, addr string) (a, b net.Conn) {
	t.Helper()
	ln, err := net.Listen(network, addr)
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	if a, err = net.Dial(network, ln.Addr().String()); err != nil {
		t.Fatal(err)
	}
	if b, err = ln.Accept(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { a.Close(); b.Close() })
	return a, b
}

// encrypted is TLS over loopback, a the client's end.
func encrypted(t testing.TB) (a, b net.Conn) {
	t.Helper()
	a, b = tcp(t)
	s := httptest.NewUnstartedServer(nil) // for its certificate
	s.StartTLS()
	s.Close()
	client := tls.Client(a, &tls.Config{InsecureSkipVerify: true})
	server := tls.Server(b, s.TLS)
	shaken := make(chan error, 1)
	go func() { shaken <- server.Handshake() }()
	if err := errors.Join(client.Handshake(), <-shaken); err != nil {
		t.Fatal(err)
	}
	return client, server
}

// links are the kinds of connection a Conn runs over: by system calls of its
// own, and by Read and Write.
var links = []struct {
	name string
	make func(t testing.TB) (a, b net.Conn)
}{
	{"tcp", tcp},
	{"unix", unix},
	{"settled tcp", settling(tcp)},
	{"settled unix", settling(unix)},
	{"tls", encrypted},
	{"pipe", func(t testing.TB) (a, b net.Conn) {
		a, b = net.Pipe()
		t.Cleanup(func() { a.Close(); b.Close() })
		return a, b
	}},
}

// plain is how many of them are plain sockets.
const plain = 4

// overLinks runs a test over each kind of connection: c is the end under test.
func overLinks(t *testing.T, test func(t *testing.T, c *Conn, peer net.Conn)) {
	for _, l := range links {
		t.Run(l.name, func(t *testing.T) {
			t.Parallel()
			g := newGuard(t)
			a, b := l.make(t)
			test(t, g.conn(t, a), b)
		})
	}
}

// feed is a connection on which data arrives in pieces of some bytes, and
// then its end. It is read without any goroutine.
type feed struct {
	net.Conn // none: whatever else is called is a bug of the test
	data     string
	piece    int
}

func (f *feed) Read(p []byte) (int, error) {
	if f.data == "" {
		return 0, io.EOF
	}
	n := copy(p[:min(len(p), f.piece)], f.data)
	f.data = f.data[n:]
	return n, nil
}

func (f *feed) Close() error                     { return nil }
func (f *feed) SetReadDeadline(time.Time) error  { return nil }
func (f *feed) SetWriteDeadline(time.Time) error { return nil }

// await fails the test unless ok becomes true.
func await(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("in vain: %s", what)
		}
	}
}

// parked tells whether a goroutine waits in that direction of a connection.
func parked(w *wait) func() bool { return func() bool { return w.due.Load() > 0 } }

// must is for what cannot fail but does; also from goroutines of a test.
func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Error(err)
	}
}

// say gives an error of this package the form the tables have it in.
func say(err error) string {
	switch e := err.(type) {
	case nil:
		return "ok"
	case *Bad:
		return fmt.Sprintf("%d %s", e.Status, e.What)
	}
	if err == ErrMore {
		return "more"
	}
	return err.Error()
}

// descriptors counts the open ones of this process.
func descriptors(t testing.TB) int {
	d, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Skip("no /proc here")
	}
	return len(d)
}
