package memory

import (
	"sync"
	"sync/atomic"
	"time"

	"multiserver/sync/session"
)

const (
	shards = 64
	// overhead is what holding a record costs beside its bytes: the record, its
	// place in the map, and per value two slices.
	overhead, perValue = 240, 64
	// sample is how many are looked at for the one to make room.
	sample = 8
	// sweepEvery is a second for each shard, so that none is held for long.
	sweepEvery = time.Second
)

// Table is records under ids. The records are its own: they are copied in and
// out. Make it with NewTable.
type Table struct {
	Stats Stats

	shards [shards]shard
	each   int64 // bytes for a shard

	stop chan struct{}
	done chan struct{}
	once sync.Once
}

// Stats are counters and levels of a Table.
type Stats struct {
	Records atomic.Int64
	Bytes   atomic.Int64
	Evicted atomic.Uint64 // to make room
	Swept   atomic.Uint64 // had ended
}

type shard struct {
	mu    sync.Mutex
	by    map[session.ID]*session.Record // guarded by mu
	bytes int64                          // guarded by mu
	pulse uint64                         // guarded by mu; grows with each Forget
	_     [24]byte                       // to a cache line
}

// NewTable makes a table for so many bytes, and starts its sweeper. Close it.
func NewTable(bytes int64) *Table {
	t := &Table{each: max(bytes/shards, 2*session.MaxBytes), stop: make(chan struct{}), done: make(chan struct{})}
	for i := range t.shards {
		t.shards[i].by = make(map[session.ID]*session.Record)
	}
	go t.sweep()
	return t
}

// Close ends the sweeper.
func (t *Table) Close() {
	t.once.Do(func() { close(t.stop) })
	<-t.done
}

// shard: ids are made by SHA-256, any byte of them will do.
func (t *Table) shard(id session.ID) *shard { return &t.shards[id[0]%shards] }

// lock locks the shards of two ids, in the order of all who lock two.
func (t *Table) lock(one, two session.ID) (unlock func()) {
	i, k := one[0]%shards, two[0]%shards
	first, second := &t.shards[min(i, k)], &t.shards[max(i, k)]
	first.mu.Lock()
	if first == second {
		return first.mu.Unlock
	}
	second.mu.Lock()
	return func() {
		second.mu.Unlock()
		first.mu.Unlock()
	}
}

// Load copies what is under id into into, unless it has ended at now, in unix
// ms. Then, or if nothing is there, into is left alone.
func (t *Table) Load(id session.ID, into *session.Record, now int64) bool {
	s := t.shard(id)
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.by[id]
	if r == nil || !r.Alive(now) {
		return false
	}
	into.Copy(r)
	return true
}

// Pulse is what Keep wants to know.
func (t *Table) Pulse(id session.ID) uint64 {
	s := t.shard(id)
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.pulse
}

// Keep copies r into the table, unless something of this shard was forgotten
// since pulse was taken: then r may be older than what made it forgotten. Take
// the Pulse before you fetch r.
func (t *Table) Keep(id session.ID, r *session.Record, pulse uint64) {
	copied := new(session.Record)
	copied.Copy(r)
	s := t.shard(id)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.pulse == pulse {
		t.put(s, id, copied)
	}
}

// Forget removes what is under id.
func (t *Table) Forget(id session.ID) {
	s := t.shard(id)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pulse++
	t.remove(s, id)
}

// Clear removes all.
func (t *Table) Clear() {
	for i := range t.shards {
		s := &t.shards[i]
		s.mu.Lock()
		s.pulse++
		t.account(s, -len(s.by), -s.bytes)
		s.by = make(map[session.ID]*session.Record)
		s.mu.Unlock()
	}
}

// put is called with s.mu held; r is the table's from now on.
func (t *Table) put(s *shard, id session.ID, r *session.Record) {
	t.remove(s, id)
	cost := cost(r)
	for s.bytes+cost > t.each && len(s.by) > 0 {
		t.evict(s)
	}
	s.by[id] = r
	t.account(s, 1, cost)
}

// remove is called with s.mu held.
func (t *Table) remove(s *shard, id session.ID) {
	if r := s.by[id]; r != nil {
		delete(s.by, id)
		t.account(s, -1, -cost(r))
	}
}

func (t *Table) account(s *shard, records int, bytes int64) {
	s.bytes += bytes
	t.Stats.Records.Add(int64(records))
	t.Stats.Bytes.Add(bytes)
}

func cost(r *session.Record) int64 { return int64(overhead + r.Size() + perValue*len(r.Values)) }

// evict is called with s.mu held. A map's order is another each time: what it
// begins with is a sample.
func (t *Table) evict(s *shard) {
	var first session.ID
	ends, seen := int64(0), 0
	for id, r := range s.by {
		if end := min(r.Idle, r.End); seen == 0 || end < ends {
			first, ends = id, end
		}
		if seen++; seen == sample {
			break
		}
	}
	t.remove(s, first)
	t.Stats.Evicted.Add(1)
}

func (t *Table) sweep() {
	defer close(t.done)
	ticks := time.NewTicker(sweepEvery)
	defer ticks.Stop()
	for i := 0; ; i = (i + 1) % shards {
		select {
		case <-ticks.C:
			t.sweepOne(&t.shards[i], time.Now().UnixMilli())
		case <-t.stop:
			return
		}
	}
}

func (t *Table) sweepOne(s *shard, now int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for id, r := range s.by {
		if !r.Alive(now) {
			t.remove(s, id)
			t.Stats.Swept.Add(1)
		}
	}
}
