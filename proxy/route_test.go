package proxy_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"multiserver/pool"
	"multiserver/proxy"
	"multiserver/proxy/wire"
)

// byPath finds the route whose place in the list is the path's digit.
type byPath struct{}

func (byPath) Find(q *wire.Request) int {
	switch i := int(q.Path[1]) - '0'; {
	case i >= 0 && i < 3:
		return i
	case q.Path[1] == '?':
		return proxy.Unclear
	}
	return proxy.NoRoute
}

// poolOf is one upstream, which says its name.
func poolOf(t *testing.T, p *proxy.Options, name string) *proxy.Pool {
	ups := pool.New(pool.Options{Guard: p.Guard, Connect: time.Second, MaxHead: 64 << 10, MaxIdle: 64, Log: p.Log})
	ups.Set(targetsOf(startNamed(t, name, "")))
	t.Cleanup(ups.Close)
	return &proxy.Pool{Pool: ups, Name: name}
}

func TestEachRequestGoesByItsRoute(t *testing.T) {
	var a, b proxy.Route
	addr, p := startProxyWith(t, func(o *proxy.Options) {
		a, b = o.Route, o.Route
		a.Pool, b.Pool = poolOf(t, o, "a"), poolOf(t, o, "b")
		b.MaxBody = 4
	}, startNamed(t, "base", ""))
	ask := func(path string, more ...string) string {
		res, body := fetch(t, addr, request(path, more...))
		return fmt.Sprint(res.StatusCode, " ", body)
	}
	f := func(got, want string) {
		t.Helper()
		if !strings.HasPrefix(got, want) {
			t.Errorf("%q, want %q", got, want)
		}
	}
	f(ask("/0"), "200 base")
	p.SetRoutes(&proxy.Routes{All: []*proxy.Route{&a, &b}, Find: byPath{}})
	f(ask("/0"), "200 a")
	f(ask("/1"), "200 b")
	f(ask("/x"), "404 404 Not Found: no route for this host and path")
	f(ask("/?"), "400 400 Bad Request: path can be read in two ways")
	f(ask("/1", "Content-Length: 5"), "413")
	p.SetRoutes(&proxy.Routes{All: []*proxy.Route{&b}})
	f(ask("/0"), "200 b")
}

func TestClientsStayWithTheirShareOfASplit(t *testing.T) {
	var r proxy.Route
	addr, p := startProxyWith(t, func(o *proxy.Options) {
		r = o.Route
		r.Split = proxy.NewSplit([]proxy.Share{{Pool: poolOf(t, o, "stable"), Weight: 1}, {Pool: poolOf(t, o, "canary"), Weight: 1}, {Pool: poolOf(t, o, "closed")}}, "place", time.Hour)
	}, startNamed(t, "base", ""))
	p.SetRoutes(&proxy.Routes{All: []*proxy.Route{&r}})
	met := map[string]int{}
	for range 200 {
		_, name := fetch(t, addr, request("/"))
		met[name]++
	}
	if len(met) != 2 || met["stable"] < 40 || met["canary"] < 40 { // 2^-60 and less
		t.Errorf("%v", met)
	}
	for _, name := range []string{"stable", "canary"} {
		for range 20 {
			if _, got := fetch(t, addr, request("/", "Cookie: a=b; place="+name)); got != name {
				t.Fatalf("%s has come to %s", name, got)
			}
		}
	}
	if _, got := fetch(t, addr, request("/", "Cookie: place=closed")); got == "closed" {
		t.Error("a share of nothing is taken")
	}
	res, name := fetch(t, addr, request("/"))
	if got, want := res.Header.Get("Set-Cookie"), "place="+name+"; Path=/; HttpOnly; SameSite=Lax; Max-Age=3600"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if res, _ := fetch(t, addr, request("/", "Cookie: place=canary")); res.Header.Get("Set-Cookie") != "" {
		t.Errorf("told again: %q", res.Header)
	}
}
