package wire

import (
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// side is one direction of a socket.
type side struct {
	who  atomic.Pointer[waiter] // nil: nobody; edge: something has happened since
	late atomic.Bool            // the deadline has passed
	bell *time.Timer            // for one that is to come; guarded by the socket's mu
}

// waiter is a goroutine that waits. Who takes one out of its side sends one
// token, so it is nobody's once that is received.
type waiter struct{ woken chan struct{} }

var waiters = sync.Pool{New: func() any { return &waiter{make(chan struct{}, 1)} }}

// edge stands for what happened while nobody waited.
var edge = new(waiter)

// happen wakes who waits, or is remembered.
func (d *side) happen() {
	for {
		w := d.who.Load()
		switch {
		case w == edge:
			return
		case w == nil:
			if d.who.CompareAndSwap(nil, edge) {
				return
			}
		case d.who.CompareAndSwap(w, nil):
			w.woken <- struct{}{}
			return
		}
	}
}

// end wakes who waits, for a reason that is there to be seen by now.
func (d *side) end() {
	if w := d.who.Load(); w != nil && w != edge && d.who.CompareAndSwap(w, nil) {
		w.woken <- struct{}{}
	}
}

// forget tells whether something had happened, once.
func (d *side) forget() bool {
	return d.who.Load() == edge && d.who.CompareAndSwap(edge, nil)
}

// bareSocket is a socket's descriptor. Its errors are net.ErrClosed and
// os.ErrDeadlineExceeded, as they are.
type bareSocket socket

// Control calls f once.
func (b *bareSocket) Control(f func(fd uintptr)) error {
	s := (*socket)(b)
	if !s.begin(0) {
		return net.ErrClosed
	}
	defer s.finish(0)
	f(uintptr(s.fd))
	return nil
}

// Read calls f until it returns true, now and whenever there is something to
// read.
func (b *bareSocket) Read(f func(fd uintptr) bool) error {
	s := (*socket)(b)
	return s.try(&s.in, useIn, f)
}

// Write is Read for what is written.
func (b *bareSocket) Write(f func(fd uintptr) bool) error {
	s := (*socket)(b)
	return s.try(&s.out, useOut, f)
}

func (s *socket) try(d *side, as uint32, f func(fd uintptr) bool) error {
	if !s.begin(as) {
		return net.ErrClosed
	}
	defer s.finish(as) // also behind a panic of f
	if d.late.Load() {
		return os.ErrDeadlineExceeded
	}
	d.forget() // f sees it itself
	for !f(uintptr(s.fd)) {
		if err := s.wait(d); err != nil {
			d.happen() // something may have, besides: f has not seen it
			return err
		}
	}
	return nil
}

// wait waits until something happens. Whoever ends it says so before he looks
// for who waits; so he is seen here, or sees it.
func (s *socket) wait(d *side) error {
	w := waiters.Get().(*waiter)
	defer waiters.Put(w)
	if !d.who.CompareAndSwap(nil, w) {
		d.who.Store(nil) // it has happened
		return s.over(d)
	}
	if s.over(d) == nil || !d.who.CompareAndSwap(w, nil) {
		<-w.woken
	}
	return s.over(d)
}

func (s *socket) over(d *side) error {
	switch {
	case s.use.Load()&useShut != 0:
		return net.ErrClosed
	case d.late.Load():
		return os.ErrDeadlineExceeded
	}
	return nil
}

// limit sets a deadline. One to come is rare, and has a timer of its own.
func (s *socket) limit(d *side, t time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.use.Load()&useShut != 0 {
		return net.ErrClosed
	}
	d.stop()
	left := time.Until(t)
	switch {
	case t.IsZero():
		d.late.Store(false)
	case left <= 0:
		d.late.Store(true)
		d.end()
	default:
		d.late.Store(false)
		s.ring(d, left)
	}
	return nil
}

// ring has the deadline pass in a while, with mu held.
func (s *socket) ring(d *side, after time.Duration) {
	var bell *time.Timer
	bell = time.AfterFunc(after, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if d.bell == bell { // else it was taken back
			d.bell = nil
			d.late.Store(true)
			d.end()
		}
	})
	d.bell = bell
}

func (d *side) stop() {
	if d.bell != nil {
		d.bell.Stop()
		d.bell = nil
	}
}
