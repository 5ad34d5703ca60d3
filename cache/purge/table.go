package purge

import (
	"sync"
	"sync/atomic"
	"time"
)

// MaxMarks bounds the marks that are told apart: at 10,000 purges a minute
// those of some minutes. Beyond it the oldest quarter is folded: all that is
// older than the newest of them is purged as they would have.
const MaxMarks = 1 << 16

// Table is the marks that are in force. The zero value has none and is ready.
// All methods may be called at any time, by anybody; Check, Last and Next take
// no lock.
type Table struct {
	last  atomic.Uint64
	index atomic.Pointer[index] // nil: no marks

	mu     sync.Mutex // held by writers of index and of what it points to
	most   int        // marks; 0: MaxMarks; for tests
	folded atomic.Uint64
}

// Last is the highest number seen: an entry whose fetch begins now bears it.
func (t *Table) Last() uint64 { return t.last.Load() }

// Next is the number for a mark made on this node alone, higher than all that
// were seen. It is the time in milliseconds where that is higher, so that
// entries which outlive a restart do not have numbers from the future. Two
// calls never give the same. Where several nodes purge together the number has
// to come from what they share instead, or from Meanwhile.
func (t *Table) Next() uint64 {
	for {
		last := t.last.Load()
		next := max(last+1, uint64(time.Now().UnixMilli()))
		if t.last.CompareAndSwap(last, next) {
			return next
		}
	}
}

// Meanwhile is the number for a mark made on this node alone because what the
// nodes share cannot be asked just now: one more than the highest seen. Were it
// the time, as Next is, and this node's clock ahead, marks from the others
// would have lower numbers than what was fetched here since, and miss it.
func (t *Table) Meanwhile() uint64 { return t.last.Add(1) }

// Seen tells of a number that came without a mark to set, such as the shared
// counter's at start.
func (t *Table) Seen(seq uint64) {
	for {
		last := t.last.Load()
		if seq <= last || t.last.CompareAndSwap(last, seq) {
			return
		}
	}
}

// Set puts a mark in force. Marks may come in any order and more than once.
// m's name is not kept.
func (t *Table) Set(m Mark, seq uint64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.add(m, seq)
	// Only now: what is fetched from here on was asked for after the purge.
	t.Seen(seq)
}

func (t *Table) add(m Mark, seq uint64) {
	hash, length := m.hash()
	switch {
	case m.Kind == All || m.Kind == Prefix && length == 0:
		t.begun().all.raise(m.Soft, seq)
	case hash != empty:
		t.put(hash, length, m.Soft, seq)
	}
}

// begun is the index, which there is from now on.
func (t *Table) begun() *index {
	x := t.index.Load()
	if x == nil {
		x = newIndex(0)
		t.index.Store(x)
	}
	return x
}

func (t *Table) put(hash uint64, length int, soft bool, seq uint64) {
	x := t.begun()
	if x.all.covers(soft, seq) {
		return
	}
	if x.find(hash) == nil && x.used >= x.room(t.limit()) {
		x = t.rebuild(x, 0)
	}
	x.put(hash, length, soft, seq)
}

// Forget drops the marks with numbers lower than before. It is for those older
// than any entry can live: entries fetched before such a mark are gone of
// themselves, and it does not apply to later ones.
func (t *Table) Forget(before uint64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if x := t.index.Load(); x != nil {
		t.rebuild(x, before)
	}
}

// rebuild replaces the index by one with room, without what is in vain. Called
// with mu held; readers go on in the one they have, which is not written again.
func (t *Table) rebuild(x *index, before uint64) *index {
	y, folded := x.rebuilt(t.limit(), before)
	t.folded.Add(uint64(folded))
	t.index.Store(y)
	return y
}

func (t *Table) limit() int {
	if t.most == 0 {
		return MaxMarks
	}
	return t.most
}

// Stats is what a table has come to.
type Stats struct {
	Marks  int    // told apart now
	Folded uint64 // given up as too many, together with all that was as old
}

// Stats may wait for a writer.
func (t *Table) Stats() Stats {
	t.mu.Lock()
	defer t.mu.Unlock()
	s := Stats{Folded: t.folded.Load()}
	if x := t.index.Load(); x != nil {
		s.Marks = x.used
	}
	return s
}
