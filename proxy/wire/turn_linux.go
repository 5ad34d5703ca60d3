package wire

import "syscall"

// giveTurn reads what has come for c and has t serve it, as long as nothing but
// bytes comes.
func (c *Conn) giveTurn(t Turner, events uint32) {
	if events&^syscall.EPOLLOUT != syscall.EPOLLIN {
		c.rouse()
		return
	}
	for c.take() {
		switch t.Turn() {
		case Leaves:
			c.rouse()
			return
		case Busy, Passed:
			return
		}
		c.Release()
		c.rd.begin(idle)
		switch {
		case c.owes():
			c.rouse()
			return
		case c.full: // look again
		case c.state.CompareAndSwap(passing, resting):
			return // fast path
		default:
			c.rouse()
			return
		}
	}
}

// take reads for a turn, into a buffer of c's own: it may have to be kept. false:
// there was nothing, or what there was is for Wake.
func (c *Conn) take() bool {
	if c.buf == nil {
		c.buf = AcquireBuffer(c.first)
	}
	n, err := sysRead(c.fd, c.buf)
	switch {
	case n > 0:
		c.r, c.w, c.full = 0, n, n == len(c.buf)
		if n < HeadBuffer {
			c.first = min(c.first, HeadBuffer)
		}
	case err == syscall.EAGAIN:
		c.drop()
		c.full = false
		if !c.state.CompareAndSwap(passing, resting) {
			c.rouse()
		}
		return false
	default:
		c.drop()
		c.forReading()
		c.late = err // a socket tells it once
		c.rouse()
		return false
	}
	if d := c.rd.due.Swap(0); d < 0 { // the Guard was faster
		c.rd.due.Store(d)
		c.rouse()
		return false
	}
	c.inTurn = true
	return true
}

// Gather goes on to read in a turn until n bytes are unread, and tells whether
// they are there. What was borrowed lies elsewhere now.
func (c *Conn) Gather(n int) bool {
	c.Reserve(n)
	for c.w-c.r < n {
		room := c.buf[c.w:]
		k, _ := sysRead(c.fd, room)
		if k <= 0 {
			return false
		}
		c.w += k
		c.full = k == len(room)
	}
	c.first = n + 1 // the next one of its kind takes one read, which tells that it was all
	return true
}

// hushed tells whether nothing is there to be read.
func (c *Conn) hushed() bool {
	var b [1]byte
	_, err := sysRead(c.fd, b[:])
	return err == syscall.EAGAIN
}
