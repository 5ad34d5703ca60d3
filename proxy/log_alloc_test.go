//go:build !race

package proxy

import (
	"io"
	"testing"
	"time"
)

const browsers = "GET /products/42?view=full HTTP/1.1\nHost: www.example.org\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0\n" +
	"Accept: text/html\nReferer: https://www.example.org/products\nCookie: session=abcdef\ntraceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

func TestAllocLogLine(t *testing.T) {
	f := func(name string, form LogForm) {
		t.Helper()
		l := NewLog(io.Discard, form)
		defer l.Close()
		var p Proxy
		p.SetLines(l)
		x, _ := logged(t, browsers)
		if n := testing.AllocsPerRun(10000, func() { p.logLine(x, clock()) }); n != 0 {
			t.Errorf("%s: %v allocations for each line, want 0", name, n)
		}
	}
	f("combined", LogForm{})
	f("JSON", LogForm{JSON: true})
	f("all fields", LogForm{JSON: true, Fields: append(jsonFields, "scheme", "received", "header:accept")})
}

func TestAllocTally(t *testing.T) {
	var all Tally
	if n := testing.AllocsPerRun(1000, func() { all.add(2, time.Millisecond, 1) }); n != 0 {
		t.Errorf("%v allocations, want 0", n)
	}
}

func BenchmarkLogLine(b *testing.B) {
	for _, form := range []struct {
		name string
		LogForm
	}{{"combined", LogForm{}}, {"json", LogForm{JSON: true}}} {
		b.Run(form.name, func(b *testing.B) {
			l := NewLog(io.Discard, form.LogForm)
			defer l.Close()
			var p Proxy
			p.SetLines(l)
			x, _ := logged(b, browsers)
			b.ReportAllocs()
			for b.Loop() {
				p.logLine(x, clock())
			}
		})
	}
}

func BenchmarkTally(b *testing.B) {
	var all Tally
	b.RunParallel(func(pb *testing.PB) {
		shard := uint8(made.Add(1) % shards)
		for pb.Next() {
			all.add(2, 4*time.Millisecond, shard)
		}
	})
}

func BenchmarkClock(b *testing.B) {
	for b.Loop() {
		clock()
	}
}
