package pool

import (
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"sync/atomic"
	"testing"
)

// An upstream by TLS is checked against the system's certificates; here those
// are the test server's.
func TestTLSUpstream(t *testing.T) {
	var posts atomic.Int64
	s := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == "POST" {
			posts.Add(1)
		}
		fmt.Fprint(w, r.Proto)
	}))
	defer s.Close()
	roots := t.TempDir() + "/roots.pem"
	if err := os.WriteFile(roots, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("SSL_CERT_FILE", roots)

	p := newPool(t, nil)
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
