package wire

import (
	"syscall"
)

// writing is the write under way.
type writing struct {
	out  []byte // what is still to go,
	then []byte // and then
	werr error
}

// Own has writes go to the socket without locking it each time, a thirtieth of
// what a small message through a tunnel costs. From here on the caller sees to
// it that Close is not called while a write is under way. A socket that may park
// is settled, too; nothing is under way on it just now.
func (c *Conn) Own() {
	if c.raw != nil && !(c.parks.Load() && c.settle()) {
		c.doneWriting()
		_ = c.raw.Control(func(fd uintptr) { c.fd = fd })
	}
}

// Write writes all of head and body, either of which may be empty, with one
// system call if the socket takes both.
func (c *Conn) Write(head, body []byte) error {
	switch {
	case c.raw == nil:
		return c.writeBoth(head, body)
	case c.inTurn:
		return c.writeOn(head, body)
	}
	if c.fd != 0 && len(body) == 0 {
		n, _ := c.Try(head) // why it was not all, the next one says
		if head = head[n:]; len(head) == 0 {
			return nil // fast path
		}
		defer c.doneWriting()
	}
	c.forWriting()
	c.out, c.then, c.werr = head, body, nil
	err := c.raw.Write(c.writes.write)
	c.out, c.then = nil, nil
	if err == nil {
		err = c.werr
	}
	return c.writeErr(err)
}

// Try, behind Own, writes what the socket takes of b at once, and tells how
// much that was; what is no plain socket takes nothing. Waiting is no error.
func (c *Conn) Try(b []byte) (n int, err error) {
	if c.fd == 0 {
		return 0, nil
	}
	n, err = sysWrite(c.fd, b)
	if err == syscall.EAGAIN {
		err = nil
	}
	n = max(n, 0)
	c.wrote += int64(n)
	return n, err
}

// Try2 is Try for two pieces.
func (c *Conn) Try2(a, b []byte) (n int, err error) {
	if len(b) == 0 {
		return c.Try(a)
	}
	n, err = sysWrite2(c.fd, a, b)
	if err == syscall.EAGAIN {
		err = nil
	}
	n = max(n, 0)
	c.wrote += int64(n)
	return n, err
}

// Near has what Try looks at fetched from memory, and may be called while
// others read and write: it reads what stands beside that, by atomics. What it
// returns is of no account.
func (c *Conn) Near() (n int64) {
	if c.given.Load() { // beside wrote
		n++
	}
	if c.client.Load() != nil { // beside fd
		n++
	}
	return n
}

// writeBoth is Write without a plain socket.
func (c *Conn) writeBoth(head, body []byte) error {
	for _, p := range [...][]byte{head, body} {
		if len(p) == 0 {
			continue
		}
		c.wr.renew(c.guard.Now())
		c.wr.begin(0)
		n, err := c.nc.Write(p)
		c.wrote += int64(n)
		if err := c.writeErr(err); err != nil {
			return err
		}
	}
	return nil
}

func (c *Conn) writeErr(err error) error {
	if err == nil {
		c.wr.due.Store(0)
		return nil
	}
	return c.why(&c.wr, err)
}

func (c *Conn) write(fd uintptr) bool {
	for len(c.out)+len(c.then) > 0 {
		n, err := c.push(fd)
		if n > 0 {
			continue
		}
		if err == syscall.EAGAIN {
			c.wr.renew(c.guard.Now())
			c.wr.begin(0)
			return false
		}
		c.werr = err
		return true
	}
	return true
}

// push writes once, and forgets what has gone.
func (c *Conn) push(fd uintptr) (n int, err error) {
	if len(c.then) == 0 {
		n, err = sysWrite(fd, c.out)
	} else {
		n, err = sysWrite2(fd, c.out, c.then)
	}
	if n > 0 {
		c.wrote += int64(n)
		k := min(n, len(c.out))
		c.out, c.then = c.out[k:], c.then[n-k:]
	}
	return n, err
}
