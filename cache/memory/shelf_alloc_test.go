//go:build !race

package memory

import "testing"

func TestLendAlloc(t *testing.T) {
	m, err := New(Options{Size: 96 << 20, Files: 8 << 20})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Reset()
	piece := make([]byte, ChunkSize)
	m.PutChunk(1, 0, piece)
	lend := func() {
		if l := m.Lend(1, ChunkSize); l != nil {
			l.Return()
		}
	}
	for range 2 * hotAsks {
		lend()
	}
	if n := testing.AllocsPerRun(100, lend); n > 0 {
		t.Errorf("%v allocations", n)
	}
}
