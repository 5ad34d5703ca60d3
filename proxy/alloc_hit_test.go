//go:build !race

package proxy_test

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"multiserver/cache"
	"multiserver/cache/memory"
	"multiserver/proxy"
)

// TestAllocHit counts the allocations of the whole process for stored answers:
// a hit makes none, whatever part of an answer it is.
func TestAllocHit(t *testing.T) {
	const (
		ok = "HTTP/1.1 200 OK\r\nDate: Sun, 22 Nov 2026 18:00:00 GMT\r\nCache-Control: max-age=86400\r\n" +
			"Content-Type: text/plain\r\nETag: \"a\"\r\n"
		line = " / HTTP/1.1\r\nHost: example.org\r\nAccept-Encoding: gzip, br\r\n"
	)
	kilobyte := strings.Repeat("x", 1024)
	whole := ok + "Content-Length: 1024\r\n\r\n" + kilobyte
	for _, c := range []struct {
		name, method, fields string
		status               int
		answer               string // the origin's
	}{
		{"GET of 1 KiB", "GET", "", 200, whole},
		{"GET where answers vary", "GET", "", 200, ok + "Vary: Accept-Encoding\r\nContent-Length: 1024\r\n\r\n" + kilobyte},
		{"GET with directives", "GET", "Cache-Control: max-age=600, max-stale\r\n", 200, whole},
		{"GET of 100 KiB", "GET", "", 200, ok + "Content-Length: 102400\r\n\r\n" + strings.Repeat(kilobyte, 100)},
		{"HEAD", "HEAD", "", 200, whole},
		{"If-None-Match", "GET", "If-None-Match: \"a\"\r\n", 304, whole},
		{"Range", "GET", "Range: bytes=100-199\r\n", 206, whole},
	} {
		t.Run(c.name, func(t *testing.T) {
			nc := dial(t, startCaching(t, startOrigin(t, 0, c.answer)))
			storeFrom(t, nc, []byte("GET"+line+"\r\n"))
			request := []byte(c.method + line + c.fields + "\r\n")
			answer, status := answerTo(t, nc, c.method, request)
			if status != c.status || !bytes.Contains(answer, []byte("; hit; ")) {
				t.Fatalf("%.400q", answer)
			}
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
				t.Errorf("%v allocations a hit, want 0", n)
			}
		})
	}
}

// startCaching starts a proxy with a cache for which it always is the same
// moment: answers keep their length.
func startCaching(t testing.TB, origin string) (addr string) {
	t.Helper()
	moment := time.Date(2026, 11, 22, 18, 0, 0, 0, time.UTC).UnixMilli()
	c, err := cache.New(t.Context(), cache.Options{
		Memory: memory.Options{Size: 64 << 20}, Object: 8 << 20, Wait: time.Second,
		Clock: func() int64 { return moment },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	addr, _ = startProxyWith(t, func(o *proxy.Options) { o.Cache = c }, origin)
	return addr
}

// storeFrom asks until a stored answer comes.
func storeFrom(t testing.TB, nc net.Conn, request []byte) {
	t.Helper()
	await(t, "a hit", func() bool {
		answer, _ := answerTo(t, nc, "GET", request)
		return bytes.Contains(answer, []byte("; hit; "))
	})
}

// answerTo is the answer as it came, head and body.
func answerTo(t testing.TB, nc net.Conn, method string, request []byte) (answer []byte, status int) {
	t.Helper()
	if _, err := nc.Write(request); err != nil {
		t.Fatal(err)
	}
	var raw bytes.Buffer
	res, err := http.ReadResponse(bufio.NewReader(io.TeeReader(nc, &raw)), &http.Request{Method: method})
	if err == nil {
		_, err = io.Copy(io.Discard, res.Body)
	}
	if err != nil {
		t.Fatal(err)
	}
	return raw.Bytes(), res.StatusCode
}
