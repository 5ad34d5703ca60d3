package redis

import (
	"testing"
	"time"

	"multiserver/cache/redis/redistest"
)

func BenchmarkFind(b *testing.B) {
	s := redistest.Single(b)
	r := upTier(b, s.URL())
	key, dst := []byte("k"), make([]byte, 0, 4096)
	r.Put(key, make([]byte, 1000), time.Minute, false)
	within(b, "put", func() bool { return r.Stats.Puts.Load() == 1 })
	b.ReportAllocs()
	for b.Loop() {
		if _, err := r.Find(dst[:0], key); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkFindAway(b *testing.B) {
	s := redistest.Single(b)
	r := upTier(b, s.URL())
	s.Kill()
	within(b, "away", func() bool { return !r.Up() })
	key := []byte("k")
	b.ReportAllocs()
	for b.Loop() {
		if _, err := r.Find(nil, key); err != ErrAway {
			b.Fatal(err)
		}
	}
}
