//go:build !race

package logline

import (
	"io"
	"testing"
)

var aLine = []byte("127.0.0.1 GET /index.html 200 1024 0.001\n")

func TestAllocAppend(t *testing.T) {
	q := NewQueue(io.Discard)
	defer q.Close()
	if n := testing.AllocsPerRun(10000, func() { q.Append(aLine) }); n != 0 {
		t.Errorf("%v allocations for each line, want 0", n)
	}
}

func TestAllocValues(t *testing.T) {
	f := func(name string, write func(dst []byte) []byte) {
		t.Helper()
		buf := make([]byte, 0, 4096)
		if n := testing.AllocsPerRun(1000, func() { buf = write(buf[:0]) }); n != 0 {
			t.Errorf("%s: %v allocations, want 0", name, n)
		}
	}
	var c Clock
	url, cookie, odd := []byte("https://u:p@a.test/b?c=d&token=x"), []byte("Basic dTpw"), []byte("a\"b\\c\x00")
	f("URL", func(dst []byte) []byte { return AppendURL(dst, url) })
	f("header", func(dst []byte) []byte { return AppendHeader(dst, "authorization", cookie) })
	f("quotes", func(dst []byte) []byte { return AppendQuoted(dst, odd) })
	f("time", func(dst []byte) []byte { return AppendSeconds(c.At(0).AppendISO(dst, 0), 1) })
}

func BenchmarkAppend(b *testing.B) {
	q := NewQueue(io.Discard)
	defer q.Close()
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			q.Append(aLine)
		}
	})
}

func BenchmarkURL(b *testing.B) {
	url, buf := []byte("/products/42?view=full&sort=price&page=7"), make([]byte, 0, 256)
	for b.Loop() {
		buf = AppendURL(buf[:0], url)
	}
}

func BenchmarkQuote(b *testing.B) {
	url := []byte("/products/42?view=full&sort=price&page=7")
	for b.Loop() {
		url = Quote(url, 0, true)
	}
}
