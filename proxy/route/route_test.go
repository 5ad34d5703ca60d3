package route

import (
	"strings"
	"testing"

	"multiserver/proxy/wire"
)

// rulesOf reads a rule a line: words that begin with / or ~ are paths, those
// with a dot hosts, in capitals methods, n:v header fields, n=v parameters.
func rulesOf(text string) (rules []Rule) {
	for line := range strings.Lines(text) {
		var r Rule
		for _, w := range strings.Fields(line) {
			n, v, isHeader := strings.Cut(w, ":")
			name, value, isParam := strings.Cut(w, "=")
			switch {
			case w[0] == '/' || w[0] == '~':
				r.Path = append(r.Path, w)
			case isParam:
				r.Query = append(r.Query, Field{name, value})
			case isHeader:
				r.Header = append(r.Header, Field{n, v})
			case strings.Contains(w, "."):
				r.Host = append(r.Host, w)
			case w != "-":
				r.Method = append(r.Method, w)
			}
		}
		rules = append(rules, r)
	}
	return rules
}

func table(t testing.TB, rules []Rule) *Table {
	t.Helper()
	table, err := New(rules)
	if err != nil {
		t.Fatal(err)
	}
	return table
}

// request parses "METHOD host/path name:value …".
func request(t testing.TB, text string) *wire.Request {
	t.Helper()
	words := strings.Fields(text)
	host, path, _ := strings.Cut(words[1], "/")
	head := words[0] + " /" + path + " HTTP/1.1\r\nHost: " + host + "\r\n"
	for _, w := range words[2:] {
		head += strings.Replace(w, ":", ": ", 1) + "\r\n"
	}
	return parse(t, head+"\r\n")
}

func parse(t testing.TB, head string) *wire.Request {
	t.Helper()
	q := new(wire.Request)
	if _, err := q.Parse([]byte(head)); err != nil {
		t.Fatalf("%q: %v", head, err)
	}
	return q
}

func finder(t *testing.T, text string) func(req string, want int) {
	tab := table(t, rulesOf(text))
	return func(req string, want int) {
		t.Helper()
		if got := tab.Find(request(t, req)); got != want {
			t.Errorf("%s takes %d, want %d", req, got, want)
		}
	}
}

func TestHosts(t *testing.T) {
	f := finder(t, `example.org
*.example.org
*.b.example.org
-`)
	f("GET example.org/", 0)
	f("GET EXAMPLE.Org:8080/a", 0)
	f("GET example.org./", 0)
	f("GET ex%61mple.org/", 0)
	f("GET a.example.org/", 1)
	f("GET x.a.example.org/", 1)
	f("GET b.example.org/", 1)
	f("GET a.b.example.org/", 2)
	f("GET badexample.org/", 3)
	f("GET org/", 3)
	f("GET example.org.evil/", 3)
}

func TestIPv6Hosts(t *testing.T) {
	tab := table(t, []Rule{{Host: []string{"[2001:DB8:0::1]"}}, {Host: []string{"::1"}}})
	f := func(host string, want int) {
		t.Helper()
		if got := tab.Find(parse(t, "GET / HTTP/1.1\r\nHost: "+host+"\r\n\r\n")); got != want {
			t.Errorf("%s takes %d, want %d", host, got, want)
		}
	}
	f("[2001:db8::1]", 0)
	f("[2001:0DB8:0:0::0001]:8080", 0)
	f("[2001:db8::2]", None)
	f("[::1]", 1)
	f("[0::1]", 1)
}

func TestOrder(t *testing.T) {
	rules := rulesOf(`/*
/a/b/* /a/*
~x$
/a
*.b.org *.org /y
a.org
/a GET`)
	var got []string
	for _, o := range Order(rules) {
		got = append(got, strings.TrimSpace(o.Host+o.Path))
	}
	want := "a.org/* *.b.org/y *.org/y /a /a ~x$ /a/b/* /a/* /*"
	if s := strings.Join(got, " "); s != want {
		t.Errorf("%s, want %s", s, want)
	}
}
