package redis

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"sync/atomic"

	"multiserver/sync/link/place"
)

// owed are drops that Redis was not there for. They are done when it is back,
// before anybody reads from it.
type owed struct {
	mu    sync.Mutex
	names map[string]struct{} // guarded by mu
	paid  map[string]struct{} // guarded by mu; what take gave last, and may not be done yet
	all   bool                // guarded by mu; there were too many: everything is to be dropped
	some  atomic.Bool         // fast path: there is any of these
}

func (r *Redis) owe(name string) {
	r.Stats.Owed.Add(1)
	r.owed.add(name, r.opt.OwedEntries)
	r.nudge()
}

func (o *owed) add(name string, limit int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.some.Store(true)
	switch {
	case o.all:
	case len(o.names) >= limit:
		o.names, o.all = nil, true
	default:
		if o.names == nil {
			o.names = make(map[string]struct{})
		}
		o.names[name] = struct{}{}
	}
}

// take gives the names, or says that all is to be dropped. They are not owed any
// more; who cannot do it has to add them again.
func (o *owed) take() (ops []op, all bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for name := range o.names {
		ops = append(ops, op{does: drop, name: name})
	}
	all = o.all
	o.names, o.paid, o.all = nil, o.names, false
	return ops, all
}

// has tells whether what Redis has under name is to be dropped.
func (o *owed) has(name string) bool {
	if !o.some.Load() {
		return false // fast path
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	_, owed := o.names[name]
	_, paid := o.paid[name]
	return owed || paid || o.all
}

// done ends what take began.
func (o *owed) done() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.paid = nil
	o.some.Store(o.all || len(o.names) > 0)
}

func (o *owed) addAll() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.names, o.all = nil, true
	o.some.Store(true)
}

// payOps are done at once: they take some 20 ms.
const payOps = 256

// pay does what is owed. What fails does not keep it from the rest, which may
// be on another node.
func (r *Redis) pay(l *link) (failed error) {
	ops, all := r.owed.take()
	defer r.owed.done()
	if all {
		failed = r.reset(l)
	}
	for some := range slices.Chunk(ops, payOps) {
		failed = cmp.Or(failed, r.payBatch(some))
	}
	return failed
}

func (r *Redis) reset(l *link) error {
	ctx, cancel := context.WithTimeout(r.ctx, place.AnswerWithin)
	defer cancel()
	if _, err := r.addMark(ctx, l, ""); err != nil {
		r.owed.addAll()
		return err
	}
	r.Stats.Resets.Add(1)
	return nil
}

// payment is what became of a drop that was owed.
type payment struct {
	name string
	err  error
}

// payBatch drops a few names, and waits for that; those that fail are owed
// again. They go through the queue: a put that waits there is older, and must
// not come after.
func (r *Redis) payBatch(ops []op) (failed error) {
	ctx, cancel := context.WithTimeout(r.ctx, place.AnswerWithin)
	defer cancel()
	paid := make(chan payment, len(ops)) // holds all, so that the writer never waits
	open := make(map[string]struct{}, len(ops))
	for _, o := range ops {
		o.paid = paid
		open[o.name] = struct{}{}
		r.queue.add(o)
	}
	for range ops {
		select {
		case p := <-paid:
			if p.err != nil {
				failed = p.err
				continue
			}
			delete(open, p.name)
			r.Stats.Paid.Add(1)
		case <-ctx.Done():
			failed = ctx.Err()
		}
	}
	for name := range open { // some may be done yet: twice does not hurt
		r.owed.add(name, r.opt.OwedEntries)
	}
	return failed
}
