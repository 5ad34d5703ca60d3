package rule

import (
	"fmt"
	"strings"
	"testing"

	"multiserver/proxy/wire"
)

func request(t testing.TB, lines ...string) *wire.Request {
	t.Helper()
	return method(t, "GET", lines...)
}

func method(t testing.TB, m string, lines ...string) *wire.Request {
	t.Helper()
	var q wire.Request
	if _, err := q.Parse([]byte(m + " / HTTP/1.1\r\nHost: a\r\n" + block(lines))); err != nil {
		t.Fatalf("%q: %v", lines, err)
	}
	return &q
}

func answer(t testing.TB, status int, lines ...string) *wire.Response {
	t.Helper()
	var r wire.Response
	if _, err := r.Parse([]byte(fmt.Sprintf("HTTP/1.1 %d x\r\n", status) + block(lines))); err != nil {
		t.Fatalf("%q: %v", lines, err)
	}
	return &r
}

func block(lines []string) string {
	var b strings.Builder
	for _, l := range lines {
		if l != "" {
			b.WriteString(l + "\r\n")
		}
	}
	return b.String() + "\r\n"
}

// tryAnswer is answer for lines that may be anything.
func tryAnswer(lines string) (*wire.Response, bool) {
	var r wire.Response
	_, err := r.Parse([]byte("HTTP/1.1 200 x\r\n" + block(strings.Split(lines, " | "))))
	return &r, err == nil
}

// tryRequest is request for lines that may be anything.
func tryRequest(lines ...string) (*wire.Request, bool) {
	var q wire.Request
	_, err := q.Parse([]byte("GET / HTTP/1.1\r\nHost: a\r\n" + block(lines)))
	return &q, err == nil
}
