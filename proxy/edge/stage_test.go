package edge_test

import (
	"context"
	"crypto/tls"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/net/http2"

	"multiserver/pool"
	"multiserver/proxy"
	"multiserver/proxy/edge"
	"multiserver/proxy/wire"
	"multiserver/proxy/wire/leak"
)

const patience = 30 * time.Second

func TestMain(m *testing.M) { leak.Main(m) }

// stage is an edge before a core before one origin, for one test.
type stage struct {
	t    testing.TB
	edge *edge.Edge
	p    *proxy.Proxy
	addr string
}

// limits of a stage, which tests may change.
type limits struct {
	edge  edge.Options
	proxy proxy.Options
	pool  pool.Options
	trust int // edge.QUICOptions.Trust
}

func newStage(t testing.TB, origin string, change func(*limits)) *stage {
	t.Helper()
	guard := wire.NewGuard()
	log := slog.New(slog.NewTextHandler(io.Discard, nil))
	l := limits{
		pool: pool.Options{Guard: guard, Connect: time.Second, Response: 5 * time.Second, MaxHead: 64 << 10, MaxIdle: 64, Log: log},
		proxy: proxy.Options{
			Route: proxy.Route{Response: 5 * time.Second, Idle: 5 * time.Second},
			Guard: guard, Log: log, MaxHead: 64 << 10,
			Head: 5 * time.Second, KeepAlive: 5 * time.Second,
		},
		edge: edge.Options{Guard: guard, Log: log, KeepAlive: 5 * time.Second, Idle: 5 * time.Second, MaxHead: 64 << 10},
	}
	if change != nil {
		change(&l)
	}
	ups := pool.New(l.pool)
	ups.Set([]pool.Target{{Name: "http://" + origin, Network: "tcp", Addr: origin, Host: origin, Weight: 1}})
	l.proxy.Pool = &proxy.Pool{Pool: ups}
	s := &stage{t: t, p: proxy.New(l.proxy)}
	l.edge.Proxy = s.p
	s.edge = edge.New(l.edge)
	t.Cleanup(func() { // when no connection is left
		ups.Close()
		guard.Close()
	})
	s.addr = listen(t, func(nc net.Conn) { s.p.ServeConnOr(nc, s.edge.Take) })
	return s
}

// app is an origin in terms of net/http.
func app(t testing.TB, f http.HandlerFunc) (addr string) {
	t.Helper()
	s := httptest.NewServer(f)
	t.Cleanup(s.Close)
	return s.Listener.Addr().String()
}

// raw is an origin that answers every request head with the same bytes and
// then closes.
func raw(t testing.TB, answer string) (addr string) {
	t.Helper()
	return listen(t, func(nc net.Conn) {
		defer nc.Close()
		buf := make([]byte, 64<<10)
		for n := 0; !strings.Contains(string(buf[:n]), "\r\n\r\n"); {
			k, err := nc.Read(buf[n:])
			if err != nil {
				return
			}
			n += k
		}
		io.WriteString(nc, answer)
	})
}

// listen serves every connection in a goroutine until the test ends, then
// closes them all and waits.
func listen(t testing.TB, serve func(net.Conn)) (addr string) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var conns []net.Conn // the accepting goroutine's, until that has ended
	var accepts, serves sync.WaitGroup
	accepts.Go(func() {
		for nc, err := ln.Accept(); err == nil; nc, err = ln.Accept() {
			conns = append(conns, nc)
			serves.Go(func() { serve(nc) })
		}
	})
	t.Cleanup(func() {
		ln.Close()
		accepts.Wait()
		for _, nc := range conns {
			nc.Close()
		}
		serves.Wait()
	})
	return ln.Addr().String()
}

// client speaks HTTP/2 with prior knowledge; all requests go over one
// connection.
func (s *stage) client() *http2.Transport {
	tr := &http2.Transport{
		AllowHTTP:          true,
		DisableCompression: true,
		DialTLSContext: func(ctx context.Context, network, addr string, _ *tls.Config) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, s.addr)
		},
	}
	s.t.Cleanup(tr.CloseIdleConnections)
	return tr
}

// request gives up when the test has waited long enough.
func (s *stage) request(method, path string, body io.Reader) *http.Request {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	s.t.Cleanup(cancel)
	r, err := http.NewRequestWithContext(ctx, method, "http://example.org"+path, body)
	if err != nil {
		s.t.Fatal(err)
	}
	return r
}

func (s *stage) do(rt http.RoundTripper, r *http.Request) *http.Response {
	s.t.Helper()
	res, err := rt.RoundTrip(r)
	if err != nil {
		s.t.Fatalf("%s %s: %v", r.Method, r.URL.Path, err)
	}
	s.t.Cleanup(func() { res.Body.Close() })
	return res
}

func await(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("in vain: %s", what)
		}
	}
}

// all reads the rest of a body.
func all(t testing.TB, r io.Reader) string {
	t.Helper()
	b, err := io.ReadAll(r)
	if err != nil {
		t.Errorf("after %d bytes: %v", len(b), err)
	}
	return string(b)
}
