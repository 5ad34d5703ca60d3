package proxy_test

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"multiserver/cache"
	"multiserver/cache/memory"
	"multiserver/proxy"
)

// stamp is a Filter that leaves its name wherever it passes.
type stamp struct{ name string }

func (s stamp) Request(x *proxy.Exchange) bool {
	if bytes.HasPrefix(x.Req.Path, []byte("/stop-at-"+s.name)) {
		x.Tell().Add("X-Stopped", []byte(s.name))
		return x.Answer(403, "stopped")
	}
	x.Ask().Drop("x-secret-*")
	x.Ask().Add("X-Asked", []byte(s.name))
	if path, ok := bytes.CutPrefix(x.Path(), []byte("/"+s.name)); ok {
		x.Rewrite(path)
	}
	return true
}

func (s stamp) Response(x *proxy.Exchange) {
	x.Tell().Drop("server")
	x.Tell().Add("X-Told", fmt.Appendf(nil, "%s %d", s.name, x.Status()))
}

// startStamped is a proxy with the stamps a and b before an app that echoes
// requests.
func startStamped(t *testing.T, change func(*proxy.Options)) (addr string) {
	origin := newEcho(t)
	addr, _ = startProxyWith(t, func(o *proxy.Options) {
		o.Filters = []proxy.Filter{stamp{"a"}, stamp{"b"}}
		if change != nil {
			change(o)
		}
	}, origin)
	return addr
}

func TestFiltersSeeRequestsInOrderAndAnswersInReverse(t *testing.T) {
	addr := startStamped(t, nil)
	f := func(path string, lines []string, want string) {
		t.Helper()
		res, body := fetch(t, addr, request(path, lines...))
		got := fmt.Sprint(res.StatusCode, res.Header["X-Told"], res.Header["X-Stopped"], res.Header["Server"], " ", strings.TrimSpace(body))
		if got != want {
			t.Errorf("%s %q: %q, want %q", path, lines, got, want)
		}
	}
	f("/", nil, "200 [b 200 a 200] [] [] / [a b] []")
	f("/a/x?y", nil, "200 [b 200 a 200] [] [] /x?y [a b] []")
	f("/a/b/x", nil, "200 [b 200 a 200] [] [] /x [a b] []")
	f("/", []string{"X-Secret-Key: 1", "x-secret-: 2", "X-Asked: c"}, "200 [b 200 a 200] [] [] / [c a b] []")
	f("/stop-at-a", nil, "403 [b 403 a 403] [a] [] 403 Forbidden: stopped")
	f("/stop-at-b", nil, "403 [b 403 a 403] [b] [] 403 Forbidden: stopped")
}

// Whatever way an answer takes from the cache, filters have seen request and
// answer, and what is stored is as the upstream gave it.
func TestFiltersSeeAnswersFromTheCache(t *testing.T) {
	store, err := cache.New(t.Context(), cache.Options{Memory: memory.Options{Size: 64 << 20}, Object: 1 << 20})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(store.Close)
	addr := startStamped(t, func(o *proxy.Options) { o.Cache = store })
	fetch(t, addr, request("/a/x"))
	f := func(line string, want string) {
		t.Helper()
		res, body := fetch(t, addr, request("/a/x", line))
		got := fmt.Sprint(res.StatusCode, res.Header["X-Told"], res.Header["Server"], " ", body)
		if got != want || !strings.Contains(res.Header.Get("Cache-Status"), "hit") {
			t.Errorf("%s: %q, want %q; %q", line, got, want, res.Header)
		}
	}
	f("A: b", "200 [b 200 a 200] [] /x [a b] []")
	f("Range: bytes=1-2", "206 [b 206 a 206] [] x ")
	f("If-None-Match: *", "304 [b 304 a 304] [] ")
	f("If-None-Match: *", "304 [b 304 a 304] [] ")
	f("A: b", "200 [b 200 a 200] [] /x [a b] []")
	if res, body := fetch(t, addr, request("/stop-at-a/x")); res.StatusCode != 403 {
		t.Errorf("%d %q", res.StatusCode, body)
	}
}

func newEcho(t *testing.T) (addr string) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Server", "app")
		w.Header().Set("Cache-Control", "max-age=100")
		fmt.Fprint(w, r.RequestURI, " ", r.Header["X-Asked"], " ", r.Header["X-Secret-Key"])
	}))
	t.Cleanup(s.Close)
	return s.Listener.Addr().String()
}
