//go:build !race

package redis

import (
	"context"
	"testing"

	"multiserver/cache/redis/redistest"
	"multiserver/sync/session"
	"multiserver/sync/session/sessiontest"
)

func TestAllocOfACopy(t *testing.T) {
	s := open(t, Options{URL: redistest.Single(t).URL()})
	id, ctx := sessiontest.NewID(), context.Background()
	if _, err := s.Patch(ctx, id, begin("a=1", "b=[2]", "c={}")); err != nil {
		t.Fatal(err)
	}
	var r session.Record
	until(t, "a copy is kept", func() bool { return s.Load(ctx, id, &r) == nil && s.Stats.LocalHits.Load() > 0 })
	if n := testing.AllocsPerRun(100, func() { s.Load(ctx, id, &r) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkLoad(b *testing.B) {
	for name, local := range map[string]int64{"copy": 0, "redis": -1} {
		b.Run(name, func(b *testing.B) {
			s := open(b, Options{URL: redistest.Single(b).URL(), LocalBytes: local})
			id, ctx := sessiontest.NewID(), context.Background()
			s.Patch(ctx, id, begin("user=42", "cart=[1,2]"))
			var r session.Record
			for b.Loop() {
				if err := s.Load(ctx, id, &r); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
