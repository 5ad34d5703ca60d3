package filter

import (
	"strings"
	"testing"

	"multiserver/proxy"
	"multiserver/proxy/wire"
)

// Whatever words an operator writes, and whatever head a client sends, a field
// of them is one line.
func FuzzTemplate(f *testing.F) {
	f.Add("{method} {host}{path}?{query} {{x", "/a?b", "A: b\r\n")
	f.Add("{header:a}", "/", "a: {host}\r\n")
	f.Add("a\r\nb{host}", "/", "")
	f.Fuzz(func(t *testing.T, words, path, fields string) {
		words = strings.ReplaceAll(words, "{client}", "") // which needs a connection,
		words = strings.ReplaceAll(words, "{scheme}", "") // as this does
		made, err := parseTemplate(words)
		if err != nil {
			return
		}
		for i := range made {
			if made[i].name == "client" || made[i].name == "scheme" {
				return
			}
		}
		var x proxy.Exchange
		if _, err := x.Req.Parse([]byte("GET " + path + " HTTP/1.1\r\nHost: a\r\n" + fields + "\r\n")); err != nil {
			return
		}
		line := made.append([]byte("X-A: "), &x)
		var res wire.Response
		if _, err := res.Parse([]byte("HTTP/1.1 200 OK\r\n" + string(line) + "\r\n\r\n")); err != nil || len(res.Fields) != 1 {
			t.Errorf("%q of %q, %q: %q: %v", words, path, fields, line, err)
		}
	})
}
