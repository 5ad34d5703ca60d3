package key

import (
	"fmt"
	"strings"
	"testing"

	"multiserver/proxy/wire"
)

func TestHostsOfOneMeaningHaveOneKey(t *testing.T) {
	f := func(scheme, host, want string) {
		t.Helper()
		var r Rules
		if got := string(r.Append(nil, scheme == "https", []byte(host), []byte("/"))); got != want {
			t.Errorf("%s, host %q: %s, want %s", scheme, host, got, want)
		}
	}
	f("http", "example.org", "http://example.org/")
	f("http", "EXAMPLE.Org", "http://example.org/")
	f("http", "example.org.", "http://example.org/")
	f("http", "example.org:80", "http://example.org/")
	f("http", "example.org.:0080", "http://example.org/")
	f("http", "example.org:", "http://example.org/")
	f("http", "example.org:443", "http://example.org:443/")
	f("http", "example.org:08080", "http://example.org:8080/")
	f("http", "example.org:0", "http://example.org:0/")
	f("https", "example.org:443", "https://example.org/")
	f("https", "example.org:80", "https://example.org:80/")
	f("https", "example.org", "https://example.org/")
	f("http", "[::A]", "http://[::a]/")
	f("http", "[::1]:80", "http://[::1]/")
	f("http", "[::1]:81", "http://[::1]:81/")
	f("http", "127.0.0.1", "http://127.0.0.1/")
	f("http", ".", "http://./")
	f("http", "", "http:///")
}

func TestTargetsAreKeptAsTheyAre(t *testing.T) {
	f := func(path, want string) {
		t.Helper()
		var r Rules
		if got := string(r.Append(nil, false, []byte("h"), []byte(path))); got != "http://h"+want {
			t.Errorf("%s: %s, want http://h%s", path, got, want)
		}
	}
	f("/", "/")
	f("", "/")
	f("?", "/?")
	f("?b&a", "/?b&a")
	f("*", "*")
	f("/A/../%41/./b//c", "/A/../%41/./b//c")
	f("/a?", "/a?")
	f("/a?b?c=/../d&&", "/a?b?c=/../d&&")
}

func TestQueryRules(t *testing.T) {
	f := func(drop string, sort bool, path, want string) {
		t.Helper()
		r := Rules{DropQuery: strings.Fields(drop), SortQuery: sort}
		if err := r.Check(); err != nil {
			t.Fatal(err)
		}
		if got := string(r.Append(nil, false, []byte("h"), []byte(path))); got != "http://h"+want {
			t.Errorf("drop %q, sort %v, %s: %s, want http://h%s", drop, sort, path, got, want)
		}
	}
	f("utm_*", false, "/a", "/a")
	f("utm_*", false, "/a?", "/a?")
	f("utm_*", false, "/a?utm_source=x", "/a")
	f("utm_*", false, "/a?utm_=x&b&utm_x", "/a?b")
	f("utm_*", false, "/a?utm=x&Utm_a=y", "/a?utm=x&Utm_a=y")
	f("utm_*", false, "?utm_a", "/")
	f("utm_*", false, "/a?&utm_a&&b", "/a?&&b")
	f("a b", false, "/?b=1&c&a&ab&aa=1", "/?c&ab&aa=1")
	f("a", false, "/?%61=1&a=2", "/?%61=1")
	f("a", false, "/?x=a&a=b=c?d", "/?x=a")
	f("*", false, "/a?b&c=d", "/a")
	f("*", true, "/a?", "/a")
	f("", true, "/?b=2&a=1", "/?a=1&b=2")
	f("", true, "/?b=2&a=1&b=1&a=0", "/?a=1&a=0&b=2&b=1")
	f("", true, "/?b&&a", "/?&a&b")
	f("", true, "/?ab=1&a=2&a", "/?a=2&a&ab=1")
	f("", true, "/?", "/?")
	f("u*", true, "/?u&c&u1=2&b", "/?b&c")
	f("u*", true, "/?u", "/")
}

// More parameters than are sorted keep their order, and are dropped as ever.
func TestLongQueries(t *testing.T) {
	query := func(n int) (s string) {
		for i := n; i > 0; i-- {
			s += fmt.Sprintf("&%03d", i)
		}
		return s[1:]
	}
	r := Rules{DropQuery: []string{"x"}, SortQuery: true}
	f := func(n int, sorted bool) {
		t.Helper()
		got := string(r.Append(nil, false, nil, []byte("/?"+query(n)+"&x")))
		if strings.HasPrefix(got, "http:///?001&002&") != sorted || strings.HasSuffix(got, "x") || strings.Count(got, "&") != n-1 {
			t.Errorf("%d parameters and one to drop: %s", n, got)
		}
	}
	f(63, true)
	f(64, false)
	f(500, false)
}

func TestRulesAreChecked(t *testing.T) {
	f := func(name, want string) {
		t.Helper()
		r := Rules{DropQuery: []string{name}}
		if err := r.Check(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %s", name, err, want)
		}
	}
	f("", "want one such as")
	f("a=b", `"a=b": want the name alone`)
	f("?a", `"?a": want the name alone`)
	f("*a", "want it once and at the end")
	f("a**", "want it once and at the end")
}

// Two requests have one key only if they have one host and one target, in the
// spelling of hosts that wire lets through.
func FuzzKeysOfRequests(f *testing.F) {
	for _, s := range []string{"/", "/?a", "?a", "http://a/", "http://A.:80?b", "http://[::1]:80", "http://a:443/b/../c?d&d"} {
		f.Add(s, "/", "example.org", false)
		f.Add(s, "/?a&b", "[::1]:443", true)
	}
	f.Fuzz(func(t *testing.T, one, two, host string, secure bool) {
		var a, b wire.Request
		if !parse(&a, one, host) || !parse(&b, two, host) {
			return
		}
		var r Rules
		ka, kb := string(r.Append(nil, secure, a.Host, a.Path)), string(r.Append(nil, secure, b.Host, b.Path))
		if !strings.HasPrefix(ka, "http") || ka != string(r.Append(nil, secure, a.Host, a.Path)) {
			t.Fatalf("%s: %s", one, ka)
		}
		same := string(spelt(a.Host, secure))+rooted(a.Path) == string(spelt(b.Host, secure))+rooted(b.Path)
		if (ka == kb) != same {
			t.Fatalf("%q and %q: %s and %s", a.Raw, b.Raw, ka, kb)
		}
		if got, ok := r.Resolve(nil, []byte(ka), nil); ok && string(got) != ka {
			t.Fatalf("%s is itself as %s", ka, got)
		}
	})
}

func parse(q *wire.Request, target, host string) bool {
	n, err := q.Parse([]byte("GET " + target + " HTTP/1.1\r\nHost: " + host + "\r\n\r\n"))
	return err == nil && n > 0 && q.Path != nil
}

func rooted(path []byte) string {
	if len(path) == 0 || path[0] == '?' {
		return "/" + string(path)
	}
	return string(path)
}

// spelt is appendOrigin as one would write it who need not hurry.
func spelt(host []byte, secure bool) string {
	h := strings.ToLower(string(host))
	name, port := h, ""
	if i := strings.LastIndex(h, ":"); i > strings.LastIndex(h, "]") {
		name, port = h[:i], h[i+1:]
	}
	if port != "" {
		if port = strings.TrimLeft(port, "0"); port == "" {
			port = "0"
		}
	}
	if port == "" || port == "80" && !secure || port == "443" && secure {
		port = "default"
	}
	if name != "." {
		name = strings.TrimSuffix(name, ".")
	}
	return name + " " + port
}
