package balance

import "sync/atomic"

// roundRobin takes the hosts in turn by one atomic add.
type roundRobin struct {
	next  atomic.Uint64
	_     [56]byte // the counter is written by every core: keep it off order's line
	order []uint16 // the turns, a host as often as its weight says
}

// maxTurns bounds the order; weights are scaled down to fit.
const maxTurns = 1 << 16

// RoundRobin takes the hosts in turn, each as often as its weight, spread out
// smoothly: with weights 3 and 1 the order is a a b a, never a a a b. The
// counts are exact over every whole round.
func RoundRobin(hosts []Host) Picker {
	return &roundRobin{order: smooth(turns(hosts))}
}

func (r *roundRobin) Pick(uint64) int {
	return int(r.order[(r.next.Add(1)-1)%uint64(len(r.order))])
}

// turns are the weights divided by their greatest common divisor, and scaled
// down if their sum is still too large; nobody falls below 1.
func turns(hosts []Host) []uint64 {
	w := make([]uint64, len(hosts))
	var div, sum uint64
	for i, h := range hosts {
		w[i] = uint64(max(h.Weight, 1))
		div = gcd(div, w[i])
		sum += w[i]
	}
	sum /= div
	for i := range w {
		w[i] /= div
		if sum > maxTurns {
			w[i] = max(w[i]*maxTurns/sum, 1)
		}
	}
	return w
}

func gcd(a, b uint64) uint64 {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

// smooth lays the turns out: each step everyone gains its weight, the richest
// is next and pays the sum.
func smooth(w []uint64) []uint16 {
	var sum int64
	for _, n := range w {
		sum += int64(n)
	}
	order := make([]uint16, sum)
	gain := make([]int64, len(w))
	for t := range order {
		best := 0
		for i, n := range w {
			if gain[i] += int64(n); gain[i] > gain[best] {
				best = i
			}
		}
		gain[best] -= sum
		order[t] = uint16(best)
	}
	return order
}
