package part

import (
	"fmt"
	"strings"
	"testing"
)

func TestRanges(t *testing.T) {
	f := func(asked string, length int64, want string) {
		t.Helper()
		s := Stored{Length: length}
		if got := told(request(t, "GET", "Range: "+asked), &s); got != want {
			t.Errorf("%s of %d bytes: %s, want %s", asked, length, got, want)
		}
	}
	f("bytes=0-0", 10, "partial 0-0")
	f("bytes=0-9", 10, "partial 0-9")
	f("bytes=0-10", 10, "partial 0-9")
	f("bytes=9-", 10, "partial 9-9")
	f("bytes=-10", 10, "partial 0-9")
	f("bytes=-11", 10, "partial 0-9")
	f("Bytes=3-4", 10, "partial 3-4")
	f("bytes= 3-4 ,", 10, "partial 3-4")
	f("bytes=000-001", 10, "partial 0-1")
	f("bytes=0-99999999999999999999999", 10, "partial 0-9")
	f("bytes=-99999999999999999999999", 10, "partial 0-9")
	f("bytes=0-9223372036854775807", 10, "partial 0-9")

	f("bytes=10-", 10, "416")
	f("bytes=10-20", 10, "416")
	f("bytes=-0", 10, "416")
	f("bytes=99999999999999999999999-", 10, "416")
	f("bytes=10-,-0", 10, "416")
	f("bytes=0-", 0, "whole")
	f("bytes=-1", 0, "whole")

	f("bytes=", 10, "whole")
	f("bytes=,", 10, "whole")
	f("bytes=-", 10, "whole")
	f("bytes=2-1", 10, "whole")
	f("bytes=20-11", 10, "whole")
	f("bytes=0-1,2-1", 10, "whole")
	f("bytes=a-b", 10, "whole")
	f("bytes=1", 10, "whole")
	f("bytes=0x0-1", 10, "whole")
	f("bytes=+0-1", 10, "whole")
	f("bytes=0 - 1", 10, "whole")
	f("bytes=0--1", 10, "whole")
	f("bytes=--1", 10, "whole")
	f("bytes =0-1", 10, "whole")
	f("bytes 0-1", 10, "whole")
	f("byte=0-1", 10, "whole")
	f("items=0-1", 10, "whole")
	f("0-1", 10, "whole")
	f("", 10, "whole")
	f("bytes=0-1|Range: bytes=2-3", 10, "whole")

	f("bytes=0-1,4-5", 10, "multipart 0-1 4-5")
	f("bytes=8-, 0-1", 10, "multipart 8-9 0-1")
	f("bytes=0-1,-2", 10, "multipart 0-1 8-9")
	f("bytes=0-1,20-", 10, "partial 0-1")
	f("bytes=0-1,2-3", 10, "partial 0-3")
	f("bytes=0-4,2-6", 10, "partial 0-6")
	f("bytes=0-4,2-3,8-9", 10, "multipart 0-4 8-9")
	f("bytes=2-3,0-1", 10, "multipart 2-3 0-1")
	f("bytes=2-6,0-4", 10, "whole")
	f("bytes=0-1,4-5,0-1", 10, "whole")
	f("bytes=0-,0-,0-", 10, "partial 0-9")
	f("bytes=5-6,0-9", 10, "whole")
}

func TestTooManyRangesAreIgnored(t *testing.T) {
	f := func(n int, want string) {
		t.Helper()
		var list []string
		for i := range n {
			list = append(list, fmt.Sprintf("%d-%d", 2*i, 2*i))
		}
		s := Stored{Length: 1000}
		if got := told(request(t, "GET", "Range: bytes="+strings.Join(list, ",")), &s); !strings.HasPrefix(got, want) {
			t.Errorf("%d ranges: %s, want %s", n, got, want)
		}
	}
	f(16, "multipart 0-0 2-2 4-4")
	f(17, "whole")
	f(1000, "whole")
}

func TestRangeIsForGetAlone(t *testing.T) {
	s := Stored{ETag: []byte(`"a"`), Length: 10}
	f := func(method, asked, want string) {
		t.Helper()
		if got := told(request(t, method, asked), &s); got != want {
			t.Errorf("%s %s: %s, want %s", method, asked, got, want)
		}
	}
	f("HEAD", "Range: bytes=0-1", "whole")
	f("HEAD", "Range: bytes=20-", "whole")
	f("GET", `Range: bytes=0-1|If-None-Match: "a"`, "304")
	f("GET", `Range: bytes=20-|If-None-Match: "b"`, "416")
	f("GET", `If-Range: "b"`, "whole")
}

func TestRangesOfAPart(t *testing.T) {
	f := func(contentRange, method, asked, want string) {
		t.Helper()
		held, length, ok := ParseContentRange([]byte(contentRange))
		if !ok {
			t.Fatal(contentRange)
		}
		s := Stored{Length: length, Held: held}
		if got := told(request(t, method, asked), &s); got != want {
			t.Errorf("%s, %s %s: %s, want %s", contentRange, method, asked, got, want)
		}
	}
	f("bytes 0-4/10", "GET", "Range: bytes=0-4", "partial 0-4")
	f("bytes 0-4/10", "GET", "Range: bytes=0-5", "incomplete 0-5")
	f("bytes 0-4/10", "GET", "Range: bytes=0-1,3-3", "multipart 0-1 3-3")
	f("bytes 0-4/10", "GET", "Range: bytes=0-1,5-5", "incomplete 0-1 5-5")
	f("bytes 0-4/10", "GET", "Range: bytes=10-", "416")
	f("bytes 0-4/10", "GET", "Range: nonsense", "incomplete 0-9")
	f("bytes 0-4/10", "GET", "", "incomplete 0-9")
	f("bytes 0-4/10", "HEAD", "", "pass")
	f("bytes 0-9/10", "GET", "", "whole")
	f("bytes 0-9/10", "HEAD", "", "whole")
	f("bytes 5-9/*", "GET", "Range: bytes=6-7", "partial 6-7")
	f("bytes 5-9/*", "GET", "Range: bytes=6-10", "incomplete 6-10")
	f("bytes 5-9/*", "GET", "Range: bytes=6-", "incomplete 6-9223372036854775806")
	f("bytes 5-9/*", "GET", "Range: bytes=-0", "pass")
	f("bytes 0-9/*", "GET", "", "incomplete 0-9223372036854775806")
}

// Whatever a Range says, what is given for it lies in the representation, in
// so many spans, no byte of it twice; and a request costs no more than that.
func FuzzRange(f *testing.F) {
	for _, s := range []string{"bytes=0-1", "bytes=-5,1-", "bytes=5-,0-4", "bytes=0-,0-", "bytes=9999999999999999999-", "bytes=-0", "bytes=1-2,3-4, ,7-8"} {
		f.Add(s, int64(10), int64(0), int64(10))
		f.Add(s, int64(-1), int64(2), int64(8))
	}
	f.Fuzz(func(t *testing.T, v string, length, from, to int64) {
		held := Span{from, to}
		if length < -1 || from < 0 || length >= 0 && to > length || held.Len() <= 0 && (held != Span{} || length < 0) {
			return // nothing that Read makes
		}
		s := Stored{Length: length, Held: held}
		a := asks{ranges: line{[]byte(v), 1}}
		var r Ranges
		verdict := a.spans(request(t, "GET", ""), &s, now, &r)
		switch verdict {
		case Whole:
			if !s.Complete() {
				t.Fatalf("%q: all of %+v", v, s)
			}
		case Partial, Multipart:
			if (verdict == Partial) != (len(r.Spans()) == 1) || !s.holds(r.Spans()) {
				t.Fatalf("%q: %v %v", v, verdict, r.Spans())
			}
		case Unsatisfiable:
			if length <= 0 {
				t.Fatalf("%q: 416 of %d bytes", v, length)
			}
		}
		for i, w := range r.Spans() {
			for j, p := range r.Spans() {
				if w.Len() <= 0 || i != j && w.From < p.To && p.From < w.To {
					t.Fatalf("%q: %v", v, r.Spans())
				}
			}
		}
	})
}
