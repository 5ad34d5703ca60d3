package balance

import "math/rand/v2"

// p2c takes the less loaded of two.
type p2c struct {
	alias
	hosts []Host
}

// P2C takes the less loaded, for its weight, of two different hosts drawn by
// weight. One choice more than chance brings the most loaded of n hosts from
// log n/log log n above the mean down to log log n (Mitzenmacher 2001), and
// unlike the least of all, two are never the same for many nodes that decide
// at once without seeing each other's load.
func P2C(s Set) Picker { return &p2c{newAlias(s.Hosts), s.Hosts} }

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
	a, b := &p.hosts[i], &p.hosts[j]
	if uint64(b.Load.Load())*a.weight() < uint64(a.Load.Load())*b.weight() {
		return j
	}
	return i
}
