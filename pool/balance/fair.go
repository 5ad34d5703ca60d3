package balance

import (
	"math/bits"
	"math/rand/v2"
	"sync/atomic"
)

// fair takes a host with the least score. If they are few all are compared; of
// more, the next look turns of the weighted round robin, so that a pick costs
// no more and over some picks everybody is seen.
//
// Of several that are least the one is taken whose turn it is: the first in
// the order of turns, which goes on behind it. The turns of busier hosts in
// between are forfeited, and one of few hosts that is least alone spends none.
// Always the first of equals would starve the last, and to count on by one
// whoever is taken would give a busy host's turns to the one that happens to
// stand behind it.
type fair struct {
	next  atomic.Uint64 // turn
	_     [56]byte      // the counter is written by every core: keep it off the others' line
	order []uint16      // the turns, and behind them the first ones once more
	turns uint64
	all   []uint16 // the hosts, if they are few
}

const (
	few     = 32 // at most, as many as a mask has bits
	look    = 8
	forfeit = 256 // turns passed over at most to find whose it is
)

func (f *fair) init(hosts []Host, few int) {
	f.order = smooth(turns(hosts))
	f.turns = uint64(len(f.order))
	for n := len(f.order) + forfeit; len(f.order) < n; {
		f.order = append(f.order, f.order[:min(int(f.turns), n-len(f.order))]...)
	}
	if len(hosts) <= few {
		for i := range hosts {
			f.all = append(f.all, uint16(i))
		}
	}
}

// begin is the turns from the next one on, and the hosts to be looked at, some
// perhaps twice.
func (f *fair) begin() (turns, window []uint16) {
	at := (f.next.Add(1) - 1) % f.turns // taken at once, so that two picks at the same time begin at two
	turns = f.order[at : at+forfeit]
	if f.all != nil {
		return turns, f.all
	}
	return turns, turns[:look]
}

// end takes the host with the least score of those in the window.
func (f *fair) end(turns, window []uint16, score *[few]uint32) int {
	least := ^uint32(0)
	for _, s := range score[:len(window)] {
		least = min(least, s)
	}
	var mask uint32 // who are least, by their place in the window
	for i, s := range score[:len(window)] {
		var bit uint32
		if s == least {
			bit = 1
		}
		mask |= bit << i
	}
	n := bits.TrailingZeros32(mask)
	if f.all != nil {
		if mask == 1<<n { // nobody to take turns with
			f.next.Add(^uint64(0))
			return n
		}
		for n = 0; mask>>turns[n]&1 == 0; n++ {
			if n == forfeit-1 {
				return chance(mask)
			}
		}
	}
	if n > 0 {
		f.next.Add(uint64(n))
	}
	return int(turns[n])
}

// chance is a host of the mask by chance. Slow path: only hosts that have less
// than one turn in 256 are least, and others are busy.
func chance(mask uint32) int {
	for range rand.IntN(bits.OnesCount32(mask)) {
		mask &= mask - 1 // without its lowest bit
	}
	return bits.TrailingZeros32(mask)
}

func heaviest(hosts []Host) (w uint64) {
	for i := range hosts {
		w = max(w, hosts[i].weight())
	}
	return w
}
