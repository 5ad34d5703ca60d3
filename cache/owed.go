package cache

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"multiserver/cache/purge"
)

// owed is the purges that other nodes do not know of, because Redis was away.
// They are told by a goroutine that there is only while there are some. The
// zero value has none.
type owed struct {
	mu     sync.Mutex
	marks  [][]byte      // guarded by mu; as they travel
	stop   chan struct{} // guarded by mu; ends the goroutine; nil: there is none
	closed bool          // guarded by mu
	done   sync.WaitGroup
}

// mostOwed bounds them; beyond it all is purged, which is one mark.
const mostOwed = 4096

// payEach is how often it is tried, on the average.
const payEach = time.Second

// owe notes a mark that Redis has to be told of.
func (c *Cache) owe(mark []byte) {
	o := &c.owed
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.closed {
		return
	}
	if len(o.marks) >= mostOwed {
		all := purge.Mark{Kind: purge.All}
		o.marks, mark = o.marks[:0], all.Append(nil)
		c.opt.Log.Warn("too many purges that other nodes do not know of: they will purge all", "purges", mostOwed)
	}
	o.marks = append(o.marks, mark)
	if o.stop == nil {
		stop := make(chan struct{})
		o.stop = stop
		o.done.Go(func() { c.pay(stop) })
	}
}

// Owed is how many purges other nodes have yet to be told of.
func (c *Cache) Owed() int {
	c.owed.mu.Lock()
	defer c.owed.mu.Unlock()
	return len(c.owed.marks)
}

// pay tells Redis until there is nothing left to tell.
func (c *Cache) pay(stop <-chan struct{}) {
	for {
		select {
		case <-stop:
			return
		case <-time.After(payEach/2 + rand.N(payEach)): // not all nodes at once
		}
		if c.far.Up() && c.payAll() {
			return
		}
	}
}

// payAll tells whether nothing is owed any more.
func (c *Cache) payAll() bool {
	for {
		mark := c.owed.first()
		if mark == nil {
			return true
		}
		seq, err := c.far.Mark(context.Background(), mark)
		if err != nil {
			return false
		}
		c.marked(mark, seq)
		c.owed.paid(mark)
	}
}

// first is nil if there is none, and then the goroutine has to end.
func (o *owed) first() []byte {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.marks) == 0 {
		o.stop = nil
		return nil
	}
	return o.marks[0]
}

// paid forgets the first mark if it is still that one.
func (o *owed) paid(mark []byte) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.marks) > 0 && &o.marks[0][0] == &mark[0] {
		o.marks = o.marks[1:]
	}
}

func (o *owed) close(log *slog.Logger) {
	o.mu.Lock()
	o.closed = true
	if o.stop != nil {
		close(o.stop)
		o.stop = nil
	}
	n := len(o.marks)
	o.mu.Unlock()
	o.done.Wait()
	if n > 0 {
		log.Error("purges that other nodes do not know of are lost, Redis is away: purge again there", "purges", n)
	}
}
