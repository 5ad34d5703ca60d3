//go:build !race

package proxy

import (
	"io"
	"testing"
)

func TestAllocLogAppend(t *testing.T) {
	l := NewLog(io.Discard)
	defer l.Close()
	line := []byte("127.0.0.1 GET /index.html 200 1024 0.001\n")
	if n := testing.AllocsPerRun(10000, func() { l.Append(line) }); n != 0 {
		t.Errorf("%v allocations for each line, want 0", n)
	}
}

func BenchmarkLogAppend(b *testing.B) {
	l := NewLog(io.Discard)
	defer l.Close()
	line := []byte("127.0.0.1 GET /index.html 200 1024 0.001\n")
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			l.Append(line)
		}
	})
}
