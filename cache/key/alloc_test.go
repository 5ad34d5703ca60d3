//go:build !race

package key

import "testing"

func TestAllocAppend(t *testing.T) {
	host, path := []byte("Example.org:80"), []byte("/a/b?c=1&utm_source=x&a=2")
	dst := make([]byte, 0, 256)
	f := func(name string, r Rules) {
		if n := testing.AllocsPerRun(1000, func() { dst = r.Append(dst[:0], true, host, path) }); n != 0 {
			t.Errorf("%s: %v allocations, want 0", name, n)
		}
	}
	f("no rules", Rules{})
	f("drop", Rules{DropQuery: []string{"utm_*"}})
	f("drop and sort", Rules{DropQuery: []string{"utm_*"}, SortQuery: true})
}

func TestAllocFilter(t *testing.T) {
	filter := Filter{
		Only:  patterns(t, `/a example.org/b/* ~^/api/.*\.json$`),
		Never: patterns(t, `*.example.com/ /admin/*`),
	}
	f := func(host, path string) {
		h, p := []byte(host), []byte(path)
		if n := testing.AllocsPerRun(1000, func() { filter.Allows(h, p) }); n != 0 {
			t.Errorf("%s%s: %v allocations, want 0", host, path, n)
		}
	}
	f("example.org", "/b/c?d")
	f("Example.org:80", "/api/x.json")
	f("example.org", "/api/a%20b/../x.json")
}

func BenchmarkAppend(b *testing.B) {
	host, path := []byte("example.org"), []byte("/assets/app.js?v=12")
	var r Rules
	var dst []byte
	b.ReportAllocs()
	for b.Loop() {
		dst = r.Append(dst[:0], false, host, path)
	}
}
