package wire

import (
	"errors"
	"sync/atomic"
	"syscall"
	"time"
)

// asking is the Ask under way.
type asking struct {
	step    askStep
	head    []byte
	flagged int64 // asked while Read waits for an answer's first bytes, else 0
}

// ErrCalledOff: an Ask waited for an answer that nobody expects any more.
var ErrCalledOff = errors.New("no answer is expected any more")

// CallOff has each Ask that waits for its answer while off is true end with
// ErrCalledOff, within a Tick. It is called once, before the first Ask.
func (c *Conn) CallOff(off *atomic.Bool) { c.off = off }

// Stay goes on waiting behind ErrCalledOff, up to the limit that was set
// before, and is not called off again.
func (c *Conn) Stay() error {
	c.resume()
	return c.Fill(c.first)
}

// resume takes back the deadline by which the Guard called a wait off. The
// Guard sets it with the shard's mu held: now it is there for sure.
func (c *Conn) resume() {
	c.shard.mu.Lock()
	defer c.shard.mu.Unlock()
	_ = c.nc.SetReadDeadline(time.Time{})
	switch end := c.ends.Load(); { // what we may have taken back
	case c.given.Load():
		_ = c.nc.SetReadDeadline(past)
	case end != 0:
		_ = c.nc.SetReadDeadline(time.Unix(0, end))
	}
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
// Ask takes head over, from AcquireBuffer, and releases it once it is sent; nor
// does it hold a buffer for the answer before that comes. So exchanges that
// wait hold little, and the next one finds warm buffers.
func (c *Conn) Ask(head, body []byte) (sent bool, err error) {
	if c.r != c.w || c.raw == nil && c.Left() {
		ReleaseBuffer(head)
		return false, ErrStale
	}
	c.forReading()
	c.forWriting()
	c.step, c.head, c.rerr = askClean, head, nil
	c.out, c.then = head, body
	if c.raw != nil {
		err = c.raw.Read(c.reads.on.ask)
		if err == nil {
			err = c.rerr
		}
		err = c.readErr(err)
	} else {
		c.step = askBlock
	}
	if c.step == askBlock && err == nil {
		if err = c.Write(c.out, c.then); err == nil {
			c.flagged = asked
			err = c.Fill(c.first)
			c.flagged = 0
		}
	}
	c.out, c.then = nil, nil
	c.sentAll()
	return c.step > askSend, err
}

// sentAll lets go of the request's head.
func (c *Conn) sentAll() {
	if c.head != nil {
		ReleaseBuffer(c.head)
		c.head = nil
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
	c.rd.begin(asked)
	return false
}

// send is Ask's write. It is made while the read waits, and so takes no lock
// against other writers: a connection that is asked has none.
func (c *Conn) send(fd uintptr) bool {
	n, err := c.push(fd)
	if len(c.out)+len(c.then) > 0 && (n > 0 || err == syscall.EAGAIN) {
		c.step = askBlock
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
	c.rd.begin(asked)
	return false
}
