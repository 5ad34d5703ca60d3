package memory

import (
	"sync"

	"github.com/VictoriaMetrics/fastcache"
)

// Stats is how a Memory is, and what it has done since it was built; Reset does
// not set it back. The parts are read one after the other.
type Stats struct {
	Entries  uint64 // records and pieces in the index; some of them were written over
	Bytes    uint64 // of the rings in use
	Capacity uint64 // of the rings, in bytes: what Size leaves to them

	Hits, Misses uint64 // of Find and Chunk
	Renewals     uint64 // hits that went to the front again
	Refused      uint64 // by Admit
	Corrupt      uint64 // misses because of a sum that did not agree
	Collisions   uint64 // misses because of another key with the same hash or place
}

// Stats takes some ten microseconds, and more for many GiB: not for every request.
func (m *Memory) Stats() Stats {
	st := Stats{Capacity: uint64(m.plan.data)}
	asks := uint64(0)
	for i := range m.shards {
		s := &m.shards[i]
		asks += s.asks.Load()
		st.Misses += s.missed.Load()
		st.Renewals += s.renewed.Load()
		st.Refused += s.refused.Load()
		st.Corrupt += s.corrupt.Load()
		st.Collisions += s.collided.Load()
		st.Bytes += min(s.pos.Load(), m.plan.ring)
	}
	st.Misses += st.Corrupt + st.Collisions
	// The ring is asked last: it counts before us, so no difference is negative.
	f := m.past.with(m.ring)
	st.Hits = f.GetCalls - min(f.GetCalls, asks+st.Misses)
	st.Entries = f.EntriesCount
	st.Collisions += f.Collisions
	return st
}

// past is what rings counted that were reset, and makes their sum.
type past struct {
	mu  sync.Mutex
	sum fastcache.Stats // guarded by mu
}

// add takes in what c has counted and resets it.
func (p *past) add(c *fastcache.Cache) {
	p.mu.Lock()
	defer p.mu.Unlock()
	c.UpdateStats(&p.sum)
	p.sum.EntriesCount = 0
	c.Reset()
}

func (p *past) with(c *fastcache.Cache) fastcache.Stats {
	p.mu.Lock()
	defer p.mu.Unlock()
	f := p.sum
	c.UpdateStats(&f)
	return f
}
