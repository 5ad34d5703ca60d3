package balance

import (
	"math"
	"time"
)

type leastLatency struct {
	fair
	hosts []timed
	now   func() int64
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
	l := &leastLatency{hosts: timedOf(s.Hosts), now: s.Now}
	l.init(s.Hosts, few/2) // whose state is twice as much to read
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
	l.hosts[i].ask(now)
	return i
}

// unknown is the latency of a host that was asked and has not answered yet.
const unknown = float32(time.Second)

// score is in steps of a quarter of a doubling.
func (h *timed) score(now uint32) uint32 {
	mean, at := unpack(h.wait.packed.Load())
	if mean == 0 {
		asked := h.asked.Load()
		if asked == 0 {
			return 0
		}
		mean, at = unknown, asked
	}
	return fade(math.Float32bits(mean*h.crowd()), h.idle(now, at)) >> 21
}
