package pipe

import (
	"sync/atomic"
	"time"
)

// A watch looks at the lines as long as there is somebody in one. It counts
// looks instead of reading the clock: that costs those who ask nothing, and a
// process that is starved finds nobody slow for it.
type watch struct {
	timer *time.Timer
	armed atomic.Bool
	usual atomic.Int32 // for how many looks an answer is the next, times 4 * whole
}

const (
	lookEvery = 5 * time.Millisecond
	// A line that has not moved for leastHeld looks lets nobody in; for leastLeft,
	// or timesLeft times as many as usual, and who is behind may leave.
	leastHeld = 2
	leastLeft = 5
	timesLeft = 4
	// slowAnswers, in looks: where they take longer as a rule, nobody is put behind
	// another.
	slowAnswers = 1

	// A look counts for that many of seen.stuck, but for one only if no line at
	// all has moved: then it is the upstream, or this machine, that has paused,
	// and elsewhere it would not be better.
	whole  = 4
	paused = 1
)

// seen is what the last look saw of a line.
type seen struct {
	dealt uint64
	stuck int32 // for how many looks, times whole
}

func (w *watch) begin(s *Conns) {
	w.timer = time.AfterFunc(time.Hour, func() { s.look() })
	w.timer.Stop()
}

// arm sees to it that there is a next look.
func (w *watch) arm() {
	if !w.armed.Load() && w.armed.CompareAndSwap(false, true) {
		w.timer.Reset(lookEvery)
	}
}

// depth is how many may be on a connection.
func (s *Conns) depth() int32 {
	if s.usual.Load() > slowAnswers*4*whole {
		return 1
	}
	return int32(s.opt.Depth)
}

func (s *Conns) look() {
	list := *s.list.Load()
	busy, moved := 0, false
	for _, c := range list {
		b, m := c.progress()
		moved = moved || m
		if b {
			busy++
		}
	}
	if busy == 0 {
		s.armed.Store(false)
		for _, c := range list {
			if c.busy() { // who joined meanwhile took it for armed
				s.arm()
			}
		}
		return
	}
	for _, c := range list {
		if c.wait(weight(busy, moved)) {
			c.giveUp()
		}
	}
	s.timer.Reset(lookEvery)
}

// weight is what a look counts, with so many lines in use of which some have
// moved, or none.
func weight(busy int, moved bool) int32 {
	if busy > 1 && !moved {
		return paused
	}
	return whole
}

func (c *conn) busy() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.n > 0 && !c.over
}

// progress tells whether there is anybody in the line, and whether it has moved
// since the last look.
func (c *conn) progress() (busy, moved bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	busy, moved = c.n > 0 && !c.over, c.dealt != c.seen.dealt
	if busy && moved {
		c.set.learn(c.seen.stuck)
	}
	if moved || !busy {
		c.seen = seen{c.dealt, -whole} // counts from the next look on
	}
	return busy, moved
}

// wait counts a look of that weight. If the line has not moved for long, nobody is let in
// behind, and who is behind may leave. vain: nobody wants what is waited for.
func (c *conn) wait(count int32) (vain bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.n == 0 || c.over {
		return false
	}
	if c.seen.stuck < 0 {
		c.seen.stuck = 0
		return false
	}
	c.seen.stuck += count
	if c.seen.stuck >= leastHeld*whole {
		c.held.Store(true)
	}
	if c.seen.stuck < max(leastLeft*whole, timesLeft*c.set.usual.Load()/4) {
		return false
	}
	for i := 1; i < c.n; i++ {
		c.line[(c.first+i)%len(c.line)].block()
	}
	return c.wanted.Load() == 0
}

// learn: an answer was the next for so long, in looks times whole.
func (w *watch) learn(stuck int32) {
	u := w.usual.Load()
	w.usual.Store(u + (4*max(stuck, 0)-u)/8)
}
