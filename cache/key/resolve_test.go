package key

import (
	"bytes"
	"net/url"
	"strings"
	"testing"
)

// The examples of RFC 3986 §5.4, as far as they are of this origin.
func TestResolveAsTheRFCHasIt(t *testing.T) {
	f := func(ref, want string) {
		t.Helper()
		var r Rules
		key, same := r.Resolve(nil, []byte("http://a/b/c/d;p?q"), []byte(ref))
		if string(key) != want || same != (want != "") {
			t.Errorf("%s: %s %v, want %s", ref, key, same, want)
		}
	}
	f("g:h", "")
	f("g", "http://a/b/c/g")
	f("./g", "http://a/b/c/g")
	f("g/", "http://a/b/c/g/")
	f("/g", "http://a/g")
	f("//g", "")
	f("//a", "http://a/")
	f("?y", "http://a/b/c/d;p?y")
	f("g?y", "http://a/b/c/g?y")
	f("#s", "http://a/b/c/d;p?q")
	f("g#s", "http://a/b/c/g")
	f("g?y#s", "http://a/b/c/g?y")
	f(";x", "http://a/b/c/;x")
	f("g;x?y#s", "http://a/b/c/g;x?y")
	f("", "http://a/b/c/d;p?q")
	f(".", "http://a/b/c/")
	f("./", "http://a/b/c/")
	f("..", "http://a/b/")
	f("../g", "http://a/b/g")
	f("../..", "http://a/")
	f("../../g", "http://a/g")
	f("../../../../g", "http://a/g")
	f("/./g", "http://a/g")
	f("/../g", "http://a/g")
	f("g.", "http://a/b/c/g.")
	f("..g", "http://a/b/c/..g")
	f("./g/.", "http://a/b/c/g/")
	f("g/./h", "http://a/b/c/g/h")
	f("g/../h", "http://a/b/c/h")
	f("g;x=1/../y", "http://a/b/c/y")
	f("g?y/../x", "http://a/b/c/g?y/../x")
	f("g#s/../x", "http://a/b/c/g")
	f("http:g", "")
}

func TestResolveKnowsItsOrigin(t *testing.T) {
	f := func(base, ref, want string) {
		t.Helper()
		var r Rules
		key, same := r.Resolve([]byte("|"), []byte(base), []byte(ref))
		if string(key) != "|"+want || same != (want != "") {
			t.Errorf("%s: %s %v, want %s", ref, key, same, want)
		}
	}
	const base = "http://example.org/a/b?c"
	f(base, "http://example.org", "http://example.org/")
	f(base, "http://example.org?x", "http://example.org/?x")
	f(base, "HTTP://EXAMPLE.ORG.:080/x", "http://example.org/x")
	f(base, "//example.org:/x/../y", "http://example.org/y")
	f(base, "/a:b", "http://example.org/a:b")
	f(base, "x/a:b", "http://example.org/a/x/a:b")
	f(base, "?a:b", "http://example.org/a/b?a:b")
	f(base, "https://example.org/x", "")
	f(base, "http://example.org:443/x", "")
	f(base, "http://www.example.org/x", "")
	f(base, "http://example.org.evil/x", "")
	f(base, "//evil", "")
	f(base, "///x", "")
	f(base, "http:///x", "")
	f(base, "http:/x", "")
	f(base, "http:", "")
	f(base, ":x", "")
	f(base, "http://u@example.org/x", "")
	f(base, "http://example.org@evil/x", "")
	f(base, "http://example.org:80@evil/x", "")
	f(base, "http://example.org:x/", "")
	f(base, `\\evil/x`, "")
	f(base, `/\evil`, "")
	f(base, `http://example.org\@evil/`, "")
	f(base, "/\t/evil", "")
	f(base, "/a b", "")
	f(base, "/\x00", "")
	f(base, "/é", "")
	f(base, "javascript:alert(1)", "")

	f("https://h/", "//h:443/x", "https://h/x")
	f("https://h/", "//h:80/x", "")
	f("https://h:80/", "//h:80/x", "https://h:80/x")
	f("https://h:80/", "http://h/x", "")
	f("http://[::1]:81/", "http://[::1]:81/x", "http://[::1]:81/x")
	f("http://[::1]:81/", "x", "http://[::1]:81/x")
	f("http:///", "x", "")
	f("nonsense", "x", "")
	f("", "x", "")
}

func TestResolveGoesByTheRules(t *testing.T) {
	r := Rules{DropQuery: []string{"utm_*"}, SortQuery: true}
	key, same := r.Resolve(nil, []byte("http://h/a"), []byte("b?z&utm_x=1&a"))
	if string(key) != "http://h/b?a&z" || !same {
		t.Errorf("%s %v", key, same)
	}
}

func FuzzResolve(f *testing.F) {
	for _, ref := range []string{"", "g", "../g?x#y", "//a/b", "http://a/../", "//u@a/", `\\a`, "http:a", "?x", "/.//../a", "https://a:443/", "//a.:80?"} {
		f.Add("http://a/b/c?d", ref)
		f.Add("https://[::1]:8443/", ref)
	}
	f.Fuzz(func(t *testing.T, base, ref string) {
		var r Rules
		got, same := r.Resolve(nil, []byte(base), []byte(ref))
		if !same {
			if len(got) > 0 {
				t.Fatalf("%q: %q, and not the same", ref, got)
			}
			return
		}
		origin, path, ok := split([]byte(base))
		if !ok || !strings.HasPrefix(string(got), string(origin)+"/") {
			t.Fatalf("%q to %q is %q", base, ref, got)
		}
		if !bytes.Equal(origin, appendOrigin(nil, base[4] == 's', origin[strings.Index(base, "//")+2:])) || !visible(path) {
			return // no key that Append makes: it is not the same as itself spelt out
		}
		if !visible(got) {
			t.Fatalf("%q to %q is %q", base, ref, got)
		}
		b, err1 := url.Parse(base)
		u, err2 := url.Parse(ref)
		if err1 != nil || err2 != nil || len(path) == 0 {
			return
		}
		theirs := b.ResolveReference(u)
		if _, same := r.Resolve(nil, got, []byte(theirs.String())); !same && visible([]byte(theirs.String())) || theirs.User != nil {
			t.Fatalf("%q to %q is %q, for net/url %q", base, ref, got, theirs)
		}
	})
}

// visible tells whether b may be a request's target (wire refuses others).
func visible(b []byte) bool {
	return bytes.IndexFunc(b, func(r rune) bool { return r <= ' ' || r >= 0x7f || r == '#' }) < 0
}
