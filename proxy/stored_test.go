package proxy_test

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"runtime"
	"strings"
	"testing"
	"time"

	"multiserver/cache"
	"multiserver/cache/memory"
	"multiserver/proxy"
)

// withCache gives the proxy a cache of its own.
func withCache(t testing.TB) (*cache.Cache, func(*proxy.Options)) {
	t.Helper()
	c, err := cache.New(t.Context(), cache.Options{
		Memory: memory.Options{Size: 64 << 20}, Object: 8 << 20, Wait: 5 * time.Second, Grace: 10 * time.Second,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c, func(o *proxy.Options) { o.Cache = c }
}

// trickle is an origin that gives half of a body, and the rest when told.
func trickle(t testing.TB, body string, asked chan<- struct{}, rest <-chan struct{}) (addr string) {
	t.Helper()
	return listen(t, func(nc net.Conn) {
		defer nc.Close()
		buf := make([]byte, 4<<10)
		for {
			if n, err := nc.Read(buf); err != nil || !bytes.HasSuffix(buf[:n], []byte("\r\n\r\n")) {
				return
			}
			asked <- struct{}{}
			fmt.Fprintf(nc, "HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nContent-Length: %d\r\n\r\n%s", len(body), body[:len(body)/2])
			<-rest
			io.WriteString(nc, body[len(body)/2:])
		}
	})
}

// waits tells whether a request waits for another's fetch: any of this process,
// so that who asks must be alone in it, and no parallel test.
func waits() bool {
	stacks := make([]byte, 1<<20)
	return bytes.Contains(stacks[:runtime.Stack(stacks, true)], []byte("cache.(*flight).wait("))
}

// TestWhatOthersWaitForGoesOnWithoutItsClient: a fetch whose client leaves in
// mid-body ends in the cache, and whoever waited gets it from there.
func TestWhatOthersWaitForGoesOnWithoutItsClient(t *testing.T) {
	body := strings.Repeat("0123456789abcdef", 16<<10) // more than both sockets hold
	asked, rest := make(chan struct{}, 4), make(chan struct{})
	c, with := withCache(t)
	addr, _ := startProxyWith(t, with, trickle(t, body, asked, rest))

	const get = "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
	first := dial(t, addr)
	io.WriteString(first, get)
	if _, err := io.ReadFull(first, make([]byte, 1000)); err != nil {
		t.Fatal(err)
	}
	second := dial(t, addr)
	io.WriteString(second, get)
	await(t, "the second to wait", waits)
	first.(*net.TCPConn).SetLinger(0)
	first.Close()
	time.Sleep(50 * time.Millisecond) // for the proxy to hear of it
	close(rest)

	answer, err := io.ReadAll(second)
	if err != nil || !bytes.HasSuffix(answer, []byte(body)) || !bytes.Contains(answer, []byte("collapsed")) {
		t.Errorf("who waited got %d bytes, %v: %.200s", len(answer), err, answer)
	}
	if n := len(asked); n != 1 {
		t.Errorf("the origin was asked %d times, want once", n)
	}
	if n := c.Stats.Stored.Load(); n != 1 {
		t.Errorf("%d stored, want 1", n)
	}
}
