package memory

import (
	"bytes"
	"math/rand/v2"
	"testing"
)

func TestPiecesAreFoundByTheirNumber(t *testing.T) {
	m := least(t)
	body := func(n uint32) []byte { return bytes.Repeat([]byte{byte('a' + n)}, ChunkSize) }
	for n := range uint32(5) {
		if !m.PutChunk(1, n, body(n)) {
			t.Fatal("a piece of ChunkSize is too long")
		}
	}
	for n := range uint32(5) {
		if got, ok := m.Chunk([]byte("before "), 1, n); string(got) != "before "+string(body(n)) || !ok {
			t.Errorf("piece %d is %.40q, %v", n, got, ok)
		}
	}
	f := func(id uint64, count uint32, want bool) {
		t.Helper()
		if got := m.HasChunks(id, count); got != want {
			t.Errorf("HasChunks(%d, %d) = %v", id, count, got)
		}
	}
	f(1, 0, true)
	f(1, 5, true)
	f(1, 6, false)
	f(2, 1, false)
	m.DropChunks(1, 4)
	f(1, 1, false)
	if _, ok := m.Chunk(nil, 1, 4); !ok {
		t.Error("a piece that was not dropped is gone")
	}
}

func TestLongestPiece(t *testing.T) {
	m := least(t)
	longest := make([]byte, MaxRecord(pieceKey))
	if !m.PutChunk(1, 0, longest) || !m.HasChunks(1, 1) {
		t.Error("the longest is not there")
	}
	if m.PutChunk(1, 0, append(longest, 0)) || m.HasChunks(1, 1) {
		t.Error("one longer than the longest is")
	}
}

// Keys of records are anybody's bytes.
func TestAPieceIsNoRecord(t *testing.T) {
	m := least(t)
	m.PutChunk(7, 0, []byte("piece"))
	var key [pieceKey]byte
	name(&key, 7, 0)
	if has(m, string(key[:])) {
		t.Error("a piece is found as a record")
	}
	m.Put(key[:], []byte("record"), 0)
	if _, ok := m.Chunk(nil, 7, 0); ok {
		t.Error("a record is found as a piece")
	}
	if st := m.Stats(); st.Collisions != 2 || st.Corrupt != 0 || st.Misses != 2 {
		t.Errorf("%+v", st)
	}
}

func TestPiecesWasteLittle(t *testing.T) {
	f := func(size int, small float64) float64 {
		var s shard
		r, in := rand.New(rand.NewPCG(1, 2)), 0
		for in < 50<<20 {
			n := size
			if r.Float64() < small/1150/(small/1150+(1-small)/float64(size)) {
				n = 300 + r.IntN(1700)
			}
			s.place(entryHead + pieceKey + n + stampSize)
			in += entryHead + pieceKey + n + stampSize
		}
		return 1 - float64(in)/float64(s.pos.Load())
	}
	for _, small := range []float64{0, 0.02, 0.1, 0.3} {
		ours, long := f(ChunkSize, small), f(60<<10, small)
		t.Logf("%2.0f %% small records: lost %.2f, with pieces of 60 KiB %.2f", 100*small, ours, long)
		if ours > 0.16 {
			t.Error("ChunkSize is not what its comment says")
		}
	}
}
