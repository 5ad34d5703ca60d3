package part

import (
	"fmt"
	"testing"
)

func TestMissing(t *testing.T) {
	f := func(stored, asked, want string) {
		t.Helper()
		s := part(t, stored+`|ETag: "a"`)
		var r Ranges
		if v := Of(request(t, "GET", asked), &s, now, &r); v != Incomplete {
			t.Fatalf("%s, asked %s: %v", stored, asked, v)
		}
		got := "nothing"
		if gap, ok := s.Missing(&r, now); ok {
			got = string(s.AppendRange(nil, gap))
		}
		if got != want {
			t.Errorf("%s, asked %s: %s, want %s", stored, asked, got, want)
		}
	}
	f("bytes 0-4/10", "", "bytes=5-")
	f("bytes 5-9/10", "", "bytes=0-4")
	f("bytes 3-6/10", "", "nothing")
	f("bytes 3-6/10", "Range: bytes=0-3", "bytes=0-2")
	f("bytes 3-6/10", "Range: bytes=0-2", "bytes=0-2")
	f("bytes 3-6/10", "Range: bytes=0-1", "nothing")
	f("bytes 3-6/10", "Range: bytes=5-8", "bytes=7-8")
	f("bytes 3-6/10", "Range: bytes=7-", "bytes=7-")
	f("bytes 3-6/10", "Range: bytes=8-", "nothing")
	f("bytes 3-6/10", "Range: bytes=-5", "bytes=7-")
	f("bytes 3-6/10", "Range: bytes=2-7", "nothing")
	f("bytes 0-6/10", "Range: bytes=0-1,8-8", "nothing")
	f("bytes 0-4/*", "", "bytes=5-")
	f("bytes 0-4/*", "Range: bytes=3-8", "bytes=5-8")
	f("bytes 0-4/*", "Range: bytes=-3", "nothing")
}

// part is a 206 with that Content-Range and other fields behind it.
func part(t *testing.T, lines string) Stored {
	t.Helper()
	for n := int64(1); n < 20; n++ {
		if s, ok := answer(t, 206, "Content-Range: "+lines, n); ok {
			return s
		}
	}
	t.Fatal(lines)
	return Stored{}
}

func TestJoin(t *testing.T) {
	f := func(old, new, want string) {
		t.Helper()
		a, b := part(t, old), part(t, new)
		got := "no"
		if s, ok := a.Join(&b, now); ok {
			got = fmt.Sprint(string(AppendContentRange(nil, s.Held, s.Length)), " ", s.Complete())
		}
		if got != want {
			t.Errorf("%s and %s: %s, want %s", old, new, got, want)
		}
	}
	f(`bytes 0-4/10|ETag: "a"`, `bytes 5-9/10|ETag: "a"`, "bytes 0-9/10 true")
	f(`bytes 5-9/10|ETag: "a"`, `bytes 0-4/10|ETag: "a"`, "bytes 0-9/10 true")
	f(`bytes 0-4/10|ETag: "a"`, `bytes 3-7/10|ETag: "a"`, "bytes 0-7/10 false")
	f(`bytes 0-4/*|ETag: "a"`, `bytes 5-9/10|ETag: "a"`, "bytes 0-9/10 true")
	f(`bytes 0-4/*|ETag: "a"`, `bytes 5-9/*|ETag: "a"`, "bytes 0-9/* false")
	f(`bytes 0-4/10|ETag: "a"`, `bytes 6-9/10|ETag: "a"`, "no")
	f(`bytes 0-4/10|ETag: "a"`, `bytes 5-9/11|ETag: "a"`, "no")
	f(`bytes 5-9/*|ETag: "a"`, `bytes 0-4/5|ETag: "a"`, "no")
	f(`bytes 0-4/10|ETag: "a"`, `bytes 5-9/10|ETag: "b"`, "no")
	f(`bytes 0-4/10|ETag: W/"a"`, `bytes 5-9/10|ETag: W/"a"`, "no")
	f(`bytes 0-4/10|ETag: a`, `bytes 5-9/10|ETag: a`, "no")
	f(`bytes 0-4/10`, `bytes 5-9/10`, "no")

	lm := "|Last-Modified: " + at(-9) + "|Date: "
	f(`bytes 0-4/10`+lm+at(-5), `bytes 5-9/10`+lm+at(0), "bytes 0-9/10 true")
	f(`bytes 0-4/10`+lm+at(-9), `bytes 5-9/10`+lm+at(0), "no")
	f(`bytes 0-4/10|ETag: "a"`+lm+at(-5), `bytes 5-9/10`+lm+at(0), "no")
	f(`bytes 0-4/10|ETag: W/"a"`+lm+at(-5), `bytes 5-9/10|ETag: W/"a"`+lm+at(0), "no")
	f(`bytes 0-4/10`+lm+at(-5), `bytes 5-9/10|Last-Modified: `+at(-8)+"|Date: "+at(0), "no")
}

func TestStrong(t *testing.T) {
	f := func(tag, modified, date, want string) {
		t.Helper()
		s := Stored{ETag: []byte(tag), LastModified: []byte(modified), Date: []byte(date)}
		if got := string(s.Strong(now)); got != want {
			t.Errorf("%s, %s, of %s: %q, want %q", tag, modified, date, got, want)
		}
	}
	f(`"a"`, at(-9), at(0), `"a"`)
	f(`W/"a"`, at(-9), at(0), "")
	f("", at(-9), at(0), at(-9))
	f("", at(-9), at(-9), "")
	f("", "", at(0), "")
}
