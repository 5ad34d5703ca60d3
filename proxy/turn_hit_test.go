package proxy_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"

	"multiserver/cache"
	"multiserver/cache/memory"
	"multiserver/proxy"
)

// Stored answers and others are in order, however many requests come together,
// and also for a client who is slow to read.
func TestHitsInTurnsKeepOrder(t *testing.T) {
	long := strings.Repeat("long", 7<<10)
	origin := asked(t, func(nc net.Conn, _ *bufio.Reader, req *http.Request) bool {
		body := req.URL.Path
		if body[1] == 'l' {
			body += long
		}
		terms := "max-age=3600"
		if body[1] == 'n' {
			terms = "no-store"
		}
		_, err := fmt.Fprintf(nc, "HTTP/1.1 200 OK\r\nCache-Control: %s\r\nETag: \"a\"\r\nContent-Length: %d\r\n\r\n%s", terms, len(body), body)
		return err == nil
	})
	c, err := cache.New(t.Context(), cache.Options{Memory: memory.Options{Size: 64 << 20}, Object: 1 << 20})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	addr, _ := startProxyWith(t, func(o *proxy.Options) { o.Cache = c }, origin)
	nc := dial(t, addr)
	in := bufio.NewReader(nc)
	for range 5 {
		for _, path := range []string{"/a", "/b", "/l"} {
			answer := path
			if path == "/l" {
				answer += long
			}
			wants(t, nc, in, "GET", path, "", 200, answer)
		}
	}

	var out strings.Builder
	kinds := []string{"/a", "/b", "/l", "/none", "/a 304", "/b 206", "/a HEAD", "/a", "/b"}
	const n = 600
	for i := range n {
		kind, as, _ := strings.Cut(kinds[i*5%11%len(kinds)], " ")
		method, field := "GET", ""
		switch as {
		case "304":
			field = "If-None-Match: \"a\"\r\n"
		case "206":
			field = "Range: bytes=1-1\r\n"
		case "HEAD":
			method = as
		}
		fmt.Fprintf(&out, "%s %s HTTP/1.1\r\nHost: a\r\n%s\r\n", method, kind, field)
	}
	var writes sync.WaitGroup
	defer writes.Wait()
	writes.Go(func() { io.WriteString(nc, out.String()) })
	for i := range n {
		kind, as, _ := strings.Cut(kinds[i*5%11%len(kinds)], " ")
		switch as {
		case "304":
			gets(t, in, "GET", 304, "")
		case "206":
			if res := gets(t, in, "GET", 206, ""); res.Header.Get("Content-Range") != "bytes 1-1/2" {
				t.Fatal(res.Header)
			}
		case "HEAD":
			gets(t, in, "HEAD", 200, "")
		default:
			if kind == "/l" {
				kind += long
			}
			gets(t, in, "GET", 200, kind)
		}
	}
}
