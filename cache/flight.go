package cache

import (
	"hash/maphash"
	"sync"
	"sync/atomic"
	"time"
)

// A flight is one fetch that several requests wait for. Whoever finds none
// under way for its key leads one; the others wait until it lands.
type flight struct {
	key     string
	done    chan struct{} // closed when it has landed
	outcome outcome       // set before done is closed
	waiters atomic.Int32
	spoiled atomic.Bool // what it fetches was dropped meanwhile
}

// outcome is what a landed flight means to those who waited.
type outcome uint8

const (
	failed   outcome = iota // nothing was learned: the next one may lead
	stored                  // look again
	unshared                // every request has to go itself
)

// flights are those under way, in shards so that misses do not queue up at
// one lock.
type flights [64]struct {
	mu sync.Mutex
	m  map[string]*flight // guarded by mu
}

var flightSeed = maphash.MakeSeed()

// join returns the flight for key, and whether the caller leads it, and so
// has to land it.
func (s *flights) join(key []byte) (f *flight, lead bool) {
	sh := &s[maphash.Bytes(flightSeed, key)%uint64(len(s))]
	sh.mu.Lock()
	defer sh.mu.Unlock()
	if f := sh.m[string(key)]; f != nil {
		return f, false
	}
	if sh.m == nil {
		sh.m = map[string]*flight{}
	}
	f = &flight{key: string(key), done: make(chan struct{})}
	sh.m[f.key] = f
	return f, true
}

// land wakes all who wait.
func (s *flights) land(f *flight, o outcome) {
	sh := &s[maphash.String(flightSeed, f.key)%uint64(len(s))]
	sh.mu.Lock()
	if sh.m[f.key] == f {
		delete(sh.m, f.key)
	}
	sh.mu.Unlock()
	f.outcome = o
	close(f.done)
}

// spoil tells the flight for key, if there is one, that what it fetches is
// out of date already: it is used by those who asked before, and not stored.
func (s *flights) spoil(key []byte) {
	sh := &s[maphash.Bytes(flightSeed, key)%uint64(len(s))]
	sh.mu.Lock()
	defer sh.mu.Unlock()
	if f := sh.m[string(key)]; f != nil {
		f.spoiled.Store(true)
		delete(sh.m, f.key) // who comes now does not wait for it
	}
}

// wait waits for the landing, at most for d, and tells whether there was one.
func (f *flight) wait(d time.Duration) bool {
	f.waiters.Add(1)
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-f.done:
		return true
	case <-t.C:
		return false
	}
}
