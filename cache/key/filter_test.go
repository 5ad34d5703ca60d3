package key

import (
	"strings"
	"testing"
)

func patterns(t testing.TB, words string) (list []Pattern) {
	t.Helper()
	for _, w := range strings.Fields(words) {
		p, err := ParsePattern(w)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, p)
	}
	return list
}

func TestFilter(t *testing.T) {
	f := func(only, never, url string, want bool) {
		t.Helper()
		host, path := url, ""
		if i := strings.IndexAny(url, "/?"); i >= 0 {
			host, path = url[:i], url[i:]
		}
		filter := Filter{Only: patterns(t, only), Never: patterns(t, never)}
		if got := filter.Allows([]byte(host), []byte(path)); got != want {
			t.Errorf("only %q, never %q: %s is %v, want %v", only, never, url, got, want)
		}
	}
	f("", "", "h/anything?x", true)

	f("/a", "", "h/a", true)
	f("/a", "", "h/a?x=y", true)
	f("/a", "", "h/A", false)
	f("/a", "", "h/a/", false)
	f("/a", "", "h/ab", false)
	f("/", "", "h", true)
	f("/", "", "h?x", true)

	f("/static/*", "", "h/static/", true)
	f("/static/*", "", "h/static/a/b?c", true)
	f("/static/*", "", "h/static", false)
	f("/static/*", "", "h/x/static/", false)
	f("/*", "", "h?x", true)
	f("/a /b", "", "h/b", true)

	f(`~^/api/.*\.json$`, "", "h/api/x.json?y", true)
	f(`~^/api/.*\.json$`, "", "h/api/x.jsonp", false)
	f(`~\.css$`, "", "h/a?b=.css", false)
	f(`~\.css$`, "", "h/a.css", true)

	f("example.org/s/*", "", "example.org/s/a", true)
	f("example.org/s/*", "", "EXAMPLE.org.:8080/s/a", true)
	f("Example.Org./s/*", "", "example.org/s/a", true)
	f("example.org/s/*", "", "www.example.org/s/a", false)
	f("example.org/s/*", "", "/s/a", false)
	f("*.example.org/", "", "a.b.example.org/", true)
	f("*.example.org/", "", "example.org/", false)
	f("*.example.org/", "", "xexample.org/", false)
	f(`example.org~\.css$`, "", "example.org/a.css", true)
	f(`example.org~\.css$`, "", "example.com/a.css", false)
	f("[::1]/*", "", "[::1]:80/a", true)

	f("", "/admin/*", "h/admin/x", false)
	f("", "/admin/*", "h/x", true)
	f("/*", "/admin/*", "h/admin/x", false)
	f("/admin/public/*", "/admin/*", "h/admin/public/x", false)
}

// What one reader takes for a page that is never stored must not be stored
// because another takes it for a style sheet.
func TestFilterTakesBothReadingsOfAPath(t *testing.T) {
	filter := Filter{Only: patterns(t, "/static/* /caf%C3%A9 /café /.well-known/*"), Never: patterns(t, "/static/private/*")}
	f := func(path string, want bool) {
		t.Helper()
		if got := filter.Allows([]byte("h"), []byte(path)); got != want {
			t.Errorf("%s is %v, want %v", path, got, want)
		}
	}
	f("/static/a%20b.css", true)
	f("/static/a//b.css", true)
	f("/static/a/../b.css", true)
	f("/caf%C3%A9", true)
	f("/.well-known/a", true)
	f("/static/../account", false)
	f("/static/%2e%2E/account", false)
	f("/static/..%2faccount", false)
	f("/static/..\\account", false)
	f("/static/..%5caccount", false)
	f("/%73tatic/a", false)
	f("//static/a", false)
	f("/static/x/../private/a", false)
	f("/static/%70rivate/a", false)
	f("/static//private/a", false)
	f("/static/./private/a?b", false)
	f("/static/%zz%4", true)
}

func TestPatternErrorsNameTheWayOut(t *testing.T) {
	f := func(word, want string) {
		t.Helper()
		_, err := ParsePattern(word)
		if err == nil || !strings.Contains(err.Error(), want) || !strings.HasPrefix(err.Error(), "pattern ") {
			t.Errorf("%q: %v, want %s", word, err, want)
		}
	}
	f("", `pattern "": missing path, want`)
	f("static", "missing path, want one such as")
	f("*.css", "missing path, want one such as")
	f("http://example.org/a", "has a scheme, want the host and the path alone")
	f("example.org:80/a", "has a port, want the host alone: example.org")
	f("[::1]:80/a", "has a port, want the host alone: [::1]")
	f("ex*mple.org/a", "want *.example.org")
	f("*/a", "want *.example.org")
	f("*./a", `"" is no host`)
	f("a b/c", `"a b" is no host`)
	f("u@h/c", `"u@h" is no host`)
	f("/a/*/b", `such as ~^/a/.*\.css$`)
	f("/a**", "want it once and at the end")
	f("/a?b", "want the path alone")
	f("/a#b", "want the path alone")
	f("~", `want one such as ~\.css$`)
	f("~(", "missing closing )")
}

func FuzzPattern(f *testing.F) {
	for _, s := range []string{"/a", "/s/*", `~^/a`, "example.org/*", "*.example.org~x", "[::1]/", "*./", "/*"} {
		f.Add(s, "example.org.:80", "/s/%41/../b?c")
	}
	f.Fuzz(func(t *testing.T, word, host, path string) {
		p, err := ParsePattern(word)
		if err != nil {
			return
		}
		never := Filter{Never: []Pattern{p}}
		both := Filter{Only: []Pattern{p}, Never: []Pattern{p}}
		if both.Allows([]byte(host), []byte(path)) {
			t.Fatalf("%q: %s%s is allowed though never", word, host, path)
		}
		only := Filter{Only: []Pattern{p}}
		if only.Allows([]byte(host), []byte(path)) && never.Allows([]byte(host), []byte(path)) {
			t.Fatalf("%q: %s%s matches and does not", word, host, path)
		}
	})
}

func FuzzPlain(f *testing.F) {
	for _, s := range []string{"/", "/a/../b", "/%2e%2e/x", "//a", "/a/./", "/..", "/%", "/.well-known", `/a\..\b`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, path string) {
		if path == "" || path[0] != '/' {
			return
		}
		got := string(appendPlain([]byte("x"), []byte(path)))
		if !strings.HasPrefix(got, "x/") || strings.Contains(got, "/../") || strings.Contains(got, "//") || strings.Contains(got, `\`) {
			t.Fatalf("%q is %q", path, got)
		}
		if plain([]byte(path)) && got[1:] != path {
			t.Fatalf("%q is plain, and %q", path, got)
		}
	})
}
