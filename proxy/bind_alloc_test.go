//go:build !race

package proxy_test

import (
	"fmt"
	"io"
	"net/http"
	"testing"

	"multiserver/proxy"
)

// begun gives what a client asks with that has a session, and the origin's
// answer, which says nothing of one.
func begun(t testing.TB, with func(*proxy.Options)) (req []byte, answer string) {
	t.Helper()
	setter := startOrigin(t, 0, "HTTP/1.1 200 OK\r\nX-Session-Set: {\"user\":42,\"name\":\"Ann\",\"cart\":[1,2,3]}\r\nContent-Length: 0\r\n\r\n")
	addr, _ := startProxyWith(t, with, setter)
	res, _ := fetch(t, addr, request("/"))
	var cookie *http.Cookie
	for _, c := range res.Cookies() {
		cookie = c
	}
	if cookie == nil {
		t.Fatal("no session")
	}
	return []byte(request("/1k", "User-Agent: test", "Accept: */*", "Cookie: a=b; "+cookie.Name+"="+cookie.Value)),
		fmt.Sprintf("HTTP/1.1 200 OK\r\nDate: Sun, 22 Nov 2026 18:00:00 GMT\r\nContent-Length: 1024\r\n\r\n%01024d", 0)
}

// TestAllocSession: a request with a session that lies in this process, and one
// without, where there are sessions.
func TestAllocSession(t *testing.T) {
	with := withSessions(t)
	req, answer := begun(t, with)
	for what, request := range map[string][]byte{
		"with a session": req,
		"without one":    []byte(request("/1k", "Cookie: a=b")),
	} {
		t.Run(what, func(t *testing.T) {
			addr, _ := startProxyWith(t, with, startOrigin(t, 0, answer))
			nc := dial(t, addr)
			got := make([]byte, len(answer))
			exchange := func() {
				if _, err := nc.Write(request); err != nil {
					t.Fatal(err)
				}
				if _, err := io.ReadFull(nc, got); err != nil {
					t.Fatal(err)
				}
			}
			for range 100 {
				exchange()
			}
			if n := testing.AllocsPerRun(2000, exchange); n > 0 {
				t.Errorf("%v allocations an exchange, want 0", n)
			}
		})
	}
}
