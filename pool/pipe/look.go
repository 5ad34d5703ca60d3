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
	usual atomic.Int32 // for how many looks answers take, in sixteenths
}

const (
	lookEvery = 5 * time.Millisecond
	// A line that has not moved for leastHeld looks lets nobody in; for leastLeft,
	// or timesLeft times as many as usual, and who is behind may leave.
	leastHeld = 2
	leastLeft = 5
	timesLeft = 4
	// slowAnswers, in sixteenths of a look: where answers take that long nobody is put
	// behind another.
	slowAnswers = 16
)

// seen is what the last look saw of a line.
type seen struct {
	dealt uint64
	stuck int32 // for how many looks
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
	if s.usual.Load() > slowAnswers {
		return 1
	}
	return int32(s.opt.Depth)
}

func (s *Conns) look() {
	busy := false
	for _, c := range *s.list.Load() {
		busy = c.look() || busy
	}
	if busy {
		s.timer.Reset(lookEvery)
		return
	}
	s.armed.Store(false)
	for _, c := range *s.list.Load() {
		if c.busy() { // who joined meanwhile took it for armed
			s.arm()
		}
	}
}

func (c *conn) busy() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.n > 0 && !c.over
}

// look tells whether there is anybody in the line.
func (c *conn) look() bool {
	busy, vain := c.glance()
	if vain {
		c.giveUp()
	}
	return busy
}

// glance is look, and does what is due. vain: nobody wants what is waited for.
func (c *conn) glance() (busy, vain bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.n == 0 || c.over:
		c.seen = seen{c.dealt, 0}
		return false, false
	case c.dealt != c.seen.dealt:
		c.set.learn(c.seen.stuck)
		c.seen = seen{c.dealt, 0}
		return true, false
	}
	c.seen.stuck++
	if c.seen.stuck >= leastHeld {
		c.held.Store(true)
	}
	if c.seen.stuck < max(leastLeft, timesLeft*c.set.usual.Load()/16) {
		return true, false
	}
	for i := 1; i < c.n; i++ {
		c.line[(c.first+i)%len(c.line)].block()
	}
	return true, c.wanted.Load() == 0
}

// learn: an answer was the next for so many looks.
func (w *watch) learn(looks int32) {
	u := w.usual.Load()
	w.usual.Store(u + (16*looks-u)/8)
}
