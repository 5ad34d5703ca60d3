package memory

import "github.com/cespare/xxhash/v2"

// Admit says whether a record that was not found is worth being put. While
// there is room, everything is; then what was asked of Admit not long ago. Most
// keys are asked for once and never again, and each that is put drives out one
// that may be. What is under key now may be replaced: that is no new one.
//
// Who has other reasons to put, or another tier to find it in, need not ask.
// The pieces of a body go with its record: ask once.
func (m *Memory) Admit(key []byte) bool {
	h := xxhash.Sum64(key)
	s := &m.shards[h%rings]
	s.mu.Lock()
	again := s.knock(h, &m.plan)
	s.mu.Unlock()
	if again || s.pos.Load() < m.plan.ring {
		return true
	}
	known := m.ring.Has(key)
	s.asks.Add(1)
	if !known {
		s.refused.Add(1)
	}
	return known
}

// A ring's door remembers who knocked: a tag of the key's hash, and when, by a
// clock that ticks with what is written to the ring. So it needs no sweeping,
// and its measure is that of the ring: four ticks are a quarter of it. If few
// are let in, the clock is slow and lets in more. Who knocks later into the same
// slot takes it, which makes long ago forgotten as well.
//
// Simulated (s=0.9, 10 % of the keys): within 1/16 to 1/2 of a ring and half a
// slot to two for each entry the hits differ by less than half a percent.
const (
	ticks  = 16
	recent = 4
)

// knock tells whether the key of hash h was here of late, and remembers it.
// Called with mu held.
func (s *shard) knock(h uint64, p *plan) bool {
	now := uint16(s.pos.Load() / p.tick)
	tag := uint16(h >> 48)
	slot := &s.door[(h>>9)%uint64(len(s.door))]
	then := *slot
	*slot = uint32(tag)<<16 | uint32(now)
	return uint16(then>>16) == tag && now-uint16(then) <= recent
}
