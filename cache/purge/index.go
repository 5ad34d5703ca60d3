package purge

import (
	"cmp"
	"math/bits"
	"slices"
	"sync/atomic"
)

// longest is how much of a prefix is looked at, in bytes.
const longest = 1024

// index finds marks by hash: open addressing, at least half empty, read
// without a lock while one writer adds. A slot is filled in before its hash
// appears, and numbers in it only rise, so that a reader meets a mark whole or
// not yet. Nothing is ever taken out; a new index is built without it.
type index struct {
	all      numbers // apply to every entry: marks of kind All, and folded ones
	prefixes numbers // the highest of any prefix,
	tags     numbers // of any tag,
	urls     numbers // and of any URL

	lengths [longest / 64]atomic.Uint64 // bit n-1: there is a prefix of n bytes
	slots   []slot                      // a power of two of them
	used    int
}

// slot is half a cache line.
type slot struct {
	hash   atomic.Uint64
	length int // of a prefix, or ofTag or ofURL. Writers only
	numbers
}

// What stands for a prefix's length in marks that are none; part of what is
// saved.
const (
	ofTag = 0
	ofURL = 1<<16 - 1
)

// numbers are the highest of marks by one name.
type numbers struct{ gone, soft atomic.Uint64 }

func (n *numbers) verdict(seq uint64) Verdict {
	switch {
	case n.gone.Load() > seq:
		return Gone
	case n.soft.Load() > seq:
		return Soft
	}
	return Valid
}

// raise is called by one writer at a time.
func (n *numbers) raise(soft bool, seq uint64) {
	at := &n.gone
	if soft {
		at = &n.soft
	}
	if seq > at.Load() {
		at.Store(seq)
	}
}

// merge raises n to o.
func (n *numbers) merge(o *numbers) {
	n.raise(false, o.gone.Load())
	n.raise(true, o.soft.Load())
}

// covers: is a mark of that number in vain, since n does as much?
func (n *numbers) covers(soft bool, seq uint64) bool {
	return seq <= n.gone.Load() || soft && seq <= n.soft.Load()
}

func (n *numbers) newest() uint64 { return max(n.gone.Load(), n.soft.Load()) }

// newIndex has room for twice as many marks as are given.
func newIndex(marks int) *index {
	size := 1 << bits.Len(uint(max(4*marks, 64)-1))
	return &index{slots: make([]slot, size)}
}

// room is how many marks may be in it.
func (x *index) room(limit int) int { return min(limit, len(x.slots)/2) }

// find is nil where there is no such mark.
func (x *index) find(hash uint64) *slot {
	mask := uint64(len(x.slots) - 1)
	for i := hash; ; i++ {
		s := &x.slots[i&mask]
		switch s.hash.Load() {
		case empty:
			return nil
		case hash:
			return s
		}
	}
}

// put adds or raises a mark; there is room for it.
func (x *index) put(hash uint64, length int, soft bool, seq uint64) {
	s := x.find(hash)
	if s == nil {
		s = x.free(hash)
		s.length = length
		s.raise(soft, seq)
		s.hash.Store(hash)
		x.used++
	}
	s.raise(soft, seq)
	x.note(length, soft, seq)
}

// note keeps what lets a reader pass by without a probe.
func (x *index) note(length int, soft bool, seq uint64) {
	switch length {
	case ofTag:
		x.tags.raise(soft, seq)
		return
	case ofURL:
		x.urls.raise(soft, seq)
		return
	}
	x.prefixes.raise(soft, seq)
	at := &x.lengths[(length-1)/64]
	at.Or(1 << ((length - 1) % 64))
}

func (x *index) free(hash uint64) *slot {
	mask := uint64(len(x.slots) - 1)
	for i := hash; ; i++ {
		if s := &x.slots[i&mask]; s.hash.Load() == empty {
			return s
		}
	}
}

// rebuilt is x without marks that are in vain or older than before, and with
// room for more: a quarter of the limit at least, so that rebuilding is paid
// for by as many marks as it copies, but for a factor.
func (x *index) rebuilt(limit int, before uint64) (y *index, folded int) {
	kept := x.inForce(before)
	var all numbers
	all.merge(&x.all)
	if excess := len(kept) - limit*3/4; excess > 0 {
		folded = fold(kept, excess, &all)
		kept = kept[folded:]
	}
	y = newIndex(len(kept))
	y.all.merge(&all)
	for _, s := range kept {
		y.put(s.hash.Load(), s.length, false, s.gone.Load())
		y.put(s.hash.Load(), s.length, true, s.soft.Load())
	}
	return y, folded
}

func (x *index) inForce(before uint64) (kept []*slot) {
	for i := range x.slots {
		s := &x.slots[i]
		if s.hash.Load() == empty || s.newest() < before ||
			x.all.covers(false, s.gone.Load()) && x.all.covers(true, s.soft.Load()) {
			continue
		}
		kept = append(kept, s)
	}
	return kept
}

// fold brings the oldest of the marks to the front and into all. It takes as
// many as are told, and those as old as the newest of them, for which the
// price is paid already.
func fold(marks []*slot, n int, all *numbers) int {
	slices.SortFunc(marks, func(a, b *slot) int { return cmp.Compare(a.newest(), b.newest()) })
	pivot := marks[n-1].newest()
	for n < len(marks) && marks[n].newest() == pivot {
		n++
	}
	for _, s := range marks[:n] {
		all.merge(&s.numbers)
	}
	return n
}
