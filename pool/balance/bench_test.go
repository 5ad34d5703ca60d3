package balance

import (
	"fmt"
	"testing"
	"time"
)

func BenchmarkPick(b *testing.B) {
	for _, r := range Table {
		for _, n := range []int{1, 10, few, 100, 1000} {
			p := r.Build(mixed(n))
			b.Run(fmt.Sprintf("%s/%d", r.Name, n), func(b *testing.B) {
				b.ReportAllocs()
				for key := uint64(1); b.Loop(); key++ {
					p.Pick(key)
				}
			})
			b.Run(fmt.Sprintf("%s/%d/parallel", r.Name, n), func(b *testing.B) {
				b.RunParallel(func(pb *testing.PB) {
					for key := uint64(1); pb.Next(); key++ {
						p.Pick(key)
					}
				})
			})
		}
	}
}

func BenchmarkBuild(b *testing.B) {
	for _, r := range Table {
		for _, n := range []int{3, 1000} {
			build := func(kind string, s Set) {
				b.Run(fmt.Sprintf("%s/%d/%s", r.Name, n, kind), func(b *testing.B) {
					for b.Loop() {
						r.Build(s)
					}
				})
			}
			build("equal", equal(n))
			build("mixed", mixed(n))
		}
	}
}

func BenchmarkHashKey(b *testing.B) {
	for _, n := range []int{4, 16, 64, 1024} {
		key := make([]byte, n)
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			b.SetBytes(int64(n))
			for b.Loop() {
				HashKey(key)
			}
		})
	}
}

func BenchmarkObserve(b *testing.B) {
	var l Latency
	for now := int64(0); b.Loop(); now++ {
		l.Observe(time.Millisecond+time.Duration(now&1023), now)
	}
}
