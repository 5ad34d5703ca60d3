package redis

import (
	"sync"
	"sync/atomic"

	"multiserver/sync/link/place"
)

// A breaker keeps readers from waiting for who does not answer. There are 64,
// each for 256 neighbouring slots of a cluster, so that one node that hangs
// does not take the others' records away; a single Redis uses one.
type breaker struct {
	open  atomic.Bool
	fails atomic.Int32 // in a row

	mu  sync.Mutex
	key string // guarded by mu; a name that failed, for probes: it finds the same node
}

const (
	breakers = 64
	// tolerance is how many failures in a row open it: one or two are a slow
	// moment of the network or of ours.
	tolerance = 3
)

// fail tells of one more failure, and whether it has opened the breaker.
func (b *breaker) fail(key string) (opened bool) {
	if b.fails.Add(1) < tolerance {
		return false
	}
	return b.trip(key)
}

func (b *breaker) trip(key string) (opened bool) {
	b.mu.Lock()
	b.key = key
	b.mu.Unlock()
	return b.open.CompareAndSwap(false, true)
}

// good tells of an answer. It does not close the breaker: it may have been on
// its way for long. Probes do.
func (b *breaker) good() {
	if b.fails.Load() != 0 {
		b.fails.Store(0)
	}
}

func (b *breaker) close() {
	b.fails.Store(0)
	b.open.Store(false)
}

func (b *breaker) probeKey() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.key
}

func (r *Redis) breaker(slot uint16) *breaker {
	if r.place.Shape != place.Cluster {
		slot = 0 // the client gives none
	}
	return &r.breakers[slot>>8%breakers]
}

// shut tells whether nobody is asked, whatever the key. Of a cluster one node
// or another may always be there.
func (r *Redis) shut() bool { return r.place.Shape != place.Cluster && r.breakers[0].open.Load() }
