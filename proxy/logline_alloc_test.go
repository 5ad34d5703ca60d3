//go:build !race

package proxy_test

import (
	"io"
	"testing"

	"multiserver/proxy"
)

// TestAllocForwardLogged counts the allocations of the whole process, as
// TestAllocForward does, with all that is timed, counted and logged.
func TestAllocForwardLogged(t *testing.T) {
	log := proxy.NewLog(io.Discard, proxy.LogForm{JSON: true})
	defer log.Close()
	answer := "HTTP/1.1 200 OK\r\nDate: Sun, 22 Nov 2026 18:00:00 GMT\r\nContent-Length: 5\r\n\r\nhello"
	addr, _ := startProxyWith(t, func(o *proxy.Options) { o.Lines, o.Timed = log, true }, startOrigin(t, 0, answer))
	nc, request, buf := dial(t, addr), []byte("GET /a?token=x HTTP/1.1\r\nHost: a.test\r\nUser-Agent: test\r\n\r\n"), make([]byte, len(answer))
	exchange := func() {
		if _, err := nc.Write(request); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(nc, buf); err != nil {
			t.Fatal(err)
		}
	}
	for range 100 {
		exchange()
	}
	if n := testing.AllocsPerRun(2000, exchange); n > 0 {
		t.Errorf("%v allocations an exchange, want 0", n)
	}
}
