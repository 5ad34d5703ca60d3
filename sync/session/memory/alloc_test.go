//go:build !race

package memory

import (
	"context"
	"testing"

	"multiserver/sync/session"
	"multiserver/sync/session/sessiontest"
)

func TestAllocOfLoad(t *testing.T) {
	m := Open(0)
	defer m.Close()
	id, ctx := sessiontest.NewID(), context.Background()
	if _, err := m.Patch(ctx, id, begin("user=42", `cart=[1,2]`, `name="x"`)); err != nil {
		t.Fatal(err)
	}
	var r session.Record
	if n := testing.AllocsPerRun(100, func() { m.Load(ctx, id, &r) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkLoad(b *testing.B) {
	m := Open(0)
	defer m.Close()
	id, ctx := sessiontest.NewID(), context.Background()
	m.Patch(ctx, id, begin("user=42", `cart=[1,2]`, `name="x"`))
	var r session.Record
	for b.Loop() {
		m.Load(ctx, id, &r)
	}
}
