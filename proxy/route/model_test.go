package route

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"testing"

	"multiserver/proxy/wire"
)

// model finds a rule by asking one after the other.
type model []modelTake

type modelTake struct {
	Take
	when *conditions
	expr *regexp.Regexp // nil: the path is none
}

func modelOf(rules []Rule) (m model) {
	for _, t := range Order(rules) {
		c, _ := read(t.Rule, &rules[t.Rule])
		take := modelTake{Take: t, when: c.when}
		if expr, ok := strings.CutPrefix(t.Path, "~"); ok {
			take.expr = regexp.MustCompile("(?s)" + expr)
		}
		m = append(m, take)
	}
	return m
}

func (m model) find(host, path string, q *wire.Request) int {
	for _, t := range m {
		if onHost(t.Host, host) && t.onPath(path) && t.when.hold(q) {
			return t.Rule
		}
	}
	return None
}

// findAll wants all readings of a path to agree.
func (m model) findAll(q *wire.Request) int {
	host := string(appendHost(nil, q.Host))
	var all []int
	for _, r := range readings {
		all = append(all, m.find(host, string(r.append(nil, pathOf(q.Path))), q))
	}
	if all = slices.Compact(all); len(all) > 1 {
		return Unclear
	}
	return all[0]
}

func onHost(want, host string) bool {
	domain, wild := strings.CutPrefix(want, "*")
	return want == "" || want == host || wild && strings.HasSuffix(host, domain)
}

func (t *modelTake) onPath(path string) bool {
	prefix, below := strings.CutSuffix(t.Path, "/*")
	switch {
	case t.expr != nil:
		return t.expr.MatchString(path)
	case below:
		return path == prefix || strings.HasPrefix(path, prefix+"/") || prefix == ""
	}
	return t.Path == path
}

// TestModel: the table and the model agree on many small worlds, in which
// rules and requests meet often.
func TestModel(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	of := func(words string) string { all := strings.Fields(words); return all[rnd.IntN(len(all))] }
	segments := func(words string) (path string) {
		for range rnd.IntN(4) {
			path += "/" + of(words)
		}
		return path
	}
	worlds, requests := 400, 20
	met := map[int]int{}
	for range worlds {
		var rules []Rule
		for range 1 + rnd.IntN(12) {
			var r Rule
			for range rnd.IntN(3) {
				r.Host = append(r.Host, of("a.b b c.a.b *.b *.a.b *.c.a.b"))
			}
			for range rnd.IntN(3) {
				r.Path = append(r.Path, segments("x y z")+of("/* /* / /y /x"))
			}
			if rnd.IntN(4) == 0 {
				r.Path = append(r.Path, of("~^/x ~y$ ~^/x/y/.*z$ ~^/x/|/y ~^/x/"))
			}
			if rnd.IntN(3) == 0 {
				r.Method = []string{of("GET POST")}
			}
			if rnd.IntN(4) == 0 {
				r.Query = []Field{{"q", of("1 * ~^[12]$")}}
			}
			if _, err := New(append(slices.Clone(rules), r)); err == nil {
				rules = append(rules, r)
			}
		}
		tab, m := table(t, rules), modelOf(rules)
		for range requests {
			q := request(t, of("GET POST PUT")+" "+of("a.b b c.a.b x.c.a.b d.b d")+
				segments("x y z . .. %2e%2e x%2fy %78 x;y")+of("/ /x / /?q=1 /y?q=2"))
			got, want := tab.Find(q), m.findAll(q)
			if met[got]++; got != want {
				t.Fatalf("%s %s%s takes %d, want %d of\n%s", q.Method, q.Host, q.Target, got, want, show(rules))
			}
		}
	}
	if met[None] < 100 || met[Unclear] < 100 || met[0] < 100 || met[5] < 50 {
		t.Errorf("the worlds are too poor: %v", met)
	}
}

func show(rules []Rule) string {
	var b strings.Builder
	for i, r := range rules {
		fmt.Fprintf(&b, "%d: %+v\n", i, r)
	}
	return b.String()
}

func FuzzFind(f *testing.F) {
	f.Add("a.org /x/* GET\n*.org ~^/y\n/*", "GET /x/../y?q=1 HTTP/1.1\r\nHost: b.org:80\r\n\r\n")
	f.Add("/a;b\n/%2e", "GET /%2e%2e/;x//\\ HTTP/1.0\r\n\r\n")
	f.Add("[::1]\n/*", "OPTIONS * HTTP/1.1\r\nHost: [::1]\r\n\r\n")
	f.Add("b.c q=~^[a-z]+$ X-V:1", "GET ? HTTP/1.1\r\nHost: b.c.\r\nx-v: 1\r\n\r\n")
	f.Fuzz(func(t *testing.T, text, head string) {
		rules := rulesOf(text)
		tab, err := New(rules)
		q := new(wire.Request)
		if _, bad := q.Parse([]byte(head)); err != nil || bad != nil {
			return
		}
		before := bytes.Clone(q.Raw)
		if got, want := tab.Find(q), modelOf(rules).findAll(q); got != want {
			t.Errorf("%s takes %d, want %d", q.Target, got, want)
		}
		if !bytes.Equal(before, q.Raw) {
			t.Error("the request was changed")
		}
	})
}

func FuzzReading(f *testing.F) {
	for _, s := range []string{"/", "/a/../b", "/%2e%2e/x", "//a", "/a/./", "/..", "/%", "/.well-known", `/a\..\b`, "/..;x/a", "*"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, path string) {
		if path == "" || path[0] != '/' {
			return
		}
		for _, r := range readings {
			got := string(r.append([]byte("x"), []byte(path)))[1:]
			if got[0] != '/' || len(got) > len(path) {
				t.Fatalf("%q is %q", path, got)
			}
			if plain([]byte(path)) && got != path {
				t.Fatalf("%q is plain, and %q", path, got)
			}
			if r.dots && strings.Contains(got+"/", "/../") || r.lenient && strings.Contains(got, "//") {
				t.Fatalf("%q is still %q", path, got)
			}
		}
	})
}
