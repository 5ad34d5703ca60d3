package proxy_test

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"multiserver/cache"
	"multiserver/cache/memory"
	"multiserver/proxy"
)

// A stored body that is asked for often is sent from a file: whole, and its
// parts, they are what they were before.
func TestBodiesAskedForOftenAreSentFromFiles(t *testing.T) {
	body := make([]byte, 300_000)
	for i := range body {
		body[i] = byte(rand.Uint32())
	}
	origin := startOrigin(t, 0, fmt.Sprintf("HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nContent-Length: %d\r\n\r\n%s", len(body), body))
	c, err := cache.New(t.Context(), cache.Options{
		Memory: memory.Options{Size: 96 << 20, Files: 8 << 20}, Object: 8 << 20, Wait: 5 * time.Second,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	t.Cleanup(c.Memory().Reset)
	addr, _ := startProxyWith(t, func(o *proxy.Options) { o.Cache = c }, origin)
	client := &http.Client{Transport: &http.Transport{DisableCompression: true}}
	t.Cleanup(client.CloseIdleConnections)
	f := func(span string, want []byte) {
		t.Helper()
		q, _ := http.NewRequestWithContext(t.Context(), "GET", "http://"+addr+"/", nil)
		if span != "" {
			q.Header.Set("Range", span)
		}
		res, err := client.Do(q)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		got, err := io.ReadAll(res.Body)
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("%q: %s, %d bytes of %d, %v", span, res.Status, len(got), len(want), err)
		}
	}
	before := bodyFiles(t)
	for range 30 {
		f("", body)
		f("bytes=1-250000", body[1:250_001])
		f("bytes=100000-", body[100_000:])
		f("bytes=-10", body[len(body)-10:])
	}
	if n := bodyFiles(t) - before; n != 1 {
		t.Errorf("%d bodies are files, want one", n)
	}
	if n := c.Stats.Stored.Load(); n != 1 {
		t.Errorf("%d stored, want 1", n)
	}
}

// bodyFiles is how many this process has open.
func bodyFiles(t *testing.T) (n int) {
	t.Helper()
	all, err := filepath.Glob("/proc/self/fd/*")
	if err != nil || len(all) == 0 {
		t.Skip("no /proc here")
	}
	for _, fd := range all {
		if name, err := os.Readlink(fd); err == nil && strings.Contains(name, "memfd:body") {
			n++
		}
	}
	return n
}
