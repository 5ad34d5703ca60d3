//go:build !race

package proxy_test

import (
	"io"
	"strings"
	"testing"
)

// TestAllocForward counts the allocations of the whole process, client, proxy
// and origin together, for exchanges on kept connections.
func TestAllocForward(t *testing.T) {
	const (
		get  = "GET /1k HTTP/1.1\r\nHost: example.org\r\nUser-Agent: test\r\nAccept: */*\r\n\r\n"
		post = "POST / HTTP/1.1\r\nHost: example.org\r\nContent-Length: 1024\r\n\r\n"
		ok   = "HTTP/1.1 200 OK\r\nDate: Sun, 22 Nov 2026 18:00:00 GMT\r\n"
	)
	kilobyte := strings.Repeat("x", 1024)
	for _, c := range []struct {
		name, request string
		body          int
		answer        string
	}{
		{"GET of 1 KiB", get, 0, ok + "Content-Length: 1024\r\n\r\n" + kilobyte},
		{"POST of 1 KiB", post + kilobyte, 1024, ok + "Content-Length: 0\r\n\r\n"},
		{"GET in chunks", get, 0, ok + "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"},
		{"GET of 100 KiB", get, 0, ok + "Content-Length: 102400\r\n\r\n" + strings.Repeat(kilobyte, 100)},
	} {
		t.Run(c.name, func(t *testing.T) {
			request := []byte(c.request)
			nc := dial(t, startProxy(t, startOrigin(t, c.body, c.answer)))
			answer := make([]byte, len(c.answer)) // a proxy that changes nothing sends as much
			exchange := func() {
				if _, err := nc.Write(request); err != nil {
					t.Fatal(err)
				}
				if _, err := io.ReadFull(nc, answer); err != nil {
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
