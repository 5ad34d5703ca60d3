//go:build !race

package rule

import "testing"

func TestAlloc(t *testing.T) {
	req := request(t, "Accept-Encoding: gzip, deflate, br", "Accept-Language: en-US,en;q=0.9", "Foo: a, b", "Foo: c", "Cache-Control: max-age=9")
	res := answer(t, 200, `Cache-Control: max-age=9, stale-if-error=9, no-cache="a, b"`, "CDN-Cache-Control: max-age=9, x=(a b)", "Age: 3",
		"Date: Sun, 06 Nov 1994 08:49:37 GMT", "Expires: Sunday, 06-Nov-94 08:49:37 GMT", "Vary: Foo, Accept-Encoding, Accept-Language", `ETag: "a"`)
	rules := [...]Rules{{}, {Targets: []string{"cdn-cache-control"}}}
	var terms Terms
	var w Wish
	names, _ := AppendVary(nil, res)
	buf := make([]byte, 0, 1024)
	f := func(what string, do func()) {
		t.Helper()
		if n := testing.AllocsPerRun(1000, do); n != 0 {
			t.Errorf("%s: %v allocations, want 0", what, n)
		}
	}
	f("Judge", func() { rules[0].Judge(&terms, req, res, now, now) })
	f("Judge with a target", func() { rules[1].Judge(&terms, req, res, now, now) })
	f("Read", func() { w.Read(req) })
	f("AppendVary", func() { AppendVary(buf, res) })
	f("AppendVariant", func() { AppendVariant(buf, names, req) })
	f("UnionVary", func() { UnionVary(buf, names, names) })
}

func BenchmarkVariant(b *testing.B) {
	req := request(b, "Accept: */*", "Accept-Encoding: gzip, deflate, br, zstd", "Accept-Language: en-US,en;q=0.9", "User-Agent: x")
	buf := make([]byte, 0, 256)
	for b.Loop() {
		AppendVariant(buf, []byte("accept-encoding"), req)
	}
}

func BenchmarkJudge(b *testing.B) {
	req, res := request(b), answer(b, 200, "Date: Sun, 06 Nov 1994 08:49:37 GMT", "Content-Type: text/html", `ETag: "a"`, "Cache-Control: public, max-age=9", "Vary: Accept-Encoding")
	var r Rules
	var t Terms
	for b.Loop() {
		r.Judge(&t, req, res, now, now)
	}
}
