package redis

import (
	"context"
	"sync"
)

// owed are drops that Redis was not there for. They are done when it is back,
// before anybody reads from it.
type owed struct {
	mu    sync.Mutex
	names map[string]struct{} // guarded by mu
	all   bool                // guarded by mu; there were too many: everything is to be dropped
}

func (r *Redis) owe(name string) {
	r.Stats.Owed.Add(1)
	r.owed.add(name, r.opt.OwedEntries)
	r.nudge()
}

func (o *owed) add(name string, limit int) {
	o.mu.Lock()
	defer o.mu.Unlock()
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

// take gives a few of the names, or says that all is to be dropped. They are not
// owed any more; who cannot do it has to add them again.
func (o *owed) take() (ops []op, all bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.all {
		o.all = false
		return nil, true
	}
	for name := range o.names {
		delete(o.names, name)
		if ops = append(ops, op{does: drop, name: name}); len(ops) == batchOps {
			break
		}
	}
	return ops, false
}

func (o *owed) addAll() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.names, o.all = nil, true
}

// pay does what is owed.
func (r *Redis) pay(ctx context.Context, l *link) error {
	for {
		ops, all := r.owed.take()
		if !all && len(ops) == 0 {
			return nil
		}
		if all {
			if _, err := r.addMark(ctx, l, ""); err != nil {
				r.owed.addAll()
				return err
			}
			r.Stats.Resets.Add(1)
		}
		if err := r.payBatch(ctx, ops); err != nil {
			return err
		}
	}
}

// payment is what became of a drop that was owed.
type payment struct {
	name string
	err  error
}

// payBatch drops a few names, and waits for that; those that fail are owed
// again. They go through the queue: a put that waits there is older, and must
// not come after.
func (r *Redis) payBatch(ctx context.Context, ops []op) (failed error) {
	paid := make(chan payment, len(ops)) // holds all, so that the writer never waits
	open := make(map[string]struct{}, len(ops))
	for _, o := range ops {
		o.paid = paid
		open[o.name] = struct{}{}
		r.queue.add(o)
	}
	for len(open) > 0 && failed == nil {
		select {
		case p := <-paid:
			if failed = p.err; failed == nil {
				delete(open, p.name)
				r.Stats.Paid.Add(1)
			}
		case <-ctx.Done():
			failed = ctx.Err()
		}
	}
	for name := range open { // some may be done yet: twice does not hurt
		r.owed.add(name, r.opt.OwedEntries)
	}
	return failed
}
