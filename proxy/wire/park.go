package wire

import (
	"errors"
	"runtime"
	"sync"
)

// ErrQuiet ends a wait in Each or Stream that has lasted a while, on a
// connection that may be parked. Nothing is lost by it: who cannot Park waits
// again.
var ErrQuiet = errors.New("nothing has come for a while")

// Waker goes on with a connection that was parked: by Each or Stream, which
// say why it was woken.
type Waker interface{ Wake() }

// Passer is a Waker that, where bytes have come and nothing else, needs no
// goroutine of its own for them.
type Passer interface {
	Waker

	// Pass does with the bytes in Buffered what is to be done. Many connections
	// share the goroutine that calls it: it must not wait for anything, nor read
	// from the connection. false, or bytes left unread: Wake goes on with them.
	Pass() (stays bool)
}

// MayPark has waits in Each and Stream from here on end with ErrQuiet, or no
// more. On what is no plain socket they never do.
func (c *Conn) MayPark(may bool) { c.parks.Store(may && c.raw != nil) }

// What is parked is in one of these states. It may be woken while it is being
// armed, and is then not parked at all, and while its bytes are passed.
const (
	awake uint32 = iota
	arming
	resting
	passing
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
// interrupted; but if it is a Passer, and the connection the caller's own (Own),
// bytes are passed first. between is as for Await.
//
// If it is not settled, the runtime goes on to look after the socket as well, and
// finds nobody to wake. So a wait that begins later, there, misses nothing.
func (c *Conn) Park(w Waker, between bool) bool {
	if c.r != c.w || !c.parks.Load() || !c.placed() {
		return false
	}
	flag := int64(lull)
	if between {
		flag = idle
	}
	c.Release()
	c.doneReading()
	if c.fd == 0 { // else another direction may be writing
		c.doneWriting()
	}
	c.waker, c.since = w, c.guard.Now()
	c.state.Store(arming)
	c.rd.begin(flag)
	if !c.lot.watch(c) || !c.state.CompareAndSwap(arming, resting) {
		c.state.Store(awake)
		return false
	}
	if c.given.Load() || !c.parks.Load() {
		c.unpark()
	}
	return true
}

// Beside has c parked where d is, so that one goroutine passes on what they say
// to each other. Before that c was not parked, or is settled.
func (c *Conn) Beside(d *Conn) {
	if d.placed() {
		c.move(d.lot)
	}
}

// placed tells whether c can be parked.
func (c *Conn) placed() bool {
	if c.lot == nil {
		c.lot = c.guard.lots.next()
	}
	return c.lot != nil
}

// unpark wakes c if it is parked, or about to be.
func (c *Conn) unpark() bool {
	for {
		switch c.state.Load() {
		case arming:
			if c.state.CompareAndSwap(arming, roused) {
				return true
			}
		case passing:
			if c.state.CompareAndSwap(passing, roused) {
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

// rested tells, once, whether c was parked for long, or is better off there.
func (c *Conn) rested() bool {
	since := c.since
	c.since = 0
	if _, ok := c.waker.(Passer); ok && since > 0 && c.fd != 0 {
		return true
	}
	return since > 0 && c.guard.Now()-since >= restful
}

// lots are where connections are parked: one for each processor, so that no
// goroutine serves more than one can, and made as they are needed.
type lots struct {
	mu   sync.Mutex
	all  []*lot // guarded by mu; nil: it was not made, or could not be
	turn int    // guarded by mu
}

// next is where the next connection is to be parked; nil: it cannot be.
func (s *lots) next() *lot {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.all == nil {
		s.all = make([]*lot, runtime.GOMAXPROCS(0))
	}
	s.turn = (s.turn + 1) % len(s.all)
	l := &s.all[s.turn]
	if *l == nil {
		*l = newLot()
	}
	return *l
}

func (s *lots) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, l := range s.all {
		if l != nil {
			l.close()
		}
	}
}
