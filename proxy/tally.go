package proxy

import (
	"sync"
	"sync/atomic"
	"time"
)

// DurationBounds are the upper bounds of a Tally's buckets, in seconds: from a
// stored answer's time to that of a long poll.
var DurationBounds = []float64{.0001, .00025, .0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60}

// durationBounds are the same, as they are compared.
var durationBounds = func() (b [len(Spread{}.Counts) - 1]time.Duration) {
	for i, s := range DurationBounds {
		b[i] = time.Duration(s * float64(time.Second))
	}
	return b
}()

// shards are of what many cores count at once.
const shards = 8

// Tally counts exchanges by class and by duration, in exact buckets: it can be
// added up over routes, processes and time. Adding costs three atomic operations
// on memory that other cores rarely touch. The zero value is ready.
type Tally struct {
	shards [shards]struct {
		counts  [len(Spread{}.Counts)]atomic.Uint64
		classes [len(Spread{}.Classes)]atomic.Uint64
		nanos   atomic.Uint64
		_       [48]byte // to 256 bytes: no two shards share a cache line
	}
}

// Spread is what a Tally has counted.
type Spread struct {
	Counts  [19]uint64 // by bucket of DurationBounds; the last: beyond all of them
	Classes [6]uint64  // as Stats.Classes
	Sum     float64    // of all durations, in seconds
}

// add counts an exchange; shard tells those apart who come at once.
func (t *Tally) add(class int, d time.Duration, shard uint8) {
	i := 0
	for i < len(durationBounds) && d > durationBounds[i] {
		i++
	}
	s := &t.shards[shard]
	s.counts[i].Add(1)
	s.classes[class].Add(1)
	s.nanos.Add(uint64(max(d, 0)))
}

// Spread adds up the shards. What comes meanwhile may be in a count and not
// yet in the sum.
func (t *Tally) Spread() (out Spread) {
	var nanos uint64
	for i := range t.shards {
		s := &t.shards[i]
		nanos += s.nanos.Load()
		for k := range s.counts {
			out.Counts[k] += s.counts[k].Load()
		}
		for k := range s.classes {
			out.Classes[k] += s.classes[k].Load()
		}
	}
	out.Sum = float64(nanos) / 1e9
	return out
}

// mostTallies bounds the names that are told apart: a metric with a label of
// thousands of values is dear to whoever keeps it.
const mostTallies = 256

// Others is the name under which all are counted that came too late for one of
// their own.
const Others = "(others)"

// Tallies are Tallies by name, which outlive what is named: a route keeps its
// counts over reloads. The zero value is ready.
type Tallies struct {
	mu    sync.Mutex
	names []string // guarded by mu, as is all
	all   map[string]*Tally
}

// of is the Tally of that name; it is asked for at start and at reloads.
func (t *Tallies) of(name string) *Tally {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.all) >= mostTallies && t.all[name] == nil {
		name = Others
	}
	if t.all[name] == nil {
		if t.all == nil {
			t.all = map[string]*Tally{}
		}
		t.all[name] = new(Tally)
		t.names = append(t.names, name)
	}
	return t.all[name]
}

// Each calls f for each, in the order in which they came.
func (t *Tallies) Each(f func(name string, s Spread)) {
	t.mu.Lock()
	names, all := t.names, make([]*Tally, len(t.names))
	for i, name := range names {
		all[i] = t.all[name]
	}
	t.mu.Unlock()
	for i, name := range names {
		f(name, all[i].Spread())
	}
}
