package server

import (
	"context"
	"sync"
)

// tasks are what goes on beside the exchanges, from Run up to the end of a
// drain: exchanges under way may yet need them.
type tasks struct {
	ctx  context.Context
	stop context.CancelFunc
	wg   sync.WaitGroup
}

// task is one of them, which may end before the others.
type task struct {
	end  context.CancelFunc
	done chan struct{}
}

// begin has f go on until its context is done.
func (t *tasks) begin(f func(context.Context)) *task {
	ctx, end := context.WithCancel(t.ctx)
	one := &task{end, make(chan struct{})}
	t.wg.Go(func() {
		defer close(one.done)
		defer end()
		f(ctx)
	})
	return one
}

// halt ends a task and waits for that; nil is one that has ended.
func (t *task) halt() {
	if t != nil {
		t.end()
		<-t.done
	}
}

// over tells whether it has ended.
func (t *task) over() bool {
	select {
	case <-t.done:
		return true
	default:
		return false
	}
}
