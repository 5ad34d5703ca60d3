package memory

import "encoding/binary"

// ChunkSize is how long the pieces of a body are best, in bytes. Longer ones are
// kept, up to MaxRecord(12), but fit worse: an entry does not cross the border
// of 64 KiB of a ring, and what is left before it is lost. Four of these leave
// 1.9 KB for small records. By the bytes of records of 300 to 2,000 between
// them there is lost, of a ring:
//
//	pieces of   none   2 %    10 %   30 %
//	15.5 KiB    0.03   0.08   0.14   0.09
//	16,343      0.00   0.13   0.16   0.10
//	60 KiB      0.06   0.06   0.23   0.27
//	65,480      0.00   0.34   0.40   0.32
const ChunkSize = 31 << 9

const pieceKey = 12

// Chunk appends piece n of body id to dst, or returns dst as it was if it is
// not there, or not whole. Pieces are renewed as records are, each when it is
// read: of a body that is only begun, the end may go.
func (m *Memory) Chunk(dst []byte, id uint64, n uint32) ([]byte, bool) {
	var key [pieceKey]byte
	name(&key, id, n)
	dst, _, ok := m.find(dst, key[:], piece)
	return dst, ok
}

// PutChunk keeps piece n of body id; ids must not be used again. It returns
// false if the piece is too long.
func (m *Memory) PutChunk(id uint64, n uint32, data []byte) bool {
	var key [pieceKey]byte
	name(&key, id, n)
	return m.put(key[:], data, 0, piece)
}

// HasChunks tells whether the pieces 0 to count-1 of body id are all there,
// which they may not be a moment later. It does not look into them and renews
// none.
func (m *Memory) HasChunks(id uint64, count uint32) bool {
	var key [pieceKey]byte
	for n := range count {
		name(&key, id, n)
		m.shard(key[:]).asks.Add(1)
		if !m.ring.Has(key[:]) {
			return false
		}
	}
	return true
}

// DropChunks forgets the pieces 0 to count-1 of body id.
func (m *Memory) DropChunks(id uint64, count uint32) {
	var key [pieceKey]byte
	for n := range count {
		name(&key, id, n)
		m.Drop(key[:])
	}
}

func name(key *[pieceKey]byte, id uint64, n uint32) {
	binary.LittleEndian.PutUint64(key[:], id)
	binary.LittleEndian.PutUint32(key[8:], n)
}
