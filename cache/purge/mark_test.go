package purge

import (
	"bytes"
	"strings"
	"testing"
)

func TestMarksTravel(t *testing.T) {
	f := func(m Mark, want string) {
		t.Helper()
		got := m.Append([]byte("before "))
		if string(got) != "before "+want {
			t.Errorf("%+v: %q, want %q", m, got, want)
		}
		back, ok := ParseMark(got[len("before "):])
		if !ok || back.Kind != m.Kind || back.Soft != m.Soft || !bytes.Equal(back.Name, m.Name) {
			t.Errorf("%q: %+v, %v, want %+v", want, back, ok, m)
		}
	}
	f(mark(All, ""), "A")
	f(soft(All, ""), "a")
	f(mark(Prefix, "http://a/"), "Phttp://a/")
	f(soft(Prefix, "http://a/"), "phttp://a/")
	f(mark(Tag, "news"), "Tnews")
	f(soft(Tag, "T"), "tT")
	f(mark(URL, "http://a/"), "Uhttp://a/")
	f(soft(URL, "a/b"), "ua/b")

	for _, wrong := range []string{"", "P", "t", "Aname", "ahttp://a/", "?", "?x", "Xname", "\x00name", "\xffname"} {
		if m, ok := ParseMark([]byte(wrong)); ok {
			t.Errorf("%q: %+v", wrong, m)
		}
	}
}

func FuzzParseMark(f *testing.F) {
	for _, s := range []string{"", "A", "phttp://a/", "Tnews", "Ua/b", "?"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		m, ok := ParseMark(b)
		if !ok {
			return
		}
		if again := m.Append(nil); !bytes.Equal(again, b) {
			t.Fatalf("%q became %q", b, again)
		}
		var table Table
		table.Set(m, 1)
		if v := table.Check(m.Name, AppendTags(nil, bytes.Trim(m.Name, " \t"), ','), 0); m.Kind != Tag && v == Valid {
			t.Fatalf("%q does not purge what it names", b)
		}
	})
}

func FuzzAppendTags(f *testing.F) {
	f.Add([]byte("a b"), []byte("b, c"))
	f.Add([]byte(strings.Repeat("x y\tz ", 9)), []byte(",,\t, ,"))
	f.Add([]byte(""), []byte("a\x00b,\xff"))
	f.Fuzz(func(t *testing.T, keys, tags []byte) {
		got := AppendTags(AppendTags(nil, keys, ' '), tags, ',')
		if len(got)%8 != 0 || len(got) > 8*MaxTags {
			t.Fatalf("%d bytes", len(got))
		}
		if again := AppendTags(AppendTags(got, tags, ','), keys, ' '); !bytes.Equal(again, got) {
			t.Fatalf("the same again: %x became %x", got, again)
		}
		for tag := range bytes.SplitSeq(tags, []byte(",")) {
			if tag = bytes.Trim(tag, " \t"); len(tag) == 0 {
				continue
			}
			var table Table
			table.Set(Mark{Kind: Tag, Name: tag}, 1)
			if v := table.Check(nil, got, 0); v != Gone {
				t.Fatalf("%q purges nothing of %q", tag, tags)
			}
		}
	})
}
