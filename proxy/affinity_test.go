package proxy_test

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"multiserver/pool"
	"multiserver/pool/balance"
	"multiserver/proxy"
)

// startPool is startProxyWith, with a pool of the test's making.
func startPool(t testing.TB, of func(*pool.Options), change func(*proxy.Options), origins ...string) (string, *proxy.Proxy, *pool.Pool) {
	t.Helper()
	var ups *pool.Pool
	addr, p := startProxyWith(t, func(o *proxy.Options) {
		po := pool.Options{
			Guard: o.Guard, Connect: patience / 2, Response: patience / 2,
			MaxHead: 64 << 10, MaxIdle: 64, Log: o.Log,
		}
		if of != nil {
			of(&po)
		}
		ups = pool.New(po)
		t.Cleanup(ups.Close)
		o.Pool = &proxy.Pool{Pool: ups}
		if change != nil {
			change(o)
		}
	})
	ups.Set(targetsOf(origins...))
	return addr, p, ups
}

func targetsOf(origins ...string) (ts []pool.Target) {
	for _, o := range origins {
		ts = append(ts, pool.Target{Name: "http://" + o, Network: "tcp", Addr: o, Host: o, Weight: 1})
	}
	return ts
}

// startNamed starts an origin that answers its name, with the given fields.
func startNamed(t testing.TB, name, fields string) (addr string) {
	return startOrigin(t, 0, fmt.Sprintf("HTTP/1.1 200 OK\r\n%sContent-Length: %d\r\n\r\n%s", fields, len(name), name))
}

// fetch sends a request on a connection of its own.
func fetch(t testing.TB, addr, request string) (*http.Response, string) {
	t.Helper()
	nc := dial(t, addr)
	defer nc.Close()
	return fetchOn(t, nc, request)
}

func fetchOn(t testing.TB, nc net.Conn, request string) (*http.Response, string) {
	t.Helper()
	nc.SetDeadline(time.Now().Add(patience))
	io.WriteString(nc, request)
	method, _, _ := strings.Cut(request, " ")
	res, err := http.ReadResponse(bufio.NewReader(nc), &http.Request{Method: method})
	if err != nil {
		t.Fatalf("%q: %v", request, err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil && res.StatusCode != 101 {
		t.Fatalf("%q: %v", request, err)
	}
	return res, string(body)
}

// request is a GET with header lines.
func request(target string, lines ...string) string {
	s := "GET " + target + " HTTP/1.1\r\n"
	if !strings.Contains(strings.Join(lines, "\n"), "Host:") {
		s += "Host: a.test\r\n"
	}
	for _, l := range lines {
		s += l + "\r\n"
	}
	return s + "\r\n"
}

var loopback = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}

func TestTheSameKeyMeetsTheSameUpstream(t *testing.T) {
	origins := []string{startNamed(t, "a", ""), startNamed(t, "b", ""), startNamed(t, "c", "")}
	for _, c := range []struct {
		what string
		proxy.Affinity
		make func(key, noise int) string
	}{
		{"client", proxy.Affinity{By: proxy.ByClient}, func(k, n int) string {
			return request(fmt.Sprint("/", n), fmt.Sprintf("X-Forwarded-For: 10.0.0.%d, 192.0.2.%d", n, k))
		}},
		{"uri", proxy.Affinity{By: proxy.ByURI}, func(k, n int) string {
			return request(fmt.Sprint("/p?q=", k), fmt.Sprint("X: ", n))
		}},
		{"path", proxy.Affinity{By: proxy.ByPath}, func(k, n int) string {
			return request(fmt.Sprintf("/%d?%d", k, n))
		}},
		{"host", proxy.Affinity{By: proxy.ByHost}, func(k, n int) string {
			return request(fmt.Sprint("/", n), fmt.Sprintf("Host: h%d.test", k))
		}},
		{"header", proxy.Affinity{By: proxy.ByHeader, Name: "x-user"}, func(k, n int) string {
			return request(fmt.Sprint("/", n), fmt.Sprint("x-UsEr: ", k), fmt.Sprint("X-User: ", n))
		}},
		{"guarded header", proxy.Affinity{By: proxy.ByHeader, Name: "authorization"}, func(k, n int) string {
			return request(fmt.Sprint("/", n), fmt.Sprint("Authorization: Bearer ", k))
		}},
		{"query", proxy.Affinity{By: proxy.ByQuery, Name: "q"}, func(k, n int) string {
			return request(fmt.Sprintf("/%d?qq=%d&x&q=%d&q=%d", n, n, k, n))
		}},
		{"cookie", proxy.Affinity{By: proxy.ByCookie, Name: "id"}, func(k, n int) string {
			return request(fmt.Sprint("/", n), fmt.Sprintf("Cookie: idx=%d; Id=%d", n, n), fmt.Sprintf("cookie: x=y;id=%d; id=%d", k, n))
		}},
	} {
		t.Run(c.what, func(t *testing.T) {
			addr, _, _ := startPool(t, func(o *pool.Options) { o.Balance = balance.Hash }, func(o *proxy.Options) {
				o.Pool.Affinity, o.Trusted = c.Affinity, loopback
			}, origins...)
			met := map[string]bool{}
			for key := range 60 { // with fewer, chance might leave one out
				_, first := fetch(t, addr, c.make(key, 100))
				met[first] = true
				for noise := range 2 {
					if _, again := fetch(t, addr, c.make(key, noise)); again != first {
						t.Errorf("%q met %s, and %s before", c.make(key, noise), again, first)
					}
				}
			}
			if len(met) != len(origins) {
				t.Errorf("60 keys met %v only", met)
			}
		})
	}
}

func TestRequestsWithoutAKeyTakeTurns(t *testing.T) {
	origins := []string{startNamed(t, "a", ""), startNamed(t, "b", ""), startNamed(t, "c", "")}
	for _, a := range []proxy.Affinity{
		{By: proxy.ByHeader, Name: "x-user"}, {By: proxy.ByQuery, Name: "q"}, {By: proxy.ByCookie, Name: "id"}, {},
	} {
		addr, _, _ := startPool(t, func(o *pool.Options) { o.Balance = balance.Hash }, func(o *proxy.Options) { o.Pool.Affinity = a }, origins...)
		met := map[string]int{}
		for range 9 {
			_, name := fetch(t, addr, request("/?qq=1&q=", "Cookie: id=; idx=1", "X-User:"))
			met[name]++
		}
		if met["a"] != 3 || met["b"] != 3 || met["c"] != 3 {
			t.Errorf("by %d: %v", a.By, met)
		}
	}
}

// Whoever is no trusted proxy could else choose where it goes.
func TestClientsAreNotBelievedWhoTheyAre(t *testing.T) {
	origins := []string{startNamed(t, "a", ""), startNamed(t, "b", ""), startNamed(t, "c", "")}
	addr, _, _ := startPool(t, func(o *pool.Options) { o.Balance = balance.Hash }, func(o *proxy.Options) {
		o.Pool.Affinity = proxy.Affinity{By: proxy.ByClient}
	}, origins...)
	_, first := fetch(t, addr, request("/"))
	for i := range 20 {
		if _, again := fetch(t, addr, request("/", fmt.Sprint("X-Forwarded-For: 192.0.2.", i))); again != first {
			t.Fatalf("one client, by many ports, met %s and %s", first, again)
		}
	}
}

func TestHostsAreTheSameHoweverTheyAreSpelled(t *testing.T) {
	origins := []string{startNamed(t, "a", ""), startNamed(t, "b", ""), startNamed(t, "c", "")}
	addr, _, _ := startPool(t, func(o *pool.Options) { o.Balance = balance.Hash }, func(o *proxy.Options) {
		o.Pool.Affinity = proxy.Affinity{By: proxy.ByHost}
	}, origins...)
	for i := range 20 {
		_, lower := fetch(t, addr, request("/", fmt.Sprintf("Host: www%d.example.test", i)))
		if _, upper := fetch(t, addr, request("/", fmt.Sprintf("Host: WWW%d.Example.test", i))); upper != lower {
			t.Fatalf("www%d.example.test met %s and %s", i, lower, upper)
		}
	}
}

// Behind a Unix socket all clients look alike; one upstream would have them all.
func TestClientsWithoutAnAddressTakeTurns(t *testing.T) {
	_, p, _ := startPool(t, func(o *pool.Options) { o.Balance = balance.Hash }, func(o *proxy.Options) {
		o.Pool.Affinity = proxy.Affinity{By: proxy.ByClient}
	}, startNamed(t, "a", ""), startNamed(t, "b", ""))
	ln, err := net.Listen("unix", filepath.Join(t.TempDir(), "s"))
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	met := map[string]int{}
	for range 8 {
		client, err := net.Dial("unix", ln.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		server, err := ln.Accept()
		if err != nil {
			t.Fatal(err)
		}
		served := make(chan struct{})
		go func() { p.ServeConn(server); close(served) }()
		_, name := fetchOn(t, client, request("/"))
		met[name]++
		client.Close()
		<-served
	}
	if met["a"] != 4 || met["b"] != 4 {
		t.Errorf("%v", met)
	}
}

const cookieName = "ms_up"

var stickyKey = []byte("a key for tests")

// startSticky puts a proxy with a cookie before origins.
func startSticky(t testing.TB, ttl time.Duration, origins ...string) (string, *pool.Pool) {
	addr, _, ups := startPool(t, func(o *pool.Options) { o.Balance = balance.Sticky }, sticky(ttl, stickyKey), origins...)
	return addr, ups
}

func sticky(ttl time.Duration, key []byte) func(*proxy.Options) {
	return func(o *proxy.Options) {
		o.Pool.Affinity = proxy.Affinity{By: proxy.ByUpstream, Name: cookieName, Sticky: proxy.NewSticky(cookieName, ttl, key)}
		o.Trusted = loopback
	}
}

// given is the cookie of ours that an answer sets; nil: none.
func given(t testing.TB, res *http.Response) (ours *http.Cookie) {
	t.Helper()
	for _, c := range res.Cookies() {
		if c.Name == cookieName {
			if ours != nil {
				t.Error("our cookie twice")
			}
			ours = c
		}
	}
	return ours
}

func TestStickyClientStaysWhereItIs(t *testing.T) {
	addr, _ := startSticky(t, 0, startNamed(t, "a", ""), startNamed(t, "b", ""), startNamed(t, "c", ""))
	for range 3 {
		res, first := fetch(t, addr, request("/"))
		c := given(t, res)
		if c == nil {
			t.Fatal("no cookie")
		}
		for i, line := range []string{"Cookie: %s=%s", "Cookie: x=y; %s=%s; z=1", "cookie: x=y\r\nCOOKIE: %s=%s"} {
			res, again := fetch(t, addr, request("/", fmt.Sprintf(line, c.Name, c.Value)))
			if again != first || given(t, res) != nil {
				t.Errorf("%d: met %s, and %s before; cookie again: %v", i, again, first, given(t, res))
			}
		}
	}
}

func TestStickyCookieHasItsAttributes(t *testing.T) {
	for _, c := range []struct {
		ttl   time.Duration
		proto string
		want  string
	}{
		{0, "http", "Path=/; HttpOnly; SameSite=Lax"},
		{time.Hour, "http", "Path=/; HttpOnly; SameSite=Lax; Max-Age=3600"},
		{0, "https", "Path=/; HttpOnly; SameSite=Lax; Secure"},
	} {
		addr, _ := startSticky(t, c.ttl, startNamed(t, "a", ""))
		res, _ := fetch(t, addr, request("/", "X-Forwarded-Proto: "+c.proto))
		_, attributes, _ := strings.Cut(res.Header.Get("Set-Cookie"), "; ")
		if attributes != c.want {
			t.Errorf("%q, want %q", attributes, c.want)
		}
		if name, value, _ := strings.Cut(res.Header.Get("Set-Cookie"), "="); name != cookieName || strings.Contains(value, "127.0.0.1") {
			t.Errorf("%s=%s", name, value)
		}
	}
}

func TestStickyCookieIsSecureUnderTLS(t *testing.T) {
	certified := httptest.NewTLSServer(nil)
	certified.Close()
	_, p, _ := startPool(t, func(o *pool.Options) { o.Balance = balance.Sticky }, sticky(0, stickyKey), startNamed(t, "a", ""))
	addr := listen(t, func(nc net.Conn) { p.ServeConn(tls.Server(nc, certified.TLS)) })
	nc := tls.Client(dial(t, addr), &tls.Config{InsecureSkipVerify: true})
	defer nc.Close()
	if res, _ := fetchOn(t, nc, request("/")); given(t, res) == nil || !given(t, res).Secure {
		t.Errorf("%v", res.Header)
	}
}

func TestForgedStickyCookiesAreIgnored(t *testing.T) {
	a, b := startNamed(t, "a", ""), startNamed(t, "b", "")
	addr, _ := startSticky(t, 0, a, b)
	other, _, _ := startPool(t, func(o *pool.Options) { o.Balance = balance.Sticky }, sticky(0, []byte("another key")), a)
	res, _ := fetch(t, addr, request("/"))
	real := given(t, res).Value
	res, _ = fetch(t, other, request("/"))
	last := real[len(real)-1:]
	for _, forged := range []string{
		given(t, res).Value, // signed with another key
		real[:11], real[:len(real)-1], real + "A", "A" + real, real[:len(real)-1] + string(last[0]^1),
		strings.ToUpper(real), strings.Repeat("A", len(real)), "", "=", strings.Repeat("x", 4000), "\"" + real + "\"",
	} {
		met := map[string]bool{}
		for range 4 {
			res, name := fetch(t, addr, request("/", "Cookie: "+cookieName+"="+forged))
			met[name] = true
			if given(t, res) == nil {
				t.Errorf("%q was taken for ours", forged)
			}
		}
		if len(met) != 2 {
			t.Errorf("%q chose %v", forged, met)
		}
	}
}

func TestStickyClientLeavesTheDeadAndComesToRest(t *testing.T) {
	l := &ledger{seen: map[string]int{}}
	apps := map[string]*app{}
	var addrs []string
	for range 3 {
		a := newApp(t, l)
		apps[a.addr] = a
		addrs = append(addrs, a.addr)
	}
	addr, ups := startSticky(t, 0, addrs...)
	ask := func(cookie *http.Cookie) (*http.Response, *http.Cookie) {
		t.Helper()
		lines := []string{"X-Id: x"}
		if cookie != nil {
			lines = append(lines, "Cookie: "+cookie.Name+"="+cookie.Value)
		}
		res, _ := fetch(t, addr, request("/?size=1", lines...))
		if res.StatusCode != 200 {
			t.Fatal(res.Status)
		}
		return res, given(t, res)
	}
	_, before := ask(nil)
	await(t, "it to be known where the client is", func() bool {
		for _, u := range ups.Upstreams() {
			if u.Stats.Picked.Load() == 1 {
				apps[strings.TrimPrefix(u.Name(), "http://")].kill()
				return true
			}
		}
		return false
	})
	_, after := ask(before)
	if after == nil || after.Value == before.Value {
		t.Fatalf("cookie %v after %v", after, before)
	}
	for range 5 {
		if _, again := ask(after); again != nil {
			t.Errorf("it moved again: %v", again)
		}
	}
}

func TestStickyCookieComesWithA101(t *testing.T) {
	addr, _ := startSticky(t, 0, echoing(t))
	nc := dial(t, addr)
	fmt.Fprintf(nc, handshake, "/")
	res, err := http.ReadResponse(bufio.NewReader(nc), nil)
	if err != nil || res.StatusCode != 101 || given(t, res) == nil {
		t.Errorf("%v, %v", res, err)
	}
}

func TestStickyCookieStandsBesideTheUpstreams(t *testing.T) {
	addr, _ := startSticky(t, 0, startNamed(t, "a", "Set-Cookie: one=1; Path=/x\r\nset-cookie: two=2\r\n"))
	res, _ := fetch(t, addr, request("/"))
	all := res.Header.Values("Set-Cookie")
	if len(all) != 3 || all[0] != "one=1; Path=/x" || all[1] != "two=2" || given(t, res) == nil {
		t.Errorf("%q", all)
	}
}

func TestStickyCookieIsOnlyOfUpstreamsThatAnswered(t *testing.T) {
	dead := startNamed(t, "a", "")
	addr, ups := startSticky(t, 0, dead)
	ups.Set(targetsOf("127.0.0.1:1"))
	if res, _ := fetch(t, addr, request("/")); res.StatusCode != 503 || given(t, res) != nil {
		t.Errorf("%s with %v", res.Status, given(t, res))
	}
	interim := startOrigin(t, 0, "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n")
	ups.Set(targetsOf(interim))
	nc := dial(t, addr)
	io.WriteString(nc, request("/"))
	in := bufio.NewReader(nc)
	for _, want := range []int{103, 204} {
		res, err := http.ReadResponse(in, nil)
		if err != nil || res.StatusCode != want || (given(t, res) != nil) != (want == 204) {
			t.Fatalf("%v, %v", res, err)
		}
	}
}
