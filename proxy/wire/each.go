package wire

import (
	"io"
	"syscall"
)

// Each waits for a message, with no buffer in hand, and calls f; and so on
// until f returns false or the connection ends. f must take all that is
// buffered before it returns true, and must not read from the connection.
//
// Fast path: f runs inside the runtime's readiness loop. As long as that is
// not left no wake-up can be missed, so behind a read that took less than it
// could there is no need to read once more in vain, as every new wait must.
// What such a read would have shown is an end that came with the last bytes:
// the first turn does read in vain, for clients that say one thing and hang
// up, and the Guard looks after the others.
func (c *Conn) Each(f func() bool) error { return c.eachOf(f, idle) }

// Stream is Each for what comes in no messages that we know of: EndIdle leaves
// its waits alone, and who sends much at once is read in larger pieces. An end
// that came with the last bytes is ErrGone, within a second: the next Stream
// reads it, behind ResumeRead.
func (c *Conn) Stream(f func() bool) error { return c.eachOf(f, lull) }

func (c *Conn) eachOf(f func() bool, flag int64) error {
	if c.raw == nil {
		for {
			if err := c.Await(flag == idle); err != nil || !f() {
				return err
			}
		}
	}
	c.forReading()
	c.flag = flag
	c.ready, c.turns, c.drained, c.rerr, c.brief = f, 0, false, nil, c.rested()
	err := c.raw.Read(c.reads.on.each)
	c.ready = nil
	if err == nil {
		err = c.rerr
	}
	if err = c.readErr(err); err == ErrQuiet {
		c.resume()
	}
	return err
}

func (c *Conn) each(fd uintptr) bool {
	if c.rd.due.Load() != 0 { // it has waited
		if c.rerr = c.rd.finish(); c.rerr != nil {
			return true
		}
		c.drained = false
	}
	for {
		if c.r == c.w && (c.drained || !c.gain(fd)) {
			if c.rerr != nil {
				return true
			}
			c.drop()
			if c.brief && c.turns > 0 {
				c.rerr = ErrQuiet
				return true
			}
			c.rd.begin(c.flag)
			return false
		}
		if !c.ready() {
			return true
		}
		c.turns++
		if c.flag == lull {
			c.fit()
		}
	}
}

// fit has the next piece of a stream read into a buffer that it fits, as far
// as the last one tells. Small ones are for those whose peer reads slowly: they
// hold theirs.
func (c *Conn) fit() {
	switch {
	case c.r != c.w:
	case c.w == len(c.buf) && c.w < LargeBuffer:
		c.first = LargeBuffer
		c.drop()
	case c.w < HeadBuffer && c.first > HeadBuffer:
		c.first = HeadBuffer
	}
}

// gain reads what is there into the empty buffer, and tells whether that was
// anything.
func (c *Conn) gain(fd uintptr) bool {
	if c.late != nil {
		c.rerr, c.late = c.late, nil
		return false
	}
	if c.buf == nil {
		c.buf = AcquireBuffer(c.first)
	}
	n, err := sysRead(fd, c.buf)
	switch {
	case n > 0:
		c.r, c.w = 0, n
		c.drained = n < len(c.buf) && c.turns > 0
		return true
	case n == 0:
		c.rerr = io.EOF
	case err != syscall.EAGAIN:
		c.rerr = err
	}
	return false
}
