package stream

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/http2"

	"multiserver/proxy/wire/leak"
)

func TestMain(m *testing.M) { leak.Main(m) }

// stage is an upstream that speaks HTTP/2 and nothing else, and Conns to it.
type stage struct {
	*Conns
	t     *testing.T
	ln    net.Listener
	h2    http2.Server
	base  http.Server
	dials atomic.Int64

	mu    sync.Mutex
	conns []net.Conn // guarded by mu; that the upstream has
	wg    sync.WaitGroup
}

func newStage(t *testing.T, h http.HandlerFunc, with ...func(*stage, *Options)) *stage {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &stage{t: t, ln: ln}
	s.base.Handler = h
	o := Options{MaxHead: 64 << 10, Dial: func(ctx context.Context) (net.Conn, error) {
		s.dials.Add(1)
		var d net.Dialer
		return d.DialContext(ctx, "tcp", ln.Addr().String())
	}}
	for _, f := range with {
		f(s, &o)
	}
	if err := http2.ConfigureServer(&s.base, &s.h2); err != nil {
		t.Fatal(err)
	}
	s.Conns = New(o)
	s.wg.Go(s.serve)
	t.Cleanup(s.end)
	return s
}

func (s *stage) serve() {
	for {
		nc, err := s.ln.Accept()
		if err != nil {
			return
		}
		s.mu.Lock()
		s.conns = append(s.conns, nc)
		s.mu.Unlock()
		s.wg.Go(func() { s.h2.ServeConn(nc, &http2.ServeConnOpts{BaseConfig: &s.base, Handler: s.base.Handler}) })
	}
}

// cut breaks all connections.
func (s *stage) cut() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, nc := range s.conns {
		_ = nc.Close()
	}
	s.conns = nil
}

func (s *stage) end() {
	s.Conns.Close()
	_ = s.ln.Close()
	s.cut()
	s.wg.Wait()
}

func (s *stage) open() net.Conn {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	nc, _, err := s.Open(ctx)
	if err != nil {
		s.t.Fatal(err)
	}
	return nc
}

// ask sends a whole request and reads the answer.
func (s *stage) ask(request string) (*http.Response, string) {
	s.t.Helper()
	nc := s.open()
	defer nc.Close()
	go func() { _, _ = io.WriteString(nc, request) }()
	return s.answer(nc, request)
}

func (s *stage) answer(nc net.Conn, request string) (*http.Response, string) {
	s.t.Helper()
	method, _, _ := strings.Cut(request, " ")
	res, err := http.ReadResponse(bufio.NewReader(nc), &http.Request{Method: method})
	if err != nil {
		s.t.Fatalf("%.40q: %v", request, err)
	}
	body, err := io.ReadAll(res.Body)
	if err != nil {
		s.t.Fatalf("%.40q: body %.40q: %v", request, body, err)
	}
	return res, string(body)
}

// patience is far more than anything here takes; it ends a test that hangs.
const patience = 30 * time.Second

// until waits for what is to become true.
func until(t *testing.T, what string, f func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !f(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("in vain: %s", what)
		}
	}
}
