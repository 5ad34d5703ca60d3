package redis

import (
	"sync"
	"sync/atomic"

	"github.com/cespare/xxhash/v2"
	"github.com/redis/rueidis"

	"multiserver/sync/link/place"
)

// Watch waits for a change of one key. C gets a value when its record or its
// lease changed on the server, or when such news may have been missed; several
// changes may be one value. Look again at the key, whatever C says.
type Watch struct {
	C   <-chan struct{}
	c   chan struct{}
	key string
	w   *watchers
}

// Watch begins to watch key. Look at the key after Watch and not before, or a
// change in between is lost. Close it.
func (r *Redis) Watch(key []byte) *Watch {
	c := make(chan struct{}, 1)
	w := &Watch{C: c, c: c, key: string(key), w: &r.watchers}
	r.watchers.add(w)
	return w
}

// Close ends the watch. C is not closed.
func (w *Watch) Close() { w.w.remove(w) }

func (w *Watch) wake() {
	select {
	case w.c <- struct{}{}:
	default: // it has been told and did not look yet
	}
}

type watchers struct {
	mu    sync.Mutex
	by    map[string]map[*Watch]struct{} // guarded by mu
	count atomic.Int64                   // fast path: of most changes nobody here waits for any
}

func (s *watchers) add(w *Watch) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.by == nil {
		s.by = make(map[string]map[*Watch]struct{})
	}
	if s.by[w.key] == nil {
		s.by[w.key] = make(map[*Watch]struct{})
	}
	s.by[w.key][w] = struct{}{}
	s.count.Add(1)
}

func (s *watchers) remove(w *Watch) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, in := s.by[w.key][w]; !in {
		return
	}
	s.count.Add(-1)
	if delete(s.by[w.key], w); len(s.by[w.key]) == 0 {
		delete(s.by, w.key)
	}
}

func (s *watchers) wake(key string) {
	if s.count.Load() == 0 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for w := range s.by[key] {
		w.wake()
	}
}

func (s *watchers) wakeAll() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, set := range s.by {
		for w := range set {
			w.wake()
		}
	}
}

// pulses count changes, for those who store what they found: 256 counters that
// keys share, so that two keys seldom disturb each other.
type pulses struct {
	all   atomic.Uint64
	shard [256]atomic.Uint64
}

// Pulse is a number that grows when key changes on the server, sometimes also
// when another key does. What Find gave may be out of date when it arrives:
// take the Pulse before Find, store, take it again, and if it has grown remove
// what was stored. A change that came before the second look is seen by it; one
// that comes later calls Changed when it is stored already.
func (r *Redis) Pulse(key []byte) uint64 {
	return r.pulses.all.Load() + r.pulses.shard[xxhash.Sum64(key)&255].Load()
}

// invalidated is called by the reading goroutine of a connection, for the keys
// that others have changed. nil is a flush, or the end of the connection.
func (r *Redis) invalidated(keys []rueidis.RedisMessage) {
	if keys == nil {
		r.everything()
		return
	}
	for i := range keys {
		if name, err := keys[i].ToString(); err == nil {
			r.pushed(name)
		}
	}
}

// pushed is the news that the key of this name in Redis has changed.
func (r *Redis) pushed(name string) {
	if name == r.names.marks || name == r.names.cut {
		r.nudge()
		return
	}
	key, isRecord, ok := r.names.key(name)
	if !ok {
		return
	}
	if isRecord {
		r.Stats.Pushes.Add(1)
		r.Stats.PutStale.Add(uint64(r.queue.overtaken(name)))
		if r.queue.lately.take(name) && r.place.Shape != place.Cluster && !r.queue.add(op{does: drop, name: name}) {
			r.owe(name)
		}
		r.pulses.shard[xxhash.Sum64String(key)&255].Add(1)
		if r.opt.Changed != nil {
			r.opt.Changed([]byte(key))
		}
	}
	r.watchers.wake(key)
}

// everything is the news that pushes may have been missed, or that all is gone.
func (r *Redis) everything() {
	r.Stats.Flushes.Add(1)
	r.epoch.Add(1)
	r.pulses.all.Add(1)
	r.Stats.PutStale.Add(uint64(r.queue.overtakenAll()))
	if r.opt.Changed != nil {
		r.opt.Changed(nil)
	}
	r.watchers.wakeAll()
	r.nudge()
}
