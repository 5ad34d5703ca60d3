package memory

import (
	"encoding/binary"
	"fmt"
	"os"
	"sync/atomic"
	"testing"

	"github.com/VictoriaMetrics/fastcache"
	"github.com/cespare/xxhash/v2"
)

// The cost of a Find grows with what the CPU's caches do not hold any more, and
// with nothing else. MEMORY_BENCH_LARGE=1 adds 10,000,000 small records, which
// take some GiB.
func BenchmarkFind(b *testing.B) {
	f := func(entries, length int, size int64) {
		b.Run(fmt.Sprintf("entries=%.0e/bytes=%d", float64(entries), length), func(b *testing.B) {
			m := sized(b, size)
			rec, buf := make([]byte, length), make([]byte, 0, Room)
			var key [24]byte
			for i := range entries {
				m.Put(number(&key, uint64(i)), rec, 0)
			}
			b.ReportAllocs()
			b.ResetTimer()
			for i := range b.N {
				m.Find(buf, number(&key, uint64(i)*0x9E3779B97F4A7C15%uint64(entries)))
			}
		})
	}
	f(1e3, 100, 512<<20)
	f(1e4, 100, 512<<20)
	f(1e5, 100, 512<<20)
	f(1e6, 100, 512<<20)
	f(1e3, 1000, 256<<20)
	f(1e5, 1000, 256<<20)
	if os.Getenv("MEMORY_BENCH_LARGE") != "" {
		f(1e7, 100, 6<<30)
	}
}

func BenchmarkFindParallel(b *testing.B) {
	m := least(b)
	var key [24]byte
	for i := range uint64(1000) {
		m.Put(number(&key, i), make([]byte, 1000), 0)
	}
	var seed atomic.Uint64
	b.RunParallel(func(p *testing.PB) {
		buf, at := make([]byte, 0, Room), seed.Add(1<<32)
		var key [24]byte
		for p.Next() {
			at++
			m.Find(buf, number(&key, at%1000))
		}
	})
}

// What a Find adds to: the same keys and bytes in a bare fastcache.
func BenchmarkBareFastcache(b *testing.B) {
	for _, entries := range []int{1e3, 1e5} {
		b.Run(fmt.Sprintf("entries=%.0e/bytes=1000", float64(entries)), func(b *testing.B) {
			c := fastcache.New(256 << 20)
			b.Cleanup(c.Reset)
			rec, buf := make([]byte, 1000+stampSize), make([]byte, 0, Room)
			var key [24]byte
			for i := range entries {
				c.Set(number(&key, uint64(i)), rec)
			}
			b.ResetTimer()
			for i := range b.N {
				c.HasGet(buf, number(&key, uint64(i)*0x9E3779B97F4A7C15%uint64(entries)))
			}
		})
	}
}

func BenchmarkSum(b *testing.B) {
	v := make([]byte, 1024)
	b.SetBytes(1024)
	for b.Loop() {
		xxhash.Sum64(v)
	}
}

func BenchmarkPut(b *testing.B) {
	m := least(b)
	rec := make([]byte, 1000)
	var key [24]byte
	b.ReportAllocs()
	for i := range b.N {
		m.Put(number(&key, uint64(i)), rec, 0)
	}
}

func BenchmarkChunk(b *testing.B) {
	m := least(b)
	m.PutChunk(1, 0, make([]byte, ChunkSize))
	buf := make([]byte, 0, Room)
	b.SetBytes(ChunkSize)
	for b.Loop() {
		m.Chunk(buf, 1, 0)
	}
}

func number(key *[24]byte, n uint64) []byte {
	binary.LittleEndian.PutUint64(key[:], n)
	return key[:]
}
