package discover

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"multiserver/pool"
	"multiserver/proxy/wire"
)

const patience = 30 * time.Second

// origin answers with its name, /slow only after release, and knows how many
// connections it has.
type origin struct {
	*httptest.Server
	name    string
	conns   atomic.Int64
	arrived chan struct{} // a request for /slow is here
	release chan struct{}
}

func newOrigin(t *testing.T, name, addr string) *origin {
	t.Helper()
	ln, err := net.Listen("tcp", addr)
	if err != nil {
		t.Skipf("this machine has no %s: %v", addr, err)
	}
	o := &origin{name: name, arrived: make(chan struct{}), release: make(chan struct{})}
	o.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/slow" {
			close(o.arrived)
			<-o.release
		}
		fmt.Fprint(w, o.name)
	}))
	o.Listener.Close()
	o.Listener = ln
	o.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		switch s {
		case http.StateNew:
			o.conns.Add(1)
		case http.StateClosed:
			o.conns.Add(-1)
		}
	}
	o.Start()
	t.Cleanup(o.Close)
	return o
}

func (o *origin) port() string {
	_, port, _ := net.SplitHostPort(o.Listener.Addr().String())
	return port
}

// When a name moves, new exchanges go to the new address, the one under way at
// the old one ends well, and then nothing is connected there any more.
func TestTrafficFollowsTheName(t *testing.T) {
	for _, kind := range []string{"A", "SRV"} {
		t.Run(kind, func(t *testing.T) {
			n := newNames()
			old := newOrigin(t, "old", "127.0.0.1:0")
			var young *origin
			url, move := "", func() {}
			if kind == "A" {
				young = newOrigin(t, "young", "127.0.0.2:"+old.port())
				url = "http://app.internal:" + old.port()
				n.has("app.internal", "127.0.0.1")
				move = func() { n.has("app.internal", "127.0.0.2") }
			} else {
				young = newOrigin(t, "young", "127.0.0.1:0")
				url = "srv+http://_app._tcp.internal"
				n.has("host.internal.", "127.0.0.1")
				n.serves("_app._tcp.internal", "0 1 "+old.port()+" host.internal.")
				move = func() { n.serves("_app._tcp.internal", "0 1 "+young.port()+" host.internal.") }
			}
			follow(t, n, url, old, young, move)
		})
	}
}

func follow(t *testing.T, n *names, url string, old, young *origin, move func()) {
	log := slog.New(slog.NewTextHandler(io.Discard, nil))
	d, err := New(t.Context(), specs(url), Options{Resolver: n, Interval: 5 * time.Millisecond, Log: log})
	if err != nil {
		t.Fatal(err)
	}
	guard := wire.NewGuard()
	defer guard.Close()
	p := pool.New(pool.Options{
		Guard: guard, Connect: patience, Response: patience, MaxHead: 64 << 10, MaxIdle: 64, Log: log,
	})
	defer p.Close()
	p.Set(d.Targets())
	ctx, cancel := context.WithCancel(t.Context())
	ran := make(chan struct{})
	go func() {
		defer close(ran)
		d.Run(ctx, p.Set)
	}()
	defer func() { cancel(); <-ran }()

	same(t, "before", ask(t, p, "/"), "old")
	slow := make(chan string)
	go func() { slow <- ask(t, p, "/slow") }()
	<-old.arrived
	same(t, "beside it", ask(t, p, "/"), "old")
	time.Sleep(50 * time.Millisecond) // looked up ten times: nothing new
	if c := old.conns.Load(); c != 2 {
		t.Errorf("%d connections", c)
	}

	move()
	await(t, "the move", func() bool { return ask(t, p, "/") == "young" })
	for range 20 {
		same(t, "after", ask(t, p, "/"), "young")
	}
	await(t, "the end of the idle connection", func() bool { return old.conns.Load() == 1 })
	close(old.release)
	same(t, "under way", <-slow, "old")
	await(t, "the end of the busy connection", func() bool { return old.conns.Load() == 0 })
	if c := young.conns.Load(); c != 1 {
		t.Errorf("%d connections to the new address", c)
	}
	if name := p.Upstreams()[0].Name(); name != url+" ("+young.Listener.Addr().String()+")" {
		t.Errorf("called %s", name)
	}
	if c := d.Stats.Changes.Load(); c != 1 {
		t.Errorf("%d changes", c)
	}
}

// get is a pool.Request.
type get string

func (g get) Within() time.Duration { return 0 }

func (g get) AppendHead(dst []byte, u *pool.Upstream) []byte {
	return fmt.Appendf(dst, "GET %s HTTP/1.1\r\nHost: %s\r\n\r\n", string(g), u.Host())
}

func (g get) Body() []byte { return nil }

// ask makes one exchange through p and gives the answer's body.
func ask(t *testing.T, p *pool.Pool, path string) string {
	var tried pool.Tried
	u := p.Pick(0, &tried)
	if u == nil {
		t.Error("nobody to ask")
		return ""
	}
	var res wire.Response
	l, f := u.Ask(nil, get(path), true, &res)
	defer u.Done(f, 200)
	if f != nil {
		t.Errorf("%s: %v", u.Name(), f)
		return ""
	}
	var body strings.Builder
	var b wire.Body
	for b.Begin(l.Conn, res.Framing(false), res.Length, 0); ; {
		part, err := b.Take()
		body.Write(part)
		if err == wire.ErrMore {
			err = b.Fill()
		}
		if err == io.EOF {
			l.Keep()
			return body.String()
		}
		if err != nil {
			l.Drop()
			t.Error(err)
			return ""
		}
	}
}

func await(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("in vain: %s", what)
		}
	}
}
