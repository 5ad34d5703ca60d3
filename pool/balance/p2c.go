package balance

import (
	"math"
	"math/rand/v2"
)

// p2c takes the better of two.
type p2c struct {
	alias
	hosts []timed
	now   func() int64
}

// P2C takes of two different hosts drawn by weight the less loaded for its
// weight. One choice more than chance brings the most loaded of n hosts from
// log n/log log n above the mean down to log log n (Mitzenmacher 2001), and
// unlike the least of all, two are never the same for many nodes that decide
// at once without seeing each other's load.
//
// If one is clearly slower, the lesser latency × (1 + load ÷ weight) decides:
// a host ten times slower with nothing to do is no better than a quick one with
// nine requests, which loads do not tell. It is asked again by one request at a
// time when its latency has faded, as LeastLatency does it. A host never
// measured has its load only: it gets as many as the others have.
func P2C(s Set) Picker { return &p2c{newAlias(s.Hosts), timedOf(s.Hosts), s.Now} }

func (p *p2c) Pick(uint64) int {
	if len(p.hosts) == 1 {
		return 0
	}
	r := rand.Uint64()
	i, j := p.draw(r), p.draw(r<<32) // which go by the upper bits; 32 are enough for each
	if i == j {
		// Any other, rather than drawing until there is one: beside a host that
		// has nearly all the weight that could take long.
		if j = i + 1 + rand.IntN(len(p.hosts)-1); j >= len(p.hosts) {
			j -= len(p.hosts)
		}
	}
	now := max(uint32(p.now()), 1)
	a, b := &p.hosts[i], &p.hosts[j]
	x, y := waits(a, b, now)
	if y*b.crowd() < x*a.crowd() {
		i, a = j, b
	}
	a.ask(now)
	return i
}

// alike is up to which ratio two latencies are no reason to prefer a host:
// averages of two that are the same may differ by as much, and of one that is
// slower by no more the load tells it well enough.
const alike = 1.5

// waits are the latencies of a and b to go by: 1 and 1 if those decide nothing.
// Only the slower one's fades, and not below the other's: in quiet times those
// asked less, the light ones, would look better.
func waits(a, b *timed, now uint32) (x, y float32) {
	x, xAt := unpack(a.wait.packed.Load())
	y, yAt := unpack(b.wait.packed.Load())
	switch {
	case x == 0 || y == 0:
	case x > y*alike:
		if x = faded(x, a.idle(now, xAt)); x > y*alike {
			return x, y
		}
	case y > x*alike:
		if y = faded(y, b.idle(now, yAt)); y > x*alike {
			return x, y
		}
	}
	return 1, 1
}

func faded(x float32, idle uint32) float32 {
	return math.Float32frombits(fade(math.Float32bits(x), idle))
}
