package memory

import (
	"sync"
	"sync/atomic"
)

// What fastcache v1.13.0 does without saying so: which of 512 rings a key is in,
// the lowest bits of its xxhash; what precedes a key; and that a ring is chunks
// of 64 KiB, none of which an entry may fill to its last byte.
// TestRingsForgetWhereWeThink fails if another version does otherwise.
const (
	rings     = 512
	ringChunk = 64 << 10
	entryHead = 4
)

// shard is what we know of one ring. Who writes to the ring holds mu, which
// costs nothing more in parallel: the ring has a lock of its own for that. Who
// reads only looks at pos, and a hit writes nothing here.
type shard struct {
	mu     sync.Mutex
	credit int           // guarded by mu; see pad
	door   []uint32      // guarded by mu; see door.go
	pos    atomic.Uint64 // written with mu held; where the next entry goes, counted from the first byte ever

	missed, renewed, corrupt, collided, refused atomic.Uint64

	asks atomic.Uint64 // our own, which the ring counts among those of Find

	_ [128 - 96]byte // two lines, so that neighbours do not share one
}

// place is where the ring will write an entry of n bytes: behind the last one,
// or in the next chunk if it would touch this one's end. Behind the last chunk
// the next lap begins. Called with mu held, which is kept until it is written.
func (s *shard) place(n int) (at uint64) {
	at = s.pos.Load()
	if at%ringChunk+uint64(n) >= ringChunk {
		at += ringChunk - at%ringChunk
	}
	s.pos.Store(at + uint64(n))
	return at
}

// pad appends zeros to v if entries are too small on the average, n being the
// whole entry's length. The index costs the same for each, so that their number
// must be bounded; but small ones between large ones are none too many. What
// large ones have over is good for an eighth of the ring of small ones, which
// the plan counts in.
func (s *shard) pad(v []byte, n int, p *plan) []byte {
	s.credit = min(s.credit+n-p.least, p.credit)
	if s.credit >= 0 {
		return v
	}
	short := -s.credit
	s.credit = 0
	from := len(v)
	v = v[:from+short]
	clear(v[from:])
	return v
}

func (s *shard) clear() {
	s.credit = 0
	clear(s.door)
	s.pos.Store(0)
}

func (s *shard) spoilt(err error) {
	if err == errKind {
		s.collided.Add(1)
		return
	}
	s.corrupt.Add(1)
}
