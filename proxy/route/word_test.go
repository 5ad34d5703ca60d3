package route

import (
	"errors"
	"slices"
	"strings"
	"testing"
)

func TestWhatIsWrongWithARule(t *testing.T) {
	f := func(r Rule, part, want string) {
		t.Helper()
		_, err := New([]Rule{{Path: []string{"/fine"}}, r})
		var all Errors
		if !errors.As(err, &all) || len(all) != 1 || all[0].Rule != 1 || all[0].Part != part || !strings.Contains(all[0].Why, want) {
			t.Errorf("%+v: %v, want one of the %s: %q", r, err, part, want)
		}
	}
	host := func(word, want string) { t.Helper(); f(Rule{Host: []string{word}}, "host", want) }
	host("", "missing name")
	host("*", "leave it out")
	host("*.", "missing name")
	host("a*.org", "want *.example.org")
	host("*.*.org", "want *.example.org")
	host("http://a.org", "has a scheme")
	host("a.org/b", "has a path")
	host("a.org:80", "want the host alone: a.org")
	host("*.[::1]", "want it without the *")
	host("[::1]:80", "want the host alone")
	host("a..org", "nothing between two dots")
	host("bücher.de", "xn--")
	host("a b", `' ' is not allowed`)

	path := func(word, want string) { t.Helper(); f(Rule{Path: []string{word}}, "path", want) }
	path("", "missing")
	path("a", "such as /a")
	path("/a?b", "want it in query")
	path("/a#b", "the path alone")
	path("/a*", "want /a/*")
	path("/a/*/b", "~^/a/[^/]*/b$")
	path("/a.b/*.css", `~^/a\.b/[^/]*\.css$`)
	path("/a/../b", "such as /b")
	path("/a//b", "such as /a/b")
	path("/%2e/b", "such as /b")
	path("/a%2fb", "such as /a/b")
	path(`/a\b`, "such as /a/b")
	path("/a;b", "such as /a")
	path("~", "missing regular expression")
	path("~(", "missing closing )")

	f(Rule{Method: []string{"get"}}, "method", "want GET")
	f(Rule{Method: []string{"*"}}, "method", "leave it out")
	f(Rule{Method: []string{"G T"}}, "method", "such as GET")
	f(Rule{Header: []Field{{"", "x"}}}, "header", "missing name")
	f(Rule{Header: []Field{{"a b", "x"}}}, "header", "can be called that")
	f(Rule{Header: []Field{{"a", "~("}}}, "header", "missing closing )")
	f(Rule{Query: []Field{{"", "x"}}}, "query", "missing name")
	f(Rule{Query: []Field{{"a", "~("}}}, "query", "missing closing )")
	f(Rule{Host: []string{"a.org", "A.org."}}, "host", "given twice")
	f(Rule{Path: []string{"/a", "/%61"}}, "path", "given twice")
}

func TestRulesThatTakeTheSame(t *testing.T) {
	f := func(text string, want ...int) {
		t.Helper()
		var got []int
		_, err := New(rulesOf(text))
		var all Errors
		errors.As(err, &all)
		for _, e := range all {
			got = append(got, e.Other, e.Rule)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%q: %v overlap, want %v", text, got, want)
		}
	}
	f("/a\n/a", 0, 1)
	f("/a\n/%61", 0, 1)
	f("-\n/*", 0, 1)
	f("a.org b.org\nB.org", 0, 1)
	f("/a /b\n/c\n/d /b /c", 0, 2, 1, 2)
	f("/a GET PUT\n/a PUT GET", 0, 1)
	f("/a X-A:1 q=2\n/a q=2 x-a:1", 0, 1)
	f("~a$\n~a$", 0, 1)
	f("/a\n/a/*\n/a/\n/a GET\na.org /a\n*.org /a\n/a x=1\n/a x=2")
}
