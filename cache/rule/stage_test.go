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
