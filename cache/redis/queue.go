package redis

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"multiserver/sync/link/place"
)

// An op is something to write.
type op struct {
	does  verb
	name  string // in Redis
	value []byte // of a put: head and record
	token string // of a release or a renewal
	ttl   time.Duration
	paid  chan<- payment // of a drop that was owed: who waits for its end
}

type verb uint8

const (
	put verb = iota
	drop
	release
	renew
)

// queue is what waits to be written, in order, bounded in entries and bytes.
type queue struct {
	mu      sync.Mutex
	ops     []op           // guarded by mu
	bytes   int            // guarded by mu; of their values
	puts    map[string]int // guarded by mu; how many puts of a name are in ops
	drops   map[string]int // guarded by mu; how many drops of a name are in ops or on their way
	doomed  atomic.Int64   // fast path: how many names are in drops
	lately  lately
	entries int
	limit   int
	more    chan struct{}
}

func (q *queue) init(entries, bytes int) {
	q.entries, q.limit, q.more = entries, bytes, make(chan struct{}, 1)
	q.puts, q.drops = make(map[string]int), make(map[string]int)
}

// add is false when the queue is full. A quarter more is for drops and
// releases: a crowd of puts must not keep them out. What is paid always fits:
// it is bounded already.
func (q *queue) add(o op) bool {
	entries := q.entries
	if o.does != put {
		entries += entries / 4
	}
	q.mu.Lock()
	fits := o.paid != nil || len(q.ops) < entries && q.bytes+len(o.value) <= q.limit
	if fits {
		q.ops = append(q.ops, o)
		q.bytes += len(o.value)
		switch o.does {
		case put:
			q.puts[o.name]++
		case drop:
			q.drops[o.name]++
			q.doomed.Store(int64(len(q.drops)))
		}
	}
	q.mu.Unlock()
	if fits {
		select {
		case q.more <- struct{}{}:
		default:
		}
	}
	return fits
}

// dropping tells whether a drop of name is not done yet: what Redis has under
// it is not to be used.
func (q *queue) dropping(name string) bool {
	if q.doomed.Load() == 0 {
		return false // fast path
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.drops[name] > 0
}

// dropped says that one was answered, well or not.
func (q *queue) dropped(name string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.drops[name]--; q.drops[name] <= 0 {
		delete(q.drops, name)
	}
	q.doomed.Store(int64(len(q.drops)))
}

// overtakenAll removes all puts: what others have changed is not known.
func (q *queue) overtakenAll() (removed int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.ops = slices.DeleteFunc(q.ops, func(o op) bool {
		if o.does != put {
			return false
		}
		q.gone(&o)
		removed++
		return true
	})
	return removed
}

// overtaken removes the puts of a name that somebody else has changed since:
// they may be of what was there before.
func (q *queue) overtaken(name string) (removed int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.puts[name] == 0 {
		return 0
	}
	q.ops = slices.DeleteFunc(q.ops, func(o op) bool {
		if o.does != put || o.name != name {
			return false
		}
		q.gone(&o)
		removed++
		return true
	})
	return removed
}

// gone is called with mu held.
func (q *queue) gone(o *op) {
	q.bytes -= len(o.value)
	if o.does != put {
		return
	}
	if q.puts[o.name]--; q.puts[o.name] == 0 {
		delete(q.puts, o.name)
	}
}

// A batch is what goes to Redis at once. Readers on the same connection wait
// behind it, so it is bounded: 256 KiB are 2 ms at 1 Gbit/s.
const (
	batchOps   = 64
	batchBytes = 256 << 10
)

func (q *queue) take(batch []op) []op {
	q.mu.Lock()
	defer q.mu.Unlock()
	n, size := 0, 0
	for n < len(q.ops) && n < batchOps && (n == 0 || size+len(q.ops[n].value) <= batchBytes) {
		size += len(q.ops[n].value)
		q.gone(&q.ops[n])
		n++
	}
	batch = append(batch, q.ops[:n]...)
	q.lately.begin(batch)
	left := copy(q.ops, q.ops[n:])
	clear(q.ops[left:]) // their values are not held
	q.ops = q.ops[:left]
	return batch
}

// Put stores rec under key for ttl. It copies rec and never waits: what does not
// fit into the queue, or comes while Redis is away, is dropped and counted.
// squeeze is false for what is compressed already.
func (r *Redis) Put(key, rec []byte, ttl time.Duration, squeeze bool) {
	name := r.names.record(key)
	switch {
	case ttl < time.Millisecond || r.stopping.Load():
		return
	case len(rec) > maxRecord:
		r.Stats.PutLarge.Add(1)
	case r.away(name):
		r.Stats.PutAway.Add(1)
	case !r.queue.add(op{does: put, name: name, ttl: ttl,
		value: pack(name, rec, r.opt.Version, squeeze)}):
		r.Stats.PutFull.Add(1)
	}
}

// Drop removes the record under key from Redis, and by Changed from all other
// nodes' memories, even if Redis has no such record. It never waits. While Redis
// is away it is noted and done later; if too many are noted, all records are
// dropped instead, as by Mark(nil).
func (r *Redis) Drop(key []byte) {
	name := r.names.record(key)
	if r.away(name) || !r.queue.add(op{does: drop, name: name}) {
		r.owe(name)
	}
}

// Renew makes a lease last for d from now on, if it is still ours. It never
// waits; one that is lost on the way does nothing.
func (r *Redis) Renew(lease Lease, d time.Duration) {
	if lease.name != "" {
		r.queue.add(op{does: renew, name: lease.name, token: lease.token, ttl: d})
	}
}

// Release gives a lease back, if it is still ours, after everything that was
// put before. It never waits; one that is lost on the way ends by itself.
func (r *Redis) Release(lease Lease) {
	if lease.name == "" {
		return
	}
	if !r.queue.add(op{does: release, name: lease.name, token: lease.token}) {
		r.Stats.ReleasesLost.Add(1)
	}
}

func (r *Redis) away(name string) bool {
	l := r.link.Load()
	if l == nil || r.place.Shape != place.Cluster {
		return l == nil || r.shut()
	}
	cmd := l.B().Get().Key(name).Build() // it knows the slot
	return r.breaker(cmd.Slot()).open.Load()
}
