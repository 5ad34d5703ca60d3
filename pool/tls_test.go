package pool

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
)

func TestTLSUpstream(t *testing.T) {
	var posts atomic.Int64
	s := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == "POST" {
			posts.Add(1)
		}
		fmt.Fprint(w, r.Proto)
	}))
	defer s.Close()
	roots := x509.NewCertPool()
	roots.AddCert(s.Certificate())
	p := newPool(t, func(o *Options) { o.TLS = &tls.Config{RootCAs: roots} })
	addr := s.Listener.Addr().String()
	p.Set([]Target{{Name: s.URL, Network: "tcp", Addr: addr, TLS: true, Host: addr, Weight: 1}})
	u := p.Upstreams()[0]
	for range 3 {
		if body := ask(t, u, get("/")); body != "HTTP/1.1" {
			t.Errorf("answered %q", body)
		}
	}
	if n := u.Stats.Dialed.Load(); n != 1 {
		t.Errorf("%d connections for 3 requests", n)
	}

	l, _, f := begin(u, get("/"))
	if f != nil {
		t.Fatal(f)
	}
	s.CloseClientConnections()
	await(t, "the end to arrive", l.Left)
	l.Keep()
	ask(t, u, post("/"))
	if n := posts.Load(); n != 1 {
		t.Errorf("%d POSTs arrived", n)
	}
}
