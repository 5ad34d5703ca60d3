package part

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"multiserver/proxy/wire"
)

const now = 1_700_000_000

// at is an HTTP date that many seconds from now.
func at(seconds int64) string {
	return time.Unix(now+seconds, 0).UTC().Format("Mon, 02 Jan 2006 15:04:05 GMT")
}

func at850(seconds int64) string {
	return time.Unix(now+seconds, 0).UTC().Format("Monday, 02-Jan-06 15:04:05 GMT")
}

// request makes one of a method and lines of fields, separated by "|".
func request(t testing.TB, method, lines string) *wire.Request {
	t.Helper()
	if lines != "" {
		lines = strings.ReplaceAll(lines, "|", "\r\n") + "\r\n"
	}
	q := new(wire.Request)
	if _, err := q.Parse([]byte(method + " / HTTP/1.1\r\nHost: h\r\n" + lines + "\r\n")); err != nil {
		t.Fatalf("%q: %v", lines, err)
	}
	return q
}

// answer makes what is stored of lines of fields and a body.
func answer(t testing.TB, status int, lines string, body int64) (Stored, bool) {
	t.Helper()
	if lines != "" {
		lines = strings.ReplaceAll(lines, "|", "\r\n") + "\r\n"
	}
	r := new(wire.Response)
	if _, err := r.Parse(fmt.Appendf(nil, "HTTP/1.1 %d X\r\n%s\r\n", status, lines)); err != nil {
		t.Fatalf("%q: %v", lines, err)
	}
	return Read(r, body)
}

func (v Verdict) String() string {
	return [...]string{"whole", "304", "partial", "multipart", "416", "incomplete", "pass"}[v]
}

// told is a verdict with its spans: "partial 0-1".
func told(req *wire.Request, s *Stored) string {
	var r Ranges
	v := Of(req, s, now, &r)
	text := v.String()
	for _, w := range r.Spans() {
		text += fmt.Sprintf(" %d-%d", w.From, w.To-1)
	}
	return text
}

// The cases of the public suite http-tests/cache-tests that are about what is
// answered from the store. Where we do not do what it asks for, it says so.
func TestPublicSuite(t *testing.T) {
	f := func(id, stored, asked, want string) {
		t.Helper()
		s, ok := answer(t, 200, stored, 100)
		if !ok {
			t.Fatalf("%s: not stored", id)
		}
		if got := told(request(t, "GET", asked), &s); got != want {
			t.Errorf("%s: %s, want %s", id, got, want)
		}
	}
	f("conditional-etag-strong-respond", `ETag: "abcdef"`, `If-None-Match: "abcdef"`, "304")
	f("conditional-etag-precedence", `Last-Modified: `+at(-5000)+`|ETag: "abcdef"`,
		`If-None-Match: "abcdef"|If-Modified-Since: `+at(-10000), "304")
	f("conditional-etag-strong-respond-obs-text", "ETag: \"abcdef\xfc\"", "If-None-Match: \"abcdef\xfc\"", "304")
	f("conditional-etag-quoted-respond-unquoted", `ETag: "abcdef"`, `If-None-Match: abcdef`, "304")
	f("conditional-etag-unquoted-respond-unquoted", `ETag: abcdef`, `If-None-Match: abcdef`, "304")
	f("conditional-etag-unquoted-respond-quoted", `ETag: abcdef`, `If-None-Match: "abcdef"`, "304")
	f("conditional-etag-weak-respond", `ETag: W/"abcdef"`, `If-None-Match: W/"abcdef"`, "304")
	f("conditional-etag-weak-respond-lowercase", `ETag: w/"abcdef"`, `If-None-Match: w/"abcdef"`, "304")
	f("conditional-etag-weak-respond-backslash", `ETag: W\"abcdef"`, `If-None-Match: W\"abcdef"`, "304")
	f("conditional-etag-weak-respond-omit-slash", `ETag: W"abcdef"`, `If-None-Match: W"abcdef"`, "304")
	f("conditional-etag-strong-respond-multiple-first", `ETag: "abcdef"`, `If-None-Match: "abcdef", "1234", "5678"`, "304")
	f("conditional-etag-strong-respond-multiple-second", `ETag: "abcdef"`, `If-None-Match: "1234", "abcdef", "5678"`, "304")
	f("conditional-etag-strong-respond-multiple-last", `ETag: "abcdef"`, `If-None-Match: "1234", "5678", "abcdef"`, "304")

	f("conditional-lm-fresh", "Date: "+at(0)+"|Last-Modified: "+at(-3000), "If-Modified-Since: "+at(-3000), "304")
	f("conditional-lm-fresh-earlier", "Date: "+at(0)+"|Last-Modified: "+at(-3000), "If-Modified-Since: "+at(-2000), "304")
	f("conditional-lm-fresh-rfc850", "Date: "+at(0)+"|Last-Modified: "+at(-3000), "If-Modified-Since: "+at850(-3000), "304")
	// The suite wants 304, and no cache in its tables gives it: the answer is
	// 50 minutes newer than what the client has (RFC 9111 §4.3.2).
	f("conditional-lm-fresh-no-lm", "Date: "+at(0), "If-Modified-Since: "+at(-3000), "whole")
}

func TestPublicSuitePartial(t *testing.T) {
	f := func(id, asked string, length int64, want string) {
		t.Helper()
		s, _ := answer(t, 200, "", length)
		if got := told(request(t, "GET", asked), &s); got != want {
			t.Errorf("%s: %s, want %s", id, got, want)
		}
	}
	f("partial-store-complete-reuse-partial", "Range: bytes=0-1", 11, "partial 0-1")
	f("partial-store-complete-reuse-partial-no-last", "Range: bytes=1-", 11, "partial 1-10")
	f("partial-store-complete-reuse-partial-suffix", "Range: bytes=-1", 11, "partial 10-10")

	// The suite stores "01234" as bytes 4-9, which are six. Nobody knows which
	// five they are, and the suite itself takes them for 4-8 in one case and
	// for 5-9 in the next.
	if _, ok := answer(t, 206, "Content-Range: bytes 4-9/10", 5); ok {
		t.Error("partial-store-partial-reuse-partial-*: stored in no sure place")
	}

	// The same with a Content-Range that tells the truth.
	s, ok := answer(t, 206, "Content-Range: bytes 5-9/10", 5)
	g := func(id, asked, want string) {
		t.Helper()
		if got := told(request(t, "GET", asked), &s); got != want || !ok {
			t.Errorf("%s: %s, want %s", id, got, want)
		}
	}
	g("partial-store-partial-reuse-partial", "Range: bytes=-5", "partial 5-9")
	g("partial-store-partial-reuse-partial-byterange", "Range: bytes=6-8", "partial 6-8")
	g("partial-store-partial-reuse-partial-absent", "Range: bytes=6-", "partial 6-9")
	g("partial-store-partial-reuse-partial-suffix", "Range: bytes=-1", "partial 9-9")

	// The suite wants "bytes=5-" without any validator; what comes could not
	// be told to be the rest of the same thing (RFC 9111 §3.4).
	h := func(id, stored, want string) {
		t.Helper()
		s, _ := answer(t, 206, "Content-Range: bytes 0-4/10|"+stored, 5)
		var r Ranges
		if v := Of(request(t, "GET", ""), &s, now, &r); v != Incomplete {
			t.Errorf("%s: %v", id, v)
		}
		got := "nothing"
		if gap, ok := s.Missing(&r, now); ok {
			got = string(s.AppendRange(nil, gap))
		}
		if got != want {
			t.Errorf("%s: %s, want %s", id, got, want)
		}
	}
	h("partial-store-partial-complete", "Cache-Control: max-age=3600", "nothing")
	h("partial-store-partial-complete, with a tag", `ETag: "a"`, "bytes=5-")
}
