//go:build !race

package part

import "testing"

func TestAllocOf(t *testing.T) {
	s := Stored{ETag: []byte(`"a"`), LastModified: []byte(at(-9)), Date: []byte(at(0)), Length: 1000}
	var r Ranges
	f := func(lines string) {
		t.Helper()
		req := request(t, "GET", lines)
		if n := testing.AllocsPerRun(1000, func() { Of(req, &s, now, &r) }); n != 0 {
			t.Errorf("%s: %v allocations, want 0", lines, n)
		}
	}
	f("Accept: */*")
	f(`If-None-Match: "b", W/"a"`)
	f("If-Modified-Since: " + at(-9))
	f("If-Modified-Since: " + at850(-9))
	f(`Range: bytes=0-1|If-Range: "a"`)
	f("Range: bytes=0-1,5-6,10-")
}

func TestAllocParts(t *testing.T) {
	p := Parts{Spans: []Span{{0, 1}, {5, 9}}, Length: 10, Type: []byte("text/html")}
	dst := make([]byte, 0, 1024)
	if n := testing.AllocsPerRun(1000, func() {
		p.Size()
		dst = p.AppendTail(p.AppendHead(p.AppendType(dst[:0]), 1))
	}); n != 0 {
		t.Errorf("%v allocations, want 0", n)
	}
}

func BenchmarkOf(b *testing.B) {
	req := request(b, "GET", "User-Agent: x|Accept: */*|Accept-Encoding: gzip|Accept-Language: en|Referer: http://h/|Cookie: a=b")
	s := Stored{Length: 1000}
	var r Ranges
	b.ReportAllocs()
	for b.Loop() {
		Of(req, &s, now, &r)
	}
}
