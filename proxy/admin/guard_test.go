package admin

import (
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"
)

// fields are sent with a request; Host is the request's.
func (r *running) fields(method, path string, fields ...string) *http.Response {
	r.t.Helper()
	req, err := http.NewRequest(method, r.url+path, nil)
	if err != nil {
		r.t.Fatal(err)
	}
	for _, f := range fields {
		name, value, _ := strings.Cut(f, ": ")
		if name == "Host" {
			req.Host = value
		}
		req.Header.Set(name, value)
	}
	res, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		r.t.Fatal(err)
	}
	res.Body.Close()
	return res
}

func TestOnlyWhoeverCallsItByItsName(t *testing.T) {
	a := start(t, Options{})
	f := func(host string, status int) {
		t.Helper()
		if res := a.fields("GET", "/metrics", "Host: "+host); res.StatusCode != status {
			t.Errorf("%s: %d, want %d", host, res.StatusCode, status)
		}
	}
	f("localhost", 200)
	f("LOCALHOST.:80", 200)
	f("127.0.0.1:1", 200)
	f("[::1]", 200)
	f("[::1]:9090", 200)
	f("evil.example", 403)
	f("evil.example:9090", 403)
	f("localhost.evil.example", 403)
	f("127.0.0.1.nip.io", 403)
	f("127.0.0.2", 403)
	f("0.0.0.0:9090", 403)
	f("[::ffff:127.0.0.1]", 403)

	var g guard
	g.begin(&Options{Network: "tcp", Addr: "Box.lan:9090"})
	if !g.knows([]byte("box.LAN:9090")) || g.knows([]byte("")) {
		t.Error("it goes by what --admin names, and only by that")
	}
	behind := start(t, Options{Token: "s3cret"}) // whoever knows it is no rebound page
	if res := behind.fields("GET", "/metrics", "Host: ops.example", "Authorization: Bearer s3cret"); res.StatusCode != 200 {
		t.Errorf("with the token: %d", res.StatusCode)
	}
}

func TestOtherSitesPagesAreRefused(t *testing.T) {
	a := start(t, Options{Cache: func() any { return 7 }})
	self := a.Addr().String()
	f := func(path string, status int, fields ...string) {
		t.Helper()
		if res := a.fields("GET", path, fields...); res.StatusCode != status {
			t.Errorf("%s %q: %d, want %d", path, fields, res.StatusCode, status)
		}
	}
	f("/cache", 200)
	f("/cache", 200, "Origin: http://"+self)
	f("/cache", 200, "Sec-Fetch-Site: same-origin", "Origin: http://"+self)
	f("/cache", 200, "Sec-Fetch-Site: none")
	f("/cache", 403, "Origin: http://evil.example")
	f("/cache", 403, "Origin: null")
	f("/cache", 403, "Origin: http://127.0.0.1:1")
	f("/cache", 403, "Origin: http://"+self+".evil.example")
	f("/cache", 403, "Sec-Fetch-Site: cross-site")
	f("/cache", 403, "Sec-Fetch-Site: same-site") // localhost:3000 is the same site as localhost:9090
	f("/debug/pprof/profile?seconds=1", 403, "Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: no-cors", "Sec-Fetch-Dest: image")
	f("/cache", 403, "Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: document")

	html := "Accept: text/html"
	f("/", 200, html, "Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: document")
	f("/", 403, html, "Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: iframe")
	a.want("GET", "/metrics", 200, `multiserver_admin_refused_total{reason="cross-site"} 9`)
}

func TestWhoGuessesIsSlowedDown(t *testing.T) {
	a := start(t, Options{Token: "s3cret"})
	f := func(status int, fields ...string) {
		t.Helper()
		res := a.fields("GET", "/debug/pprof/heap", fields...)
		if res.StatusCode != status || (status == 429) != (res.Header.Get("Retry-After") != "") {
			t.Errorf("%q: %d, Retry-After %q, want %d", fields, res.StatusCode, res.Header.Get("Retry-After"), status)
		}
	}
	f(401, "Authorization: Bearer wrong")
	f(200, "Authorization: Bearer s3cret")
	a.guard.guesses.mu.Lock()
	a.guard.guesses.until[netip.MustParseAddr("127.0.0.1")] = time.Now().Add(time.Hour) // it has guessed much
	a.guard.guesses.mu.Unlock()
	f(429, "Authorization: Bearer wrong")
	f(429, "Authorization: Bearer s3cret") // else the right one would show by another answer
	f(401)                                 // no guess at all

	var m Metrics
	a.guard.metrics(&m)
	page := string(m.Append(nil))
	for _, want := range []string{`{reason="wrong-token"} 1`, `{reason="slowed-down"} 2`, `{reason="no-token"} 1`} {
		if !strings.Contains(page, want) {
			t.Errorf("no %s in\n%s", want, page)
		}
	}
}

func TestGuesses(t *testing.T) {
	var g guesses
	now := time.Unix(1e9, 0)
	evil, other := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("192.0.2.2")
	f := func(who netip.Addr, right bool, wait time.Duration) {
		t.Helper()
		if got, _ := g.judge(who, right, now); got != wait {
			t.Errorf("wait %v, want %v", got, wait)
		}
	}
	for range freeGuesses {
		f(evil, false, 0)
	}
	f(evil, false, guessEvery)
	f(evil, true, guessEvery)
	f(other, true, 0)
	now = now.Add(guessEvery / 2)
	f(evil, true, guessEvery/2)
	now = now.Add(guessEvery / 2)
	f(evil, true, 0)
	f(evil, false, 0)
	f(evil, true, guessEvery)
	now = now.Add(time.Hour)
	for range freeGuesses {
		f(evil, false, 0)
	}
	f(evil, true, guessEvery)
}

func TestGuessesFromEverywhereAreAsOne(t *testing.T) {
	var g guesses
	now := time.Unix(1e9, 0)
	for i := range mostGuesses {
		g.judge(netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)}), false, now)
	}
	many := func(net byte) (refused bool) {
		for i := range 2 * freeGuesses {
			wait, _ := g.judge(netip.AddrFrom4([4]byte{net, 0, 0, byte(i)}), false, now)
			refused = refused || wait > 0
		}
		return refused
	}
	if !many(11) || len(g.until) > mostGuesses+1 {
		t.Errorf("%d addresses are known", len(g.until))
	}
	now = now.Add(time.Hour)
	if many(12) {
		t.Error("what was long ago is held against others")
	}
}

func TestGuessesAreToldOnceAMinute(t *testing.T) {
	var g guesses
	now, told := time.Unix(1e9, 0), 0
	for range 180 {
		now = now.Add(time.Second)
		if _, n := g.judge(netip.MustParseAddr("192.0.2.1"), false, now); n > 0 {
			told++
		}
	}
	if told != 3 {
		t.Errorf("told %d times", told)
	}
}
