package balance

import "sync/atomic"

// roundRobin takes the hosts in turn by one atomic add.
type roundRobin struct {
	next  atomic.Uint64
	_     [56]byte // the counter is written by every core: keep it off order's line
	order []uint16 // the turns, a host as often as its weight says
}

// RoundRobin takes the hosts in turn, each as often as its weight, spread out
// smoothly: with weights 3 and 1 the order is a b a a, never a a a b. The
// counts are exact over every whole round, and less than a turn off at any time.
// Only weights of which the sum, divided by what they have in common, is above
// 65,536 are rounded.
func RoundRobin(s Set) Picker { return &roundRobin{order: smooth(turns(s.Hosts))} }

func (r *roundRobin) Pick(uint64) int {
	return int(r.order[(r.next.Add(1)-1)%uint64(len(r.order))])
}
