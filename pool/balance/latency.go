package balance

import (
	"math"
	"sync/atomic"
	"time"
)

// Latency is how long a host takes to answer: a moving average over about ten
// seconds that jumps to every peak at once and comes down from it slowly, as in
// Finagle: the cost of asking a host that has become slow is far above that of
// sparing one that has recovered. The zero value knows nothing yet.
//
// Answers count by time, not by number, so a busy host's average is not
// shorter than an idle one's.
type Latency struct {
	packed atomic.Uint64 // nanoseconds as float32 bits, and in the low half when, in milliseconds
}

// A past answer counts 1/e after tenSeconds, half after halfLife; milliseconds.
const (
	tenSeconds = 10_000
	halfLife   = 6931
)

// Observe takes in one answer that came at now, of the Set's clock, after d.
// Between two ticks of that clock only peaks count. A try that timed out is an
// answer as well: it took at least that long.
func (l *Latency) Observe(d time.Duration, now int64) {
	for {
		old := l.packed.Load()
		mean, at := unpack(old)
		next := float32(max(d, 1))
		if next < mean {
			aged := age(uint32(now), at)
			if aged == 0 {
				return
			}
			next += (mean - next) * float32(math.Exp(-float64(aged)/tenSeconds))
		}
		if l.packed.CompareAndSwap(old, pack(next, uint32(now))) {
			return
		}
	}
}

// Mean is the average as of the last answer; 0: there was none.
func (l *Latency) Mean() time.Duration {
	mean, _ := unpack(l.packed.Load())
	return time.Duration(mean)
}

func pack(mean float32, at uint32) uint64 { return uint64(math.Float32bits(mean))<<32 | uint64(at) }

func unpack(p uint64) (mean float32, at uint32) {
	return math.Float32frombits(uint32(p >> 32)), uint32(p)
}

// age is the milliseconds from then to now, 0 if that is a little later: the
// two may come from different cores. It is wrong every 50 days, when a host
// nobody asked in all that time is taken for one just asked.
func age(now, then uint32) uint32 {
	const slack = 60_000
	d := now - then + slack
	return d - min(d, slack)
}
