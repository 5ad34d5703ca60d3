package pool

import (
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"multiserver/proxy/wire"
)

// Queue is where exchanges wait, first come first served, while all places
// are taken. It is bounded in number and in time; whoever finds it full, or
// waits too long, is told so.
type Queue struct {
	most   atomic.Int64 // who may wait at once
	within atomic.Int64 // nanoseconds, for how long; 0: no limit
	each   bool         // who waits wants different things: not only the first may be served

	n    atomic.Int32 // who waits
	mu   sync.Mutex
	line []*waiter // guarded by mu; the first is served first

	Stats QueueStats
}

// QueueStats count how waits ended, apart from well.
type QueueStats struct {
	Waited atomic.Uint64 // all that had to wait
	Full   atomic.Uint64 // refused at once
	Late   atomic.Uint64 // refused after the time
	Gone   atomic.Uint64 // the client left
}

// waiter is woken when it is worth its while to try again.
type waiter struct{ wake chan struct{} }

// How a wait may end.
var (
	ErrFull = errors.New("too many are waiting")
	ErrLate = errors.New("no place became free in time")
)

// askEvery is how often a waiting exchange looks whether its client is there.
const askEvery = time.Second

// NewQueue returns a Queue for up to most, each for up to within.
func NewQueue(most int, within time.Duration) *Queue {
	q := new(Queue)
	q.Resize(most, within)
	return q
}

// Resize changes both for those who come from here on. Who waits, waits on.
func (q *Queue) Resize(most int, within time.Duration) {
	q.most.Store(int64(most))
	q.within.Store(int64(within))
}

// Queue is where exchanges wait for a slot at an upstream, Second where they
// do after a try that failed.
func (p *Pool) Queue() *Queue { return p.queue }

// Second: see Queue.
func (p *Pool) Second() *Queue { return p.second }

// Busy tells whether somebody waits: whoever comes now belongs behind them.
func (q *Queue) Busy() bool { return q.n.Load() > 0 }

// Waiting is how many wait.
func (q *Queue) Waiting() int { return int(q.n.Load()) }

// Wait puts its caller at the end of the line and returns nil once it was
// first and try, which takes a place, has succeeded; or why it never will:
// ErrFull, ErrLate, or wire.ErrGone if client has left.
func (q *Queue) Wait(client *wire.Conn, try func() bool) error {
	w, err := q.join()
	if err != nil {
		return err
	}
	defer q.leave(w)
	var late <-chan time.Time
	if d := time.Duration(q.within.Load()); d > 0 {
		t := time.NewTimer(d)
		defer t.Stop()
		late = t.C
	}
	ask := time.NewTicker(askEvery)
	defer ask.Stop()
	for {
		if q.may(w) && try() {
			return nil
		}
		select {
		case <-w.wake:
		case <-late:
			q.Stats.Late.Add(1)
			return ErrLate
		case <-ask.C:
			if client != nil && client.Left() {
				q.Stats.Gone.Add(1)
				return wire.ErrGone
			}
		}
	}
}

// Wake is called when a place has been given back. With nobody waiting it is
// one load.
func (q *Queue) Wake() {
	if q.n.Load() == 0 {
		return
	}
	q.mu.Lock()
	q.nudge()
	q.mu.Unlock()
}

// nudge wakes who may be served. Called with mu held.
func (q *Queue) nudge() {
	for _, w := range q.line {
		select {
		case w.wake <- struct{}{}:
		default: // it has not yet heard of the last time
		}
		if !q.each {
			return
		}
	}
}

func (q *Queue) join() (*waiter, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if int64(len(q.line)) >= q.most.Load() {
		q.Stats.Full.Add(1)
		return nil, ErrFull
	}
	w := &waiter{wake: make(chan struct{}, 1)}
	q.line = append(q.line, w)
	q.n.Add(1) // before its first try: a place given back from here on wakes it
	q.Stats.Waited.Add(1)
	return w, nil
}

// leave takes w out and lets the next one try: there may be more places, and
// a wake-up may have been w's that it did not use.
func (q *Queue) leave(w *waiter) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for i := range q.line {
		if q.line[i] == w {
			copy(q.line[i:], q.line[i+1:])
			q.line[len(q.line)-1] = nil
			q.line = q.line[:len(q.line)-1]
			break
		}
	}
	q.n.Add(-1)
	q.nudge()
}

// may tells whether it is w's turn to try.
func (q *Queue) may(w *waiter) bool {
	if q.each {
		return true
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.line[0] == w
}

// Gate bounds how many are in at once, with a Queue before it.
type Gate struct {
	most atomic.Int64
	in   atomic.Int64
	*Queue
}

// NewGate returns a Gate for most, or nil, which lets everybody in, for 0.
func NewGate(most int, q *Queue) *Gate {
	if most == 0 {
		return nil
	}
	g := &Gate{Queue: q}
	g.most.Store(int64(most))
	return g
}

// Admit changes for how many, which is at least 1. If these are fewer, those
// who are in stay.
func (g *Gate) Admit(most int) {
	g.most.Store(int64(most))
	g.Wake()
}

// Enter takes a place, waiting for one if need be; errors are Queue.Wait's.
// With places free it is two loads and a swap.
func (g *Gate) Enter(client *wire.Conn) error {
	if g.TryEnter() {
		return nil // fast path
	}
	return g.Wait(client, g.take)
}

// TryEnter is Enter for who may not wait.
func (g *Gate) TryEnter() bool { return g == nil || !g.Busy() && g.take() }

// Leave gives the place back.
func (g *Gate) Leave() {
	if g != nil {
		g.in.Add(-1)
		g.Wake()
	}
}

// In is how many are in.
func (g *Gate) In() int64 {
	if g == nil {
		return 0
	}
	return g.in.Load()
}

func (g *Gate) take() bool { return takeOne(&g.in, g.most.Load()) }

// takeOne adds one to n unless that would exceed most.
func takeOne(n *atomic.Int64, most int64) bool {
	for {
		v := n.Load()
		if v >= most {
			return false
		}
		if n.CompareAndSwap(v, v+1) {
			return true
		}
	}
}
