//go:build !race

package memory

import "testing"

func TestAllocFindAndPut(t *testing.T) {
	m := least(t)
	key, miss, rec := []byte("https://example.org/"), []byte("no such key"), make([]byte, 1000)
	buf := make([]byte, 0, Room)
	m.Put(key, rec, 1)
	m.PutChunk(1, 2, rec)
	f := func(name string, act func()) {
		t.Helper()
		if n := testing.AllocsPerRun(200, act); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
	f("hit", func() { m.Find(buf, key) })
	f("miss", func() { m.Find(buf, miss) })
	f("piece", func() { m.Chunk(buf, 1, 2) })
	f("pieces there", func() { m.HasChunks(1, 3) })
	f("Admit", func() { m.Admit(miss) })
	f("Put", func() { m.Put(key, rec, 1) })
	f("PutChunk", func() { m.PutChunk(1, 2, rec) })

	s := m.shard(key)
	f("renewal", func() {
		s.pos.Add(m.plan.old + 1)
		m.Find(buf, key)
	})
	if s.renewed.Load() < 100 {
		t.Errorf("%d renewals", s.renewed.Load())
	}
}
