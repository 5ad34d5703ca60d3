package wire

import (
	"errors"
	"io"
	"os"
	"syscall"
)

// reading is the read under way.
type reading struct {
	in      []byte
	n       int
	rerr    error
	flag    int64       // of Await and Each: idle, lull or 0
	ready   func() bool // of Each
	turns   int         // of Each
	drained bool        // of Each: the last read took all there was
	brief   bool        // of Each: it was parked for long, and is to be again
	late    error       // of a read while it was parked
}

// Read reads straight from the connection, past the buffer, which must be
// empty but for bytes that come before these.
func (c *Conn) Read(p []byte) (int, error) {
	c.forReading()
	if c.raw == nil {
		c.rd.begin(c.flagged)
		n, err := c.nc.Read(p)
		return n, c.readErr(err)
	}
	c.in, c.n, c.rerr = p, 0, nil
	err := c.raw.Read(c.reads.on.read)
	c.in = nil
	if err == nil {
		err = c.rerr
	}
	return c.n, c.readErr(err)
}

// readErr gives the Guard's reason for err, if it had one.
func (c *Conn) readErr(err error) error {
	if err == nil || err == io.EOF {
		why := c.rd.finish()
		if why == ErrCalledOff { // the answer was faster
			c.resume()
			return err
		}
		if why == nil || err != nil {
			return err
		}
		// The Guard ended a wait that bytes ended too. Its deadline stands
		// or is about to: the next read will say so.
		c.rd.due.Store(timedOut)
		return nil
	}
	return c.why(&c.rd, err)
}

func (c *Conn) why(w *wait, err error) error {
	if why := w.finish(); why != nil {
		return why
	}
	switch {
	case !errors.Is(err, os.ErrDeadlineExceeded):
		return err
	case c.given.Load():
		return ErrBroken
	}
	return ErrTime // the Guard's, of a wait that bytes had ended at the same moment
}

// read is one try of Read: true ends it.
func (c *Conn) read(fd uintptr) bool {
	n, err := sysRead(fd, c.in)
	if err == syscall.EAGAIN {
		c.rd.begin(c.flagged)
		return false
	}
	c.n, c.rerr = max(n, 0), err
	if n == 0 && err == nil {
		c.rerr = io.EOF
	}
	return true
}

// Await waits for bytes with no buffer in hand, so that a connection on which
// nothing happens costs none. between tells that it is a wait between two
// messages, which Guard.EndIdle ends.
func (c *Conn) Await(between bool) error {
	if c.r < c.w {
		return nil
	}
	c.forReading()
	if c.flag = 0; between {
		c.flag = idle
	}
	if c.raw == nil {
		if err := c.room(1); err != nil {
			return err
		}
		c.rd.begin(c.flag)
		n, err := c.nc.Read(c.buf[c.w:])
		c.w += n
		return c.readErr(err)
	}
	c.rerr = nil
	err := c.raw.Read(c.reads.on.await)
	if err == nil {
		err = c.rerr
	}
	return c.readErr(err)
}

func (c *Conn) await(fd uintptr) bool {
	if c.buf == nil {
		c.buf = AcquireBuffer(c.first)
	}
	n, err := sysRead(fd, c.buf)
	if err == syscall.EAGAIN {
		c.drop()
		c.rd.begin(c.flag)
		return false
	}
	c.r, c.w, c.rerr = 0, max(n, 0), err
	if n == 0 && err == nil {
		c.rerr = io.EOF
	}
	return true
}

// Silent tells whether the connection is open and has nothing to read, by
// trying to read.
func (c *Conn) Silent() bool {
	if c.raw == nil {
		return c.r == c.w && !c.Left()
	}
	silent := false
	err := c.raw.Read(func(fd uintptr) bool {
		var b [1]byte
		_, err := sysRead(fd, b[:])
		silent = err == syscall.EAGAIN
		return true
	})
	return err == nil && silent && c.r == c.w
}

// More reads what is there without waiting, until n bytes are unread or no
// more can be had, and tells whether they are. The room must be Reserved. What
// stopped it short, other than having to wait, is for the next read to find.
func (c *Conn) More(n int) bool {
	if c.raw == nil {
		return false
	}
	c.forReading()
	c.n = n
	_ = c.raw.Read(c.reads.on.more)
	return c.w-c.r >= n
}

func (c *Conn) more(fd uintptr) bool {
	for c.w-c.r < c.n {
		k, _ := sysRead(fd, c.buf[c.w:])
		if k <= 0 {
			break
		}
		c.w += k
	}
	return true
}
