package redis

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/redis/rueidis"
)

// An op is something to write.
type op struct {
	does  verb
	name  string // in Redis
	value []byte // of a put: head and record
	token string // of a release
	ttl   time.Duration
	paid  chan<- payment // of a drop that was owed: who waits for its end
}

type verb uint8

const (
	put verb = iota
	drop
	release
)

// queue is what waits to be written, in order, bounded in entries and bytes.
type queue struct {
	mu      sync.Mutex
	ops     []op           // guarded by mu
	bytes   int            // guarded by mu; of their values
	puts    map[string]int // guarded by mu; how many puts of a name are in ops
	entries int
	limit   int
	more    chan struct{}
}

func (q *queue) init(entries, bytes int) {
	q.entries, q.limit, q.more = entries, bytes, make(chan struct{}, 1)
	q.puts = make(map[string]int)
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
		if o.does == put {
			q.puts[o.name]++
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
	if l == nil || r.place.shape != cluster {
		return l == nil || r.breakers[0].open.Load()
	}
	cmd := l.B().Get().Key(name).Build() // it knows the slot
	return r.breaker(cmd.Slot()).open.Load()
}

// write is the goroutine that empties the queue.
func (r *Redis) write() {
	var batch []op
	for {
		if batch = r.queue.take(batch[:0]); len(batch) > 0 {
			r.send(batch)
			clear(batch)
			continue
		}
		select {
		case <-r.queue.more:
		case <-r.closing:
			if batch = r.queue.take(batch[:0]); len(batch) == 0 {
				return
			}
			r.send(batch)
		}
	}
}

var errNoLink = errors.New("no link")

// Scripts. A drop leaves a trace for a moment if there was no record: nothing
// changes in Redis if nothing is deleted, and nobody would be told.
const (
	dropScript = `if redis.call('DEL',KEYS[1])==0 then redis.call('SET',KEYS[1],'','PX',1) end return 1`
	freeScript = `if redis.call('GET',KEYS[1])==ARGV[1] then return redis.call('DEL',KEYS[1]) end return 0`
)

func (r *Redis) command(l *link, o *op) rueidis.Completed {
	switch o.does {
	case put:
		return l.B().Set().Key(o.name).Value(rueidis.BinaryString(o.value)).PxMilliseconds(o.ttl.Milliseconds()).Build()
	case drop:
		return l.B().Eval().Script(dropScript).Numkeys(1).Key(o.name).Build()
	default:
		return l.B().Eval().Script(freeScript).Numkeys(1).Key(o.name).Arg(o.token).Build()
	}
}

// send writes a batch and sees to what comes of it.
func (r *Redis) send(batch []op) {
	l := r.link.Load()
	if l == nil {
		for i := range batch {
			r.sent(&batch[i], errNoLink)
		}
		return
	}
	for i, err := range r.do(r.ctx, l, batch) {
		r.sent(&batch[i], err)
	}
}

// do runs a batch and gives what became of each, in order.
func (r *Redis) do(ctx context.Context, l *link, batch []op) []error {
	cmds := make(rueidis.Commands, 0, batchOps)
	for i := range batch {
		cmds = append(cmds, r.command(l, &batch[i]))
	}
	errs := make([]error, len(batch))
	for i, res := range l.DoMulti(ctx, cmds...) {
		errs[i] = res.Error()
	}
	if !l.tracking {
		r.publish(ctx, l, batch, errs)
	}
	return errs
}

// sent counts, and wakes those here who wait for the key: to the writer itself
// Redis does not tell what it wrote.
func (r *Redis) sent(o *op, err error) {
	if key, _, ok := r.names.key(o.name); ok {
		defer r.watchers.wake(key)
	}
	if err != nil {
		r.nudge()
	}
	switch {
	case o.does == put && err == nil:
		r.Stats.Puts.Add(1)
		r.Stats.PutBytes.Add(uint64(len(o.value)))
	case o.does == put:
		r.Stats.PutFailed.Add(1)
	case o.paid != nil:
		o.paid <- payment{o.name, err}
	case o.does == drop && err == nil:
		r.Stats.Drops.Add(1)
	case o.does == drop:
		r.owe(o.name)
	case err == nil:
		r.Stats.Releases.Add(1)
	default:
		r.Stats.ReleasesLost.Add(1)
	}
}
