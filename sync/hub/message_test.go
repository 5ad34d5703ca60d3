package hub

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
)

func TestFramesAreOfAServer(t *testing.T) {
	f := func(n int, kind Kind, head string) {
		t.Helper()
		data := bytes.Repeat([]byte("x"), n)
		m := newMessage("c", ID{}, kind, "", data)
		if got := m.Frame(); !bytes.HasPrefix(got, []byte(head)) || !bytes.Equal(got[len(head):], data) || !bytes.Equal(m.Data, data) {
			t.Errorf("%d bytes: % x…", n, got[:min(12, len(got))])
		}
	}
	f(0, Text, "\x81\x00")
	f(125, Text, "\x81\x7d")
	f(126, Binary, "\x82\x7e\x00\x7e")
	f(65535, Binary, "\x82\x7e\xff\xff")
	f(65536, Text, "\x81\x7f\x00\x00\x00\x00\x00\x01\x00\x00")
}

func TestIDs(t *testing.T) {
	f := func(text string, want ID, ok bool) {
		t.Helper()
		if id, got := ParseID(text); got != ok || ok && id != want {
			t.Errorf("%q: %v %v", text, id, got)
		}
		if ok && want.String() != text {
			t.Errorf("%v for %q", want, text)
		}
	}
	f("1-2", ID{1, 2}, true)
	f("18446744073709551615-18446744073709551615", ID{1<<64 - 1, 1<<64 - 1}, true)
	for _, bad := range []string{"", "-", "1", "1-", "-1", "0-1", "1--2", "+1-2", "1-+2", "1-2-3", "1 -2", "a-b", "18446744073709551616-1"} {
		f(bad, ID{}, false)
	}
}

func TestTemplates(t *testing.T) {
	values := map[string]string{"path": "/chat/7", "session.user": "ann", "gone": ""}
	known := func(name string) bool { _, ok := values[name]; return ok }
	f := func(text, want string, named bool) {
		t.Helper()
		tmpl, err := ParseTemplate(text, known)
		if err != nil {
			t.Fatal(err)
		}
		if got, ok := tmpl.Expand(func(name string) string { return values[name] }); ok != named || ok && got != want {
			t.Errorf("%q: %q %v", text, got, ok)
		}
	}
	f("all", "all", true)
	f("path:{path}", "path:/chat/7", true)
	f("{session.user}@{path}!", "ann@/chat/7!", true)
	f("user:{gone}", "", false)
	for _, bad := range []string{"", "a{path", "a}b", "{other}", "\n", "{}"} {
		if _, err := ParseTemplate(bad, known); err == nil || !strings.Contains(err.Error(), fmt.Sprintf("%q", bad)) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

func TestNamesOfAField(t *testing.T) {
	f := func(list string, want ...string) {
		t.Helper()
		var got []string
		Names(list, func(name string) { got = append(got, name) })
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%q: %q", list, got)
		}
	}
	f("")
	f("room:1, user:42", "room:1", "user:42")
	f(" ,a,\t b ,,", "a", "b")
}

func TestPatterns(t *testing.T) {
	f := func(pattern, name string, want bool) {
		t.Helper()
		if got := Match(pattern, name); got != want {
			t.Errorf("%q, %q: %v", pattern, name, got)
		}
	}
	f("*", "any", true)
	f("room:*", "room:1", true)
	f("room:*", "rooms", false)
	f("room", "room", true)
	f("room", "room:1", false)
}

func FuzzEnvelope(f *testing.F) {
	f.Add((&envelope{from: 1, seq: 2, kind: Text, exclude: "me", data: []byte("hi")}).append(nil))
	f.Fuzz(func(t *testing.T, b []byte) {
		var e envelope
		if e.parse(b) && !bytes.Equal(e.append(nil), b) {
			t.Errorf("% x becomes % x", b, e.append(nil))
		}
	})
}
