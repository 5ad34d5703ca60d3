package balance

import (
	"math"
	"sync/atomic"
	"time"
)

// Latency is how long a host usually takes to answer: a moving average over
// ten seconds or, if that is sooner, about a hundred answers, which rises eight
// times as fast. The zero value knows nothing yet.
//
// It is an average of logarithms. That of the times themselves is made by the
// longest: the queue of one bad moment, or one report among a thousand pages,
// would make a host slow, and hosts are to be told apart, not requests. (To
// jump to every peak, as Finagle does, is worse still: a quick host that often
// has four requests at a time then counts as slow as it was at its worst, and
// its fourth goes to one that always is.) It rises faster because to ask a host
// that has become slow costs more than to spare one that has recovered.
type Latency struct {
	packed atomic.Uint64 // nanoseconds as float32 bits, and in the low half when, in milliseconds
}

// A past answer counts at most 1/e after tenSeconds, half after halfLife; milliseconds.
const (
	tenSeconds = 10_000
	halfLife   = 6931
)

const (
	down   = 1. / 128 // of the way to an answer the average goes at least
	rise   = 8        // times as fast does it go up
	dense  = 1000     // milliseconds: answers that follow each other sooner are many
	octave = 1 << 23  // a doubling in the bits of a float
)

// Observe takes in one answer that came at now, of the Set's clock, after d. A
// try that timed out is an answer as well: it took at least that long.
func (l *Latency) Observe(d time.Duration, now int64) {
	took := math.Float32bits(float32(max(d, 1)))
	for {
		old := l.packed.Load()
		next := took
		if old != 0 {
			mean, at := uint32(old>>32), uint32(old)
			next = toward(mean, took, age(uint32(now), at))
		}
		if l.packed.CompareAndSwap(old, uint64(next)<<32|uint64(uint32(now))) {
			return
		}
	}
}

// toward goes from mean to took, both the bits of floats: a float's bits are
// its logarithm in octaves, with straight lines between the powers of two.
//
// Of many answers one counts as half the mean if it was quicker, for failures
// are quicker than any work, and as 16 times it if it was slower. One that comes
// alone counts as it is, or who is asked rarely because of being slow would come
// back in small steps.
func toward(mean, took, aged uint32) uint32 {
	way, part, past := float64(took)-float64(mean), down, float64(aged)/tenSeconds
	if aged < dense {
		way = min(max(way, -octave), 4*octave)
	}
	if way > 0 {
		part, past = rise*part, rise*past
	}
	if past > part { // else the exponential is less than part, too
		part = max(part, -math.Expm1(-past))
	}
	return uint32(float64(mean) + way*part)
}

// Mean is the average as of the last answer; 0: there was none.
func (l *Latency) Mean() time.Duration {
	mean, _ := unpack(l.packed.Load())
	return time.Duration(mean)
}

func unpack(p uint64) (mean float32, at uint32) {
	return math.Float32frombits(uint32(p >> 32)), uint32(p)
}

// fade halves x, the bits of a float, with every half-life.
func fade(x, idle uint32) uint32 {
	return x - uint32(min(uint64(idle)*(octave/halfLife), uint64(x)))
}

// age is the milliseconds from then to now, 0 if that is a little later: the
// two may come from different cores. It is wrong every 50 days, when a host
// nobody asked in all that time is taken for one just asked.
func age(now, then uint32) uint32 {
	const slack = 60_000
	d := now - then + slack
	return d - min(d, slack)
}
