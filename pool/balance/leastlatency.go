package balance

import (
	"math"
	"sync/atomic"
	"time"
)

type leastLatency struct {
	fair
	hosts []timed
	now   func() int64
}

// timed is all of a host that a pick reads.
type timed struct {
	load  *atomic.Int64
	wait  *Latency
	part  float32       // heaviest weight ÷ its own
	asked atomic.Uint32 // when it was last picked here, in milliseconds; 0: never
}

// LeastLatency takes the host that will probably answer first: the least
// latency × (1 + exchanges under way ÷ weight), weight being that of the
// heaviest host = 1: of all hosts up to 16, above that of the next 8 turns of
// the weighted round robin. Differences of less than about a fifth are noise,
// and such hosts take turns by weight: else all nodes would hurry to the same
// one. (Finagle divides the whole by the weight; then light hosts would get
// nothing in quiet times.)
//
// A host that is slow is asked no more, so nothing would tell when it has
// recovered. Therefore a latency halves with every half-life in which the host
// was neither asked nor answered, until it looks good enough for one request,
// which puts it back where it was until the answer tells. One 10 × slower than
// the rest gets a request every 23 s (10 s · ln 10). No probes are sent.
//
// A host never measured is asked at once, by one request; until its answer
// is there it counts as very slow. If all are new that is LeastConnections.
func LeastLatency(s Set) Picker {
	l := &leastLatency{hosts: make([]timed, len(s.Hosts)), now: s.Now}
	l.init(s.Hosts, few/2) // whose state is twice as much to read
	most := heaviest(s.Hosts)
	for i := range s.Hosts {
		h := &s.Hosts[i]
		l.hosts[i].load, l.hosts[i].wait, l.hosts[i].part = h.Load, h.Wait, float32(most)/float32(h.weight())
	}
	return l
}

func (l *leastLatency) Pick(uint64) int {
	turns, window := l.begin()
	now := max(uint32(l.now()), 1)
	var score [few]uint32
	for i, h := range window {
		score[i] = l.hosts[h].score(now)
	}
	i := l.end(turns, window, &score)
	if h := &l.hosts[i]; h.asked.Load() != now { // a line written only once a tick stays shared
		h.asked.Store(now)
	}
	return i
}

// unknown is the latency of a host that was asked and has not answered yet.
const unknown = float32(time.Second)

// score is in steps of a quarter of a doubling. A float's bits are its
// logarithm in 2^23 steps a doubling, with straight lines between the powers of
// two, so to halve is to subtract.
func (h *timed) score(now uint32) uint32 {
	mean, at := unpack(h.wait.packed.Load())
	asked := h.asked.Load()
	if mean == 0 {
		if asked == 0 {
			return 0
		}
		mean, at = unknown, asked
	}
	idle := age(now, at)
	if asked != 0 {
		idle = min(idle, age(now, asked))
	}
	cost := math.Float32bits(mean * (1 + float32(h.load.Load())*h.part))
	fade := uint64(idle) * ((1 << 23) / halfLife)
	return (cost - uint32(min(fade, uint64(cost)))) >> 21
}
