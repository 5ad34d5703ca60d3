package proxy

import "testing"

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
