//go:build linux

package steady

import (
	"math/bits"
	"sync/atomic"
	"time"
)

// Hist counts durations in buckets that are at most 1/128 wider than what is in
// them: all quantiles are exact to 0.8 %. Many goroutines may add at once. The
// zero value is empty.
type Hist struct {
	n   atomic.Uint64
	max atomic.Int64
	in  [buckets]atomic.Uint64
}

// Nanoseconds below 2·128 have a bucket each; above, each doubling has 128.
const (
	parts   = 7 // log₂ of buckets per doubling
	buckets = (64 - parts) << parts
)

// Add counts d; less than nothing is nothing.
func (h *Hist) Add(d time.Duration) {
	d = max(d, 0)
	h.in[bucket(uint64(d))].Add(1)
	h.n.Add(1)
	for {
		most := h.max.Load()
		if int64(d) <= most || h.max.CompareAndSwap(most, int64(d)) {
			return
		}
	}
}

// Count is how many were added.
func (h *Hist) Count() uint64 { return h.n.Load() }

// Max is the longest.
func (h *Hist) Max() time.Duration { return time.Duration(h.max.Load()) }

// Quantile is the duration that a share q of all did not exceed; 0 if there
// are none.
func (h *Hist) Quantile(q float64) time.Duration {
	n := h.n.Load()
	if n == 0 {
		return 0
	}
	rank := max(uint64(q*float64(n)+0.999999), 1) // nearest rank: the first with q·n at or below it
	var seen uint64
	for i := range h.in {
		if seen += h.in[i].Load(); seen >= rank {
			return min(time.Duration(upper(i)), h.Max())
		}
	}
	return h.Max()
}

// bucket is v's: the upper bits of v, and before them how far they were moved.
func bucket(v uint64) int {
	shift := max(bits.Len64(v)-1-parts, 0)
	return shift<<parts + int(v>>shift)
}

// upper is the largest value in bucket i.
func upper(i int) uint64 {
	shift := max(i>>parts-1, 0)
	return uint64(i-shift<<parts+1)<<shift - 1
}
