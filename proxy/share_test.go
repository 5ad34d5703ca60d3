package proxy_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"multiserver/pool"
)

// What has a body is never asked on a connection with others, however it comes:
// its bytes would be read as requests of theirs.
func TestBodiesAreNotPutInALineOfRequests(t *testing.T) {
	origin := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		fmt.Fprintf(w, "%s %d", r.URL.Path, len(body))
	}))
	t.Cleanup(origin.Close)
	addr, p, ups := startPool(t, nil, nil)
	at := strings.TrimPrefix(origin.URL, "http://")
	ups.Set([]pool.Target{{Name: origin.URL, Network: "tcp", Addr: at, Host: at, Weight: 1, Pipeline: 8}})

	evil := "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n"
	large := strings.Repeat(evil, (200<<10)/len(evil))
	bodies := []struct{ head, body string }{
		{"", ""},
		{"Content-Length: 0\r\n", ""},
		{fmt.Sprintf("Content-Length: %d\r\n", len(evil)), evil},
		{fmt.Sprintf("Content-Length: %d\r\n", len(large)), large},
		{"Transfer-Encoding: chunked\r\n", fmt.Sprintf("%x\r\n%s\r\n0\r\n\r\n", len(evil), evil)},
		{"Transfer-Encoding: chunked\r\n", fmt.Sprintf("%x\r\n%s\r\n0\r\n\r\n", len(large), large)},
	}
	lengths := []int{0, 0, len(evil), len(large), len(evil), len(large)}
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			nc := dial(t, addr)
			for j := range 60 {
				k := (i + j) % len(bodies)
				path := fmt.Sprintf("/%d/%d", i, j)
				res, body := fetchOn(t, nc, fmt.Sprintf("GET %s HTTP/1.1\r\nHost: a\r\n%s\r\n%s", path, bodies[k].head, bodies[k].body))
				if want := fmt.Sprint(path, " ", lengths[k]); res.StatusCode != 200 || body != want {
					t.Errorf("%s, %q, want %q", res.Status, body, want)
					return
				}
			}
		})
	}
	wg.Wait()
	if n := p.Stats.Retried(); n != 0 {
		t.Errorf("%d were tried again", n)
	}
}
