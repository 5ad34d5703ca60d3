package wire

import (
	"syscall"
)

// asking is the Ask under way.
type asking struct {
	step askStep
	req  []byte
}

// askStep is how far an Ask is.
type askStep uint8

const (
	askClean askStep = iota // look whether the connection is what it should be
	askSend                 // the request
	askWait                 // for the answer
	askBlock                // the socket did not take all of the request at once
)

// Ask sends a whole request on a connection that must be silent, and fills
// the buffer with the answer's first bytes. ErrStale: it was closed or not
// silent, and nothing was sent. sent tells whether any byte may have left.
//
// The silence is proved by a read that finds nothing. A Go program reads once
// in vain anyway, before it parks; here that read is made before the request
// instead of after it, where it also costs nothing: an answer cannot come
// earlier, and if it comes at once, the runtime remembers the wake-up.
//
// Ask takes req over, from AcquireBuffer, and releases it once it is sent; nor
// does it hold a buffer for the answer before that comes. So exchanges that
// wait hold little, and the next one finds warm buffers.
func (c *Conn) Ask(req []byte) (sent bool, err error) {
	if c.r != c.w || c.raw == nil && c.Left() {
		ReleaseBuffer(req)
		return false, ErrStale
	}
	c.step, c.req, c.out, c.rerr = askClean, req, req, nil
	if c.raw != nil {
		err = c.raw.Read(c.on.ask)
		if err == nil {
			err = c.rerr
		}
		err = c.readErr(err)
	} else {
		c.step = askBlock
	}
	if c.step == askBlock && err == nil {
		if err = c.Write(c.out); err == nil {
			err = c.Fill(c.first)
		}
	}
	sent, c.out = c.step > askSend, nil
	c.sentAll()
	return sent, err
}

// sentAll lets go of Ask's request.
func (c *Conn) sentAll() {
	if c.req != nil {
		ReleaseBuffer(c.req)
		c.req = nil
	}
}

func (c *Conn) ask(fd uintptr) bool {
	switch c.step {
	case askClean:
		var b [1]byte
		if _, err := sysRead(fd, b[:]); err != syscall.EAGAIN {
			c.rerr = ErrStale
			return true
		}
		c.step = askSend
		fallthrough
	case askSend:
		return c.send(fd)
	}
	if c.gain(fd) || c.rerr != nil {
		return true
	}
	c.drop()
	c.rd.begin(0)
	return false
}

// send is Ask's write. It is made while the read waits, and so takes no lock
// against other writers: a connection that is asked has none.
func (c *Conn) send(fd uintptr) bool {
	n, err := sysWrite(fd, c.out)
	if n < len(c.out) && (n > 0 || err == syscall.EAGAIN) {
		c.out, c.step = c.out[max(n, 0):], askBlock
		return true
	}
	if err != nil {
		// EPIPE and ECONNRESET here mean that the peer had closed before:
		// not one byte was taken.
		c.rerr = ErrStale
		return true
	}
	c.step = askWait
	c.sentAll()
	c.rd.begin(0)
	return false
}
