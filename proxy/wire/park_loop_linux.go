package wire

import (
	"runtime"
	"syscall"
)

// turnSize bounds what one connection has of the goroutine that all share.
const turnSize = 64 << 10

// loop is how a lot serves those for whom there is something: it wakes them, or
// has their bytes passed where they were read. For a message through a tunnel
// that saves the runtime's look for who is to be woken, his turn, and his read
// that finds nothing. Nobody in it waits, and each turn is of one read.
type loop struct {
	events [64]syscall.EpollEvent
	now    [64]*Conn // whose they are
	buf    [turnSize]byte
}

func (l *lot) run() {
	defer close(l.done)
	round := l.round
	for l.raw.Read(round) == nil {
		runtime.Gosched() // there is more to do, also for others
	}
}

// round serves as many as are ready, up to a limit. It is called inside the
// runtime's readiness loop, as in Each; so who comes later is seen without
// looking again.
func (l *lot) round(fd uintptr) (more bool) {
	o := &l.loop
	n := sysEvents(fd, o.events[:])
	l.mu.Lock()
	for i := range o.events[:n] {
		o.now[i] = l.at(o.events[i].Fd, o.events[i].Pad)
	}
	l.mu.Unlock()
	for i := range o.events[:n] {
		if c := o.now[i]; c != nil {
			l.serve(c, o.events[i].Events)
		}
		o.now[i] = nil
	}
	return n == len(o.events)
}

func (l *lot) serve(c *Conn, events uint32) {
	if events = c.sift(events); events == 0 {
		return
	}
	if !c.state.CompareAndSwap(resting, passing) {
		if !c.unpark() {
			l.hush(c)
		}
		return
	}
	if t, ok := c.waker.(Turner); ok && c.fd != 0 {
		c.giveTurn(t, events)
		return
	}
	if events == syscall.EPOLLIN && l.pass(c) && c.state.CompareAndSwap(passing, resting) {
		return // fast path
	}
	c.state.Store(awake)
	go c.waker.Wake()
}

// pass has the bytes of c passed, and tells whether it stays parked.
func (l *lot) pass(c *Conn) (stays bool) {
	p, ok := c.waker.(Passer)
	if !ok || c.fd == 0 {
		return false
	}
	b := l.loop.buf[:]
	n, err := sysRead(c.fd, b)
	switch {
	case err == syscall.EAGAIN:
		return true
	case n <= 0:
		c.forReading()
		c.late = err // a socket tells it once
		return false
	}
	c.buf, c.r, c.w = b, 0, n
	stays = p.Pass()
	rest := c.Buffered()
	c.buf, c.r, c.w = nil, 0, 0
	switch {
	case len(rest) > 0:
		c.buf = AcquireBuffer(len(rest))
		c.w = copy(c.buf, rest)
		return false
	case n == len(b) && stays: // there may be more, behind the others
		return l.watch(c)
	}
	return stays
}

// hush has no more events come for who has a goroutine. If he is parked just
// now, they come.
func (l *lot) hush(c *Conn) {
	if s := c.own.Load(); s != nil {
		if s.in.happen(); c.state.Load() != awake {
			c.unpark()
		}
		return
	}
	c.swap.Lock()
	defer c.swap.Unlock()
	if c.own.Load() != nil { // just now, and its place tells again what there is
		return
	}
	// By edges, for of an end one hears in any case: were it to stay ready in the
	// set, arming it again would wake nobody.
	l.arm(c, c.raw, syscall.EPOLL_CTL_MOD, edges)
	if c.state.Load() != awake {
		l.arm(c, c.raw, syscall.EPOLL_CTL_MOD, syscall.EPOLLIN|syscall.EPOLLRDHUP|edges)
	}
}
