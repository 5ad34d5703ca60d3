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
		if err := r.payBatch(ctx, l, ops); err != nil {
			return err
		}
	}
}

// payBatch drops a few names; those that fail are owed again.
func (r *Redis) payBatch(ctx context.Context, l *link, ops []op) (failed error) {
	if len(ops) == 0 {
		return nil
	}
	for i, err := range r.do(ctx, l, ops) {
		if err != nil {
			failed = err
			r.owed.add(ops[i].name, r.opt.OwedEntries)
			continue
		}
		r.Stats.Paid.Add(1)
	}
	return failed
}
