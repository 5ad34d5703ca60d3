package proxy

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"multiserver/proxy/wire"
)

func TestEdits(t *testing.T) {
	const head = "HTTP/1.1 200 OK\r\nServer: x\r\nX-A: 1\r\nx-ab: 2\r\nX-a: 3\r\n"
	f := func(what string, edit func(*Edits), want string) {
		t.Helper()
		var e Edits
		edit(&e)
		if got := string(e.append([]byte("="), []byte(head+"\r\nX-A: a body\r\n\r\n"))); got != "="+want+"\r\nX-A: a body\r\n\r\n" {
			t.Errorf("%s: %q, want %q", what, got, want)
		}
		e.reset()
		if e.any() {
			t.Errorf("%s: not reset", what)
		}
	}
	f("none", func(*Edits) {}, head)
	f("a name", func(e *Edits) { e.Drop("x-a") }, "HTTP/1.1 200 OK\r\nServer: x\r\nx-ab: 2\r\n")
	f("a prefix", func(e *Edits) { e.Drop("x-*") }, "HTTP/1.1 200 OK\r\nServer: x\r\n")
	f("all", func(e *Edits) { e.Drop("*") }, "HTTP/1.1 200 OK\r\n")
	f("a prefix of an earlier one", func(e *Edits) { e.Add("X-Z", []byte("1")); e.Add("Y", []byte("2")); e.Drop("x-*") }, "HTTP/1.1 200 OK\r\nServer: x\r\nY: 2\r\n")
	f("the same one twice", func(e *Edits) { e.Set("server", []byte("1")); e.Set("server", []byte("2")) }, strings.Replace(head, "Server: x\r\n", "", 1)+"server: 2\r\n")
	f("one that is not there", func(e *Edits) { e.Drop("x") }, head)
	f("more", func(e *Edits) { e.Add("B", []byte("b")); e.Add("B", nil) }, head+"B: b\r\nB: \r\n")
	f("another", func(e *Edits) { e.Set("x-a", []byte("b")) }, "HTTP/1.1 200 OK\r\nServer: x\r\nx-ab: 2\r\nx-a: b\r\n")
}

func TestEditsOfAHeadWithoutFields(t *testing.T) {
	var e Edits
	e.Set("a", []byte("b"))
	if got := string(e.append(nil, []byte("GET / HTTP/1.1\r\n\r\n"))); got != "GET / HTTP/1.1\r\na: b\r\n\r\n" {
		t.Errorf("%q", got)
	}
}

// Whoever may name fields by a prefix cannot have the next reader take the
// body for another message.
func TestPrefixesTakeNoFraming(t *testing.T) {
	const framing = "Host: a\r\nContent-Length: 1\r\ntransfer-encoding: chunked\r\nConnection: x\r\nTE: trailers\r\nExpect: 100-continue\r\n"
	for _, name := range []string{"*", "c*", "content-*", "h*", "t*"} {
		var e Edits
		e.Drop(name)
		if got := string(e.append(nil, []byte("POST / HTTP/1.1\r\n"+framing+"\r\n"))); got != "POST / HTTP/1.1\r\n"+framing+"\r\n" {
			t.Errorf("%s: %q", name, got)
		}
	}
}

// An edited head parses, and has the fields that it should, in order.
func FuzzEdits(f *testing.F) {
	f.Add("A: 1\r\nB: 2\r\n", "a,x-*", "B", "3")
	f.Add("X-A:\r\nContent-Length: 0\r\n", "*", "X-A", "")
	f.Fuzz(func(t *testing.T, fields, drop, name, value string) {
		const start = "HTTP/1.1 200 OK\r\n"
		var was, is, one wire.Response
		front := []byte(start + fields + "\r\n")
		if n, err := was.Parse(front); err != nil || n != len(front) {
			return
		}
		if strings.HasSuffix(name, "*") {
			return
		}
		if n, err := one.Parse([]byte(start + name + ": " + value + "\r\n\r\n")); err != nil || len(one.Fields) != 1 || n != len(start)+len(name)+len(value)+6 {
			return
		}
		var e Edits
		names := strings.Split(strings.ToLower(drop), ",")
		for _, d := range names {
			e.Drop(d)
		}
		e.Set(strings.ToLower(name), []byte(value))
		var want [][]byte
		for i := range was.Fields {
			g := &was.Fields[i]
			of := was.Name(g)
			if bytes.EqualFold(of, []byte(name)) || slices.ContainsFunc(names, func(d string) bool {
				p, any := strings.CutSuffix(d, "*")
				return !any && wire.EqualFold(of, d) || any && !delimits(g.Kind) && strings.HasPrefix(strings.ToLower(string(of)), p)
			}) {
				continue
			}
			want = append(want, was.Raw[g.At:g.End])
		}
		want = append(want, []byte(strings.ToLower(name)+": "+value+"\r\n"))
		edited := e.append(nil, front)
		if _, err := is.Parse(edited); err != nil {
			return // two that may not be together, which the first parse did not have
		}
		var got [][]byte
		for i := range is.Fields {
			got = append(got, is.Raw[is.Fields[i].At:is.Fields[i].End])
		}
		if !slices.EqualFunc(got, want, bytes.Equal) {
			t.Errorf("%q without %q, and %s: %q: %q, want %q", fields, drop, name, value, got, want)
		}
	})
}
