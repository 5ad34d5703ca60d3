package part

import "testing"

func TestEntityTags(t *testing.T) {
	f := func(tag, asked, want string) {
		t.Helper()
		s := Stored{ETag: []byte(tag), Length: 10}
		if tag == "" {
			s.ETag = nil
		}
		if got := told(request(t, "GET", asked), &s); got != want {
			t.Errorf("%s, asked %s: %s, want %s", tag, asked, got, want)
		}
	}
	f(`"a"`, `If-None-Match: "b"`, "whole")
	f(`"a"`, `if-none-match: *`, "304")
	f(``, `If-None-Match: *`, "304")
	f(``, `If-None-Match: "a"`, "whole")
	f(``, `If-None-Match: ""`, "whole")
	f(`""`, `If-None-Match: ""`, "304")
	f(`"a"`, `If-None-Match:`, "whole")
	f(`"a"`, `If-None-Match: "A"`, "whole")
	f(`"a"`, `If-None-Match: W/"a"`, "304")
	f(`W/"a"`, `If-None-Match: "a"`, "304")
	f(`"a"`, `If-None-Match: "b"|If-None-Match: "a"`, "304")
	f(`"a"`, `If-None-Match: "b"|X: y|If-None-Match: *`, "304")
	f(`"a,b"`, `If-None-Match: "a,b"`, "304")
	f(`"b"`, `If-None-Match: "a,"b",c"`, "whole")
	f(`"a"`, `If-None-Match: ,, "b" ,W/"a",`, "304")
	f(`"a"`, `If-None-Match: "b" "a"`, "304")
	f(`"a"`, `If-None-Match: b c, "a"`, "304")
	f(`"a"`, `If-None-Match: "b, "a"`, "whole")
	f(`"a`, `If-None-Match: "a`, "304")
	f(`W/`, `If-None-Match: W/`, "304")
	f(`"a"`, `If-None-Match: "b", *`, "whole")
	f(`a`, `If-None-Match: W/a`, "whole")
}

func TestDatesOfConditions(t *testing.T) {
	f := func(modified, date, asked, want string) {
		t.Helper()
		s := Stored{LastModified: []byte(modified), Date: []byte(date), Length: 10}
		if got := told(request(t, "GET", asked), &s); got != want {
			t.Errorf("%s, of %s, asked %s: %s, want %s", modified, date, asked, got, want)
		}
	}
	f(at(-9), at(0), "If-Modified-Since: "+at(-10), "whole")
	f(at(-9), at(0), "If-Modified-Since: "+at(-9), "304")
	f(at(-9), at(0), "If-Modified-Since: "+at(100), "304")
	f(at(-9), at(0), "If-Modified-Since: yesterday", "whole")
	f(at(-9), at(0), "If-Modified-Since:", "whole")
	f(at(-9), at(0), "If-Modified-Since: "+at(0)+"|If-Modified-Since: "+at(0), "whole")
	f("", at(0), "If-Modified-Since: "+at(0), "304")
	f("soon", at(0), "If-Modified-Since: "+at(-1), "whole")
	f("soon", at(0), "If-Modified-Since: "+at(0), "304")
	f("", "", "If-Modified-Since: "+at(0), "whole")
	f(at(-9), at(0), `If-None-Match: "a"|If-Modified-Since: `+at(0), "whole")
	f(at(-9), at(0), `If-None-Match:|If-Modified-Since: `+at(0), "whole")

	f(at(-9), at(0), "If-Unmodified-Since: "+at(-9), "whole")
	f(at(-9), at(0), "If-Unmodified-Since: "+at(-10), "pass")
	f(at(-9), at(0), "If-Unmodified-Since: never", "whole")
	f("", at(0), "If-Unmodified-Since: "+at(-10), "whole")
	f(at(-9), at(0), "If-Unmodified-Since: "+at(-9)+"|If-Modified-Since: "+at(-9), "304")
}

// A cache never says 412: the origin may have what the client means.
func TestPreconditionsForTheOriginAreItsOwn(t *testing.T) {
	f := func(method, asked, want string) {
		t.Helper()
		s := Stored{ETag: []byte(`"a"`), LastModified: []byte(at(-9)), Length: 10}
		if got := told(request(t, method, asked), &s); got != want {
			t.Errorf("%s %s: %s, want %s", method, asked, got, want)
		}
	}
	f("GET", `If-Match: "a"`, "whole")
	f("GET", `If-Match: "b", "a"`, "whole")
	f("GET", `If-Match: *`, "whole")
	f("GET", `If-Match: "b"`, "pass")
	f("GET", `If-Match: W/"a"`, "pass")
	f("GET", `If-Match: a`, "pass")
	f("GET", `If-Match: "a"|If-Unmodified-Since: `+at(-100), "whole")
	f("GET", `If-Match: "a"|If-None-Match: "a"`, "304")
	f("GET", `If-Match: "b"|If-None-Match: "a"`, "pass")
	f("GET", `If-Match: "b"|Range: bytes=0-1`, "pass")
	f("HEAD", `If-None-Match: "a"`, "304")
	f("HEAD", "If-Modified-Since: "+at(0), "304")
	f("POST", `If-None-Match: "a"`, "pass")
	f("POST", "If-Modified-Since: "+at(0), "pass")
	f("POST", "Range: bytes=0-1", "whole")
}

func TestIfRange(t *testing.T) {
	f := func(tag, modified, date, asked, want string) {
		t.Helper()
		s := Stored{ETag: []byte(tag), LastModified: []byte(modified), Date: []byte(date), Length: 10}
		if got := told(request(t, "GET", "Range: bytes=0-1|If-Range: "+asked), &s); got != want {
			t.Errorf("%s, %s, of %s, If-Range: %s: %s, want %s", tag, modified, date, asked, got, want)
		}
	}
	f(`"a"`, "", "", `"a"`, "partial 0-1")
	f(`"a"`, "", "", `"b"`, "whole")
	f(`"a"`, "", "", `W/"a"`, "whole")
	f(`W/"a"`, "", "", `W/"a"`, "whole")
	f(`W/"a"`, "", "", `"a"`, "whole")
	f(`a`, "", "", `a`, "whole")
	f(`"a"`, "", "", `"a", "a"`, "whole")
	f(`"a"`, "", "", `"a"|If-Range: "a"`, "whole")
	f(`"a"`, "", "", ``, "whole")
	f("", at(-9), at(0), at(-9), "partial 0-1")
	f("", at(-9), at(0), at850(-9), "partial 0-1")
	f("", at(-9), at(0), at(-8), "whole")
	f("", at(-9), at(-8), at(-9), "partial 0-1")
	f("", at(-9), at(-9), at(-9), "whole")
	f("", at(-9), "", at(-9), "whole")
	f("", "", at(0), at(0), "whole")
}
