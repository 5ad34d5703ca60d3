package spawn

import (
	"context"
	"math/rand/v2"
	"sync/atomic"
	"time"
)

// slot is one instance number over time. One goroutine has it.
type slot struct {
	app    *App
	number int
	ctx    context.Context
	cancel context.CancelFunc
	why    atomic.Uint32 // the Cause of its end
	orders chan *order
	fails  int // ends in a row that came too soon
}

// order has a slot replace its child.
type order struct {
	cause Cause
	child *child     // only if that is the one; nil: whoever is there
	done  chan error // takes one
}

func (o *order) answer(err error) {
	if o != nil {
		o.done <- err
	}
}

const (
	// The first restart comes after restFirst, the next ones after twice as
	// long, up to restMost: by then a process that dies at once costs nothing.
	restFirst = 100 * time.Millisecond
	restMost  = 30 * time.Second

	steady = 10 * time.Second // who lived that long failed for another reason
	dying  = 5                // failures in a row that are an operator's business
)

// newSlot is called with app.mu held.
func newSlot(a *App, number int) *slot {
	s := &slot{app: a, number: number, orders: make(chan *order)}
	s.ctx, s.cancel = context.WithCancel(a.ctx)
	s.why.Store(uint32(Stopped))
	return s
}

// leave has it stop its child and end.
func (s *slot) leave(why Cause) {
	s.why.Store(uint32(why))
	s.cancel()
}

// ask has the child replaced, and waits for that. A slot that ends meanwhile
// has nobody to replace.
func (s *slot) ask(o *order) error {
	o.done = make(chan error, 1)
	select {
	case s.orders <- o:
		return <-o.done
	case <-s.ctx.Done():
		return nil
	}
}

func (s *slot) run() {
	defer s.cancel()
	var o *order
	for s.ctx.Err() == nil {
		c, err := s.launch()
		o.answer(err)
		if err == nil && s.app.enter(c, nil) {
			c.announce(Ready, "")
			s.tend(c)
		} else if err == nil {
			_ = c.fail(errEnded)
		}
		if o = nil; s.ctx.Err() == nil {
			o = s.rest(c)
		}
	}
	o.answer(errNotRunning)
}

// tend keeps to a child, and to its successors, until it has ended.
func (s *slot) tend(c *child) {
	for {
		select {
		case <-s.ctx.Done():
			c.stop(Cause(s.why.Load()))
			return
		case <-c.gone:
			return
		case o := <-s.orders:
			if o.child != nil && o.child != c {
				o.answer(nil)
				continue
			}
			fresh, err := s.replace(c, o.cause)
			if err == nil {
				c = fresh
			}
			o.answer(err)
		}
	}
}

// replace lets a new child in before the old one goes.
func (s *slot) replace(old *child, why Cause) (*child, error) {
	old.announce(Restart, why.String())
	fresh, err := s.launch()
	if err != nil {
		return nil, err
	}
	if !s.app.enter(fresh, old) {
		return nil, fresh.fail(errEnded)
	}
	fresh.announce(Ready, "")
	old.stop(why)
	return fresh, nil
}

// launch starts a child and waits until it is ready. One that does not get so
// is ended, and told of.
func (s *slot) launch() (*child, error) {
	c, err := s.app.start(s)
	if err != nil {
		s.app.Stats.Ends[NotStarted].Add(1)
		s.post(Event{Kind: Crashed, Cause: NotStarted.String(), Detail: err.Error()})
		return nil, err
	}
	c.announce(Boot, "")
	if err = c.await(s.ctx); err == nil {
		return c, nil
	}
	if s.ctx.Err() != nil {
		c.stop(Cause(s.why.Load()))
		return nil, err
	}
	return nil, c.fail(err)
}

func (s *slot) post(e Event) {
	e.App, e.Instance = s.app.opt.Name, s.number
	s.app.post(e)
}

// rest waits before the next start, longer each time if they go wrong. A roll
// need not wait: it may bring the cure.
func (s *slot) rest(c *child) *order {
	if c != nil && time.Since(c.began) >= steady {
		s.fails = 0
	}
	s.fails++
	wait := min(restFirst<<min(s.fails-1, 20), restMost)
	wait = wait*3/4 + rand.N(wait/2)
	if s.fails >= dying {
		s.app.opt.Log.Error("instance keeps dying: see why above, and put it right; it is tried again",
			"app", s.app.opt.Name, "instance", s.number, "times", s.fails, "after", wait.Round(time.Millisecond))
	}
	t := time.NewTimer(wait)
	defer t.Stop()
	var o *order
	select {
	case <-t.C:
	case o = <-s.orders:
	case <-s.ctx.Done():
		return nil
	}
	s.post(Event{Kind: Restart, Cause: Crash.String()})
	return o
}
