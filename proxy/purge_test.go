package proxy_test

import (
	"bufio"
	"bytes"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"multiserver/cache"
	"multiserver/cache/memory"
	"multiserver/proxy"
)

// purging is a proxy with a cache, before an origin that counts.
type purging struct {
	t     *testing.T
	addr  string
	p     *proxy.Proxy
	asked atomic.Int64
	log   logged
}

// logged is what was logged.
type logged struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func startPurging(t *testing.T, change func(*proxy.Options)) *purging {
	c := &purging{t: t}
	origin := listen(t, func(nc net.Conn) {
		defer nc.Close()
		for in := bufio.NewReader(nc); ; {
			req, err := http.ReadRequest(in)
			if err != nil {
				return
			}
			io.Copy(io.Discard, req.Body)
			c.asked.Add(1)
			if req.Method == "PURGE" {
				c.t.Error("an upstream was asked to PURGE")
			}
			io.WriteString(nc, "HTTP/1.1 200 OK\r\nCache-Control: max-age=100\r\nETag: \"1\"\r\nSurrogate-Key: a b\r\nContent-Length: 2\r\n\r\nok")
		}
	})
	store, err := cache.New(t.Context(), cache.Options{Memory: memory.Options{Size: 64 << 20}, Object: 1 << 20})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(store.Close)
	c.addr, c.p = startProxyWith(t, func(o *proxy.Options) {
		o.Cache, o.PurgeFrom, o.Log = store, loopback, slog.New(slog.NewTextHandler(&c.log, nil))
		if change != nil {
			change(o)
		}
	}, origin)
	return c
}

// send sends a request, and gives status and body.
func (c *purging) send(line string, fields ...string) (status int, body string, res *http.Response) {
	c.t.Helper()
	nc := dial(c.t, c.addr)
	defer nc.Close()
	lines := append([]string{line + " HTTP/1.1", "Host: a.test"}, fields...)
	if _, err := io.WriteString(nc, strings.Join(lines, "\r\n")+"\r\n\r\n"); err != nil {
		c.t.Fatal(err)
	}
	res, err := http.ReadResponse(bufio.NewReader(nc), nil)
	if err != nil {
		c.t.Fatalf("%s: %v", line, err)
	}
	b, err := io.ReadAll(res.Body)
	if err != nil {
		c.t.Fatalf("%s: %v", line, err)
	}
	return res.StatusCode, string(b), res
}

// fetches tells whether a GET reaches the origin.
func (c *purging) fetches(path string) bool {
	c.t.Helper()
	before := c.asked.Load()
	c.send("GET " + path)
	return c.asked.Load() != before
}

func TestPURGE(t *testing.T) {
	c := startPurging(t, nil)
	f := func(line, fields, path string, fetches bool, want string) {
		t.Helper()
		c.fetches(path)
		status, body, _ := c.send(line, strings.FieldsFunc(fields, func(r rune) bool { return r == '\n' })...)
		if status != 200 || body != want {
			t.Errorf("%s %q: %d %q, want %q", line, fields, status, body, want)
		}
		if got := c.fetches(path); got != fetches {
			t.Errorf("%s %q: is %s fetched: %v", line, fields, path, got)
		}
	}
	f("PURGE /x", "", "/x", true, "purged url a.test/x; nodes: this\n")
	f("PURGE /x", "", "/x?q", false, "purged url a.test/x; nodes: this\n")
	f("PURGE /x?q", "", "/x?q", true, "purged url a.test/x?q; nodes: this\n")
	f("PURGE http://a.test/x", "", "/x", true, "purged url a.test/x; nodes: this\n")
	f("PURGE http://b.test/x", "", "/x", false, "purged url b.test/x; nodes: this\n")
	f("PURGE /x*", "", "/xy?z", true, "purged prefix a.test/x; nodes: this\n")
	f("PURGE /*", "", "/", true, "purged prefix a.test/; nodes: this\n")
	f("PURGE /xy*", "", "/x", false, "purged prefix a.test/xy; nodes: this\n")
	f("PURGE /x", "Fastly-Soft-Purge: 1", "/x", true, "purged softly url a.test/x; nodes: this\n")
	f("PURGE /x", "Fastly-Soft-Purge: 0", "/x", true, "purged url a.test/x; nodes: this\n")
	f("PURGE /", "Surrogate-Key: c  b", "/x", true, "purged tag c b; nodes: this\n")
	f("PURGE /", "Cache-Tag: c, B", "/x", true, "purged tag c B; nodes: this\n")
	f("PURGE /x", "Cache-Tag: c", "/x", false, "purged tag c; nodes: this\n")
	f("PURGE /", "Cache-Tag: c\nSurrogate-Key: a", "/x", true, "purged tag c a; nodes: this\n")
	f("PURGE /", "Surrogate-Key: *", "/x", true, "purged all; nodes: this\n")
	f("PURGE /x", "Accept: application/json", "/x", true, `{"purged":"url","names":["a.test/x"],"soft":false,"nodes":"this"}`+"\n")

	for _, fields := range []string{"Surrogate-Key:", "Cache-Tag: ,", "Cache-Tag: " + strings.Repeat("x", 1025)} {
		if status, _, _ := c.send("PURGE /x", fields); status != 400 || c.fetches("/x") {
			t.Errorf("%.40s: %d, or something was purged", fields, status)
		}
	}
	if status, _, res := c.send("PURGE /x"); status != 200 || res.Header.Get("Cache-Control") != "no-store" || res.Header.Get("Allow") != "" {
		t.Errorf("%d, %v", status, res.Header)
	}
}

// Who may purge is who sent it, and not the proxy that passed it on.
func TestPURGEIsForThoseWhoMay(t *testing.T) {
	any := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}
	f := func(from, trusted []netip.Prefix, field string, want int) {
		t.Helper()
		c := startPurging(t, func(o *proxy.Options) { o.PurgeFrom, o.Trusted = from, trusted })
		c.fetches("/x")
		fields := []string{field}
		if field == "" {
			fields = nil
		}
		status, body, _ := c.send("PURGE /x", fields...)
		if status != want || status == 403 && body != "403 Forbidden: PURGE is not for this address\n" {
			t.Errorf("from %v, trusted %v, %q: %d %q, want %d", from, trusted, field, status, body, want)
		}
		if got := c.fetches("/x"); got != (want == 200) {
			t.Errorf("from %v, trusted %v, %q: was it purged: %v", from, trusted, field, got)
		}
		level, refused := "level=INFO msg=purge ", uint64(0)
		if want == 403 {
			level, refused = `level=WARN msg="purge refused" client=127.0.0.1`, 1
		}
		if !strings.Contains(c.log.String(), level) || c.p.Stats.PurgesRefused.Load() != refused {
			t.Errorf("%q: %d counted, logged %s", field, c.p.Stats.PurgesRefused.Load(), c.log.String())
		}
	}
	f(loopback, nil, "", 200)
	f(nil, nil, "", 403)
	f(any, nil, "", 403)
	f(loopback, nil, "X-Forwarded-For: 203.0.113.9", 403)
	f(loopback, nil, "X-Forwarded-For: 127.0.0.1", 403)
	f(loopback, nil, "X-Real-IP: 203.0.113.9", 403)
	f(loopback, nil, "Forwarded: for=203.0.113.9", 403)
	f(loopback, nil, "X_Forwarded_For: 203.0.113.9", 403)
	f(loopback, loopback, "", 200)
	f(loopback, loopback, "X-Forwarded-For: 203.0.113.9", 403)
	f(loopback, loopback, "X-Forwarded-For: 127.0.0.1, 203.0.113.9", 403)
	f(loopback, loopback, "X-Forwarded-For: unknown, 127.0.0.1", 403)
	f(loopback, loopback, "X-Forwarded-For: 127.0.0.1", 200)
	f(loopback, loopback, "Forwarded: for=127.0.0.1", 403)
	f(loopback, loopback, "X-Forwarded-Proto: https", 403)
	f(any, loopback, "X-Forwarded-For: 10.0.0.7", 200)
	f(any, loopback, "X-Forwarded-For: 203.0.113.9, 10.0.0.7", 200)
	f(any, loopback, "X-Forwarded-For: 10.0.0.7, 203.0.113.9", 403)
	f(any, nil, "X-Forwarded-For: 10.0.0.7", 403)
}

func TestRefusedPURGEsAreLoggedOnlySoOften(t *testing.T) {
	c := startPurging(t, func(o *proxy.Options) { o.PurgeFrom = nil })
	for range 100 {
		c.send("PURGE /x")
	}
	if n := strings.Count(c.log.String(), "purge refused"); n == 0 || n > 50 || c.p.Stats.PurgesRefused.Load() != 100 {
		t.Errorf("%d lines, %d counted", n, c.p.Stats.PurgesRefused.Load())
	}
}

func TestTheAccessLogSaysWhatTheCacheDid(t *testing.T) {
	var out lines
	log := proxy.NewLog(&out, proxy.LogForm{})
	defer log.Close()
	c := startPurging(t, func(o *proxy.Options) { o.Lines = log })
	f := func(line, want string, fields ...string) {
		t.Helper()
		c.send(line, fields...)
		await(t, line+" is "+want, func() bool { return out.find(`"` + line + ` HTTP/1\.1" .* tries=\d cache=` + want + ` id=`) })
	}
	f("GET /a", "uri-miss")
	f("GET /a", "memory")
	f("GET /a", "wish", "Cache-Control: no-cache, max-age=0")
	f("POST /a", "method", "Content-Length: 0")
	f("GET /b", "refused", "Cache-Control: only-if-cached")
	f("PURGE /a", "-")
	f("TRACE /a", "-")
}
