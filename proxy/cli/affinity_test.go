package cli

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"
)

const stickyKey = "a-key-of-the-tests"

// cookieOf is the cookie that an answer sets, as a request would send it.
func cookieOf(r reply) string {
	cookie, _, _ := strings.Cut(r.header.Get("Set-Cookie"), ";")
	return "Cookie: " + cookie
}

func TestAStickyClientComesBack(t *testing.T) {
	t.Parallel()
	apps := map[string]*member{"a": newMember(t, "a"), "b": newMember(t, "b"), "c": newMember(t, "c")}
	upstreams := ""
	for _, name := range []string{"a", "b", "c"} {
		upstreams += " --upstream " + apps[name].URL
	}
	s, url := front(t, "--balance sticky --sticky-cookie app --sticky-ttl 1h --sticky-key "+stickyKey+upstreams)

	first := ask(t, url)
	attributes := regexp.MustCompile(`^app=[\w-]+; Path=/; HttpOnly; SameSite=Lax; Max-Age=3600$`)
	if set := first.header.Get("Set-Cookie"); !attributes.MatchString(set) {
		t.Errorf("Set-Cookie: %s", set)
	}
	keeps := func(url, cookie, want string) {
		t.Helper()
		for range 6 {
			if r := ask(t, url, cookie); r.body != want || r.header.Get("Set-Cookie") != "" {
				t.Errorf("%d %s, want %s; Set-Cookie: %q, want none", r.status, r.body, want, r.header.Get("Set-Cookie"))
			}
		}
	}
	keeps(url, cookieOf(first), first.body)

	// Another node that has the key knows the cookie, also among others.
	_, other := front(t, "--balance sticky --sticky-cookie app --sticky-key "+stickyKey+upstreams)
	keeps(other, "Cookie: x=1; "+strings.TrimPrefix(cookieOf(first), "Cookie: ")+"; y=2", first.body)

	// Its upstream gone, it is answered at once by another, and stays there
	// when the first comes back.
	apps[first.body].kill()
	second := ask(t, url, cookieOf(first))
	if second.status != 200 || second.body == first.body || cookieOf(second) == cookieOf(first) {
		t.Fatalf("%d %s, Set-Cookie %q", second.status, second.body, second.header.Get("Set-Cookie"))
	}
	keeps(url, cookieOf(second), second.body)
	apps[first.body].revive(t)
	s.logs(regexp.MustCompile(`msg="upstream up"`))
	keeps(url, cookieOf(second), second.body)
	keeps(url, cookieOf(first), first.body)
}

func TestAStickyCookieCannotBeMadeUp(t *testing.T) {
	t.Parallel()
	a, b := newMember(t, "a"), newMember(t, "b")
	s, url := front(t, "--balance sticky --upstream "+a.URL+" --upstream "+b.URL)
	s.logs(regexp.MustCompile(`level=INFO msg="sticky cookies are signed with a random key.*--sticky-key`))
	_, other := front(t, "--balance sticky --upstream "+a.URL+" --upstream "+b.URL)
	real := cookieOf(ask(t, url))
	for _, cookie := range []string{cookieOf(ask(t, other)), "Cookie: multiserver=", "Cookie: multiserver=" + a.URL, real[:len(real)-1]} {
		seen := map[string]bool{}
		for range 2 { // turns, as without a cookie
			r := ask(t, url, cookie)
			if set := r.header.Get("Set-Cookie"); !strings.HasPrefix(set, "multiserver=") || strings.Contains(set, "Max-Age") {
				t.Errorf("%s: Set-Cookie %q", cookie, set)
			}
			seen[r.body] = true
		}
		if len(seen) != 2 {
			t.Errorf("%s: only %v", cookie, seen)
		}
	}
}

func TestHashOnKeepsToOneUpstream(t *testing.T) {
	t.Parallel()
	upstreams := ""
	for i := range 4 {
		upstreams += " --upstream " + newMember(t, fmt.Sprint(i)).URL
	}
	// Each value keeps to one, and all of them together use more than one.
	f := func(on string, request func(value string) (path, field string)) {
		t.Helper()
		s, url := front(t, "--balance hash --hash-on "+on+upstreams)
		used := map[string]bool{}
		for v := range 16 {
			path, field := request(fmt.Sprint("v", v))
			s.quiet()
			first := ask(t, url+path, field)
			used[first.body] = true
			for range 3 {
				s.quiet()
				if r := ask(t, url+path, field); r.status != http.StatusOK || r.body != first.body {
					t.Errorf("%s: %d: %d %s, before %s", on, v, r.status, r.body, first.body)
				}
			}
		}
		if len(used) < 2 {
			t.Errorf("%s: only %v are used", on, used)
		}
	}
	f("header:X-Tenant", func(v string) (string, string) { return "/", "x-tenant: " + v })
	f("cookie:sid", func(v string) (string, string) { return "/", "Cookie: a=b; sid=" + v })
	f("query:id", func(v string) (string, string) { return "/?a=b&id=" + v, "X: y" })
	f("uri", func(v string) (string, string) { return "/?" + v, "X: y" })
	f("path", func(v string) (string, string) { return "/" + v, "X: y" })
}

func TestHashOnTheClient(t *testing.T) {
	t.Parallel()
	a, b := newMember(t, "a"), newMember(t, "b")
	_, url := front(t, "--balance hash --upstream "+a.URL+" --upstream "+b.URL)
	first := ask(t, url)
	for range 5 { // each from another port
		if r := ask(t, url); r.body != first.body {
			t.Errorf("%s, before %s", r.body, first.body)
		}
	}
}
