package wire

import "errors"

// ErrQuiet ends a wait in Each or Stream that has lasted a while, on a
// connection that may be parked. Nothing is lost by it: who cannot Park waits
// again.
var ErrQuiet = errors.New("nothing has come for a while")

// Waker goes on with a connection that was parked: by Each or Stream, which
// say why it was woken.
type Waker interface{ Wake() }

// MayPark has waits in Each and Stream from here on end with ErrQuiet, or no
// more. On what is no plain socket they never do.
func (c *Conn) MayPark(may bool) { c.parks.Store(may && c.raw != nil) }

// What is parked is in one of these states. It may be woken while it is being
// armed, and is then not parked at all.
const (
	awake uint32 = iota
	arming
	resting
	roused
)

// restful is how long a connection has to be parked to be taken for one that
// says little: once woken, it may be parked again as soon as nothing is there.
// In milliseconds.
const restful = 200

// Park leaves a quiet connection to the Guard, with no goroutine and no buffer,
// and tells whether that worked; then it is the last that the caller does with
// the connection's reading side. w is called once, in a goroutine of its own,
// when bytes come, the connection ends, its time limit is reached or it is
// interrupted. between is as for Await.
//
// The runtime goes on to look after the socket as well, and finds nobody to
// wake. So a wait that begins later, there, misses nothing.
func (c *Conn) Park(w Waker, between bool) bool {
	l := c.guard.lot()
	if l == nil || c.r != c.w || !c.parks.Load() {
		return false
	}
	if c.flag = lull; between {
		c.flag = idle
	}
	c.Release()
	c.waker, c.since = w, c.guard.Now()
	c.state.Store(arming)
	c.rd.begin(c.flag)
	if !l.watch(c) || !c.state.CompareAndSwap(arming, resting) {
		c.state.Store(awake)
		return false
	}
	if c.given.Load() || !c.parks.Load() {
		c.unpark()
	}
	return true
}

// unpark wakes c if it is parked, or about to be.
func (c *Conn) unpark() bool {
	for {
		switch c.state.Load() {
		case arming:
			if c.state.CompareAndSwap(arming, roused) {
				return true
			}
		case resting:
			if c.state.CompareAndSwap(resting, awake) {
				go c.waker.Wake()
				return true
			}
		default:
			return false
		}
	}
}

// rested tells, once, whether c was parked for long.
func (c *Conn) rested() bool {
	since := c.since
	c.since = 0
	return since > 0 && c.guard.Now()-since >= restful
}
