package pool

import (
	"bufio"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"multiserver/proxy/wire"
	"multiserver/sync/daemon"
)

// patience is how long anything that must happen may take.
const patience = 30 * time.Second

// options have limits that are far away.
func options(t testing.TB) Options {
	g := wire.NewGuard()
	t.Cleanup(g.Close)
	return Options{
		Guard: g, Connect: patience, Response: patience, MaxHead: 64 << 10, MaxIdle: 64,
		Log: slog.New(slog.NewTextHandler(io.Discard, nil)),
	}
}

// newPool is a pool for one test.
func newPool(t testing.TB, change func(*Options)) *Pool {
	t.Helper()
	o := options(t)
	if change != nil {
		change(&o)
	}
	p := New(o)
	t.Cleanup(p.Close)
	return p
}

// origin is an upstream in this process. To each request it answers the
// number of the connection it came on; a request for /close, /reset, … it
// treats as that says.
type origin struct {
	t    testing.TB
	name string

	mu    sync.Mutex
	ln    net.Listener // guarded by mu; nil: stopped
	addr  string
	conns []net.Conn     // guarded by mu; all there were
	seen  map[string]int // guarded by mu; requests by target
	group sync.WaitGroup
}

func newOrigin(t testing.TB) *origin {
	t.Helper()
	o := &origin{t: t, addr: daemon.Addr(t), seen: map[string]int{}}
	o.name = "http://" + o.addr
	o.start()
	t.Cleanup(o.stop)
	return o
}

func (o *origin) target() Target {
	return Target{Name: o.name, Network: "tcp", Addr: o.addr, Host: o.addr, Weight: 1}
}

func (o *origin) start() {
	o.t.Helper()
	ln, err := net.Listen("tcp", o.addr)
	if err != nil {
		o.t.Fatal(err)
	}
	o.mu.Lock()
	o.ln = ln
	o.mu.Unlock()
	o.group.Go(func() {
		for {
			nc, err := ln.Accept()
			if err != nil {
				return
			}
			o.mu.Lock()
			o.conns = append(o.conns, nc)
			n := len(o.conns)
			if o.ln != ln {
				nc.Close() // stopped meanwhile
			}
			o.mu.Unlock()
			o.group.Go(func() { o.serve(nc, n) })
		}
	})
}

// stop takes no more connections and closes those it has.
func (o *origin) stop() {
	o.mu.Lock()
	if o.ln != nil {
		o.ln.Close()
	}
	o.ln = nil
	o.mu.Unlock()
	o.hangUp()
	o.group.Wait()
}

// hangUp closes all connections.
func (o *origin) hangUp() {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, nc := range o.conns {
		nc.Close()
	}
}

// say sends bytes that nobody asked for on all connections.
func (o *origin) say(text string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, nc := range o.conns {
		io.WriteString(nc, text)
	}
}

// count tells how many requests for that target have come, and on how many
// connections any have.
func (o *origin) count(target string) (requests, conns int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.seen[target], len(o.conns)
}

func (o *origin) serve(nc net.Conn, n int) {
	defer nc.Close()
	in := bufio.NewReader(nc)
	for {
		req, err := http.ReadRequest(in)
		if err != nil {
			return
		}
		io.Copy(io.Discard, req.Body)
		o.mu.Lock()
		o.seen[req.RequestURI]++
		o.mu.Unlock()
		switch what := strings.TrimPrefix(req.URL.Path, "/"); {
		case what == "close":
			return
		case what == "reset":
			nc.(*net.TCPConn).SetLinger(0)
			return
		case what == "silence":
			in.Peek(1) // until the other side closes
			return
		case answers[what] != "":
			io.WriteString(nc, answers[what])
		default:
			id := fmt.Sprint(n)
			fmt.Fprintf(nc, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(id), id)
		}
		if strings.HasPrefix(req.URL.Path, "/cut") {
			return
		}
	}
}

// answers are what an origin sends for a target of that name. After one that
// begins with "cut" it closes.
var answers = map[string]string{
	"garbage":   "SSH-2.0-OpenSSH_9.9\r\n\r\n",
	"two":       "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx",
	"surplus":   "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nxHTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison",
	"interim":   "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
	"long":      "HTTP/1.1 200 OK\r\nX: " + strings.Repeat("x", 100<<10) + "\r\nContent-Length: 0\r\n\r\n",
	"cut-head":  "HTTP/1.1 200 OK\r\nContent-Le",
	"cut-line":  "HTTP/1.1 2",
	"cut-close": "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok",
}

// raw is a request as it is.
type raw string

func (r raw) AppendHead(dst []byte, _ *Upstream) []byte { return append(dst, r...) }
func (r raw) Within() time.Duration                     { return 0 }
func (r raw) Body() []byte                              { return nil }

func get(target string) raw { return raw("GET " + target + " HTTP/1.1\r\nHost: a\r\n\r\n") }
func post(target string) raw {
	return raw("POST " + target + " HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbody")
}

// ask makes a whole exchange and gives the body of the answer. The connection
// is kept.
func ask(t testing.TB, u *Upstream, r raw) string {
	t.Helper()
	body, f := try(u, r)
	if f != nil {
		t.Fatalf("%q: %v", r, f)
	}
	return body
}

func try(u *Upstream, r raw) (string, *Fault) {
	l, body, f := begin(u, r)
	if f == nil {
		l.Keep()
	}
	return body, f
}

// begin leaves the connection in the caller's hands.
func begin(u *Upstream, r raw) (*Link, string, *Fault) {
	var res wire.Response
	l, f := u.Ask(nil, r, strings.HasPrefix(string(r), "GET"), &res)
	if f != nil {
		return nil, "", f
	}
	var b wire.Body
	b.Begin(l.Conn, res.Framing(false), res.Length, 0)
	var body []byte
	for {
		p, err := b.Take()
		body = append(body, p...)
		if err == wire.ErrMore {
			err = b.Fill()
		}
		if err == io.EOF {
			return l, string(body), nil
		}
		if err != nil {
			l.Drop()
			return nil, "", BodyFault(err)
		}
	}
}

// set gives p its members and returns them in order.
func set(p *Pool, origins ...*origin) []*Upstream {
	var targets []Target
	for _, o := range origins {
		targets = append(targets, o.target())
	}
	p.Set(targets)
	return p.Upstreams()
}

// await fails the test unless ok becomes true.
func await(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("in vain: %s", what)
		}
	}
}

// echo is an origin that allocates nothing: to any bytes it answers 204.
func echo(t testing.TB) (addr string) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
	go func() {
		nc, err := ln.Accept()
		if err != nil {
			return
		}
		defer nc.Close()
		in, out := make([]byte, 1024), []byte("HTTP/1.1 204 No Content\r\n\r\n")
		for {
			if _, err := nc.Read(in); err != nil {
				return
			}
			if _, err := nc.Write(out); err != nil {
				return
			}
		}
	}()
	return ln.Addr().String()
}
