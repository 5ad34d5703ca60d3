package balance

import (
	"math"
	"sync/atomic"
)

type leastConnections struct {
	fair
	hosts []loaded
}

// loaded is all of a host that a pick reads, on few cache lines.
type loaded struct {
	load *atomic.Int64
	part float64 // heaviest weight ÷ its own
}

// LeastConnections takes the host with the fewest exchanges under way for its
// weight, equal ones in turn by weight: of all hosts up to 32, above that of
// the next 8 turns of the weighted round robin, which is nearly as good as d
// choices with d = 8 (Azar and others 1999): the fullest of 1,000 hosts has
// about three more than the mean.
func LeastConnections(s Set) Picker {
	l := &leastConnections{}
	l.init(s.Hosts, few)
	most := heaviest(s.Hosts)
	for i := range s.Hosts {
		h := &s.Hosts[i]
		l.hosts = append(l.hosts, loaded{h.Load, float64(most) / float64(h.weight())})
	}
	return l
}

func (l *leastConnections) Pick(uint64) int {
	turns, window := l.begin()
	var score [few]uint32
	for i, h := range window {
		h := &l.hosts[h]
		// Rounded to a float32, 49 loads of weight 49 equal 1 of weight 1; and
		// the bits of floats that are not negative are in order as integers.
		score[i] = math.Float32bits(float32(float64(h.load.Load()) * h.part))
	}
	return l.end(turns, window, &score)
}
