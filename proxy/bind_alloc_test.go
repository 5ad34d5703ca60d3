//go:build !race

package proxy_test

import (
	"io"
	"testing"
)

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
