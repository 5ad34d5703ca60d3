package wire

import (
	"syscall"
)

// writing is the write under way.
type writing struct {
	out  []byte // what is still to go
	werr error
}

// Write writes all of p.
func (c *Conn) Write(p []byte) error {
	if c.raw == nil {
		c.wr.begin(0)
		n, err := c.nc.Write(p)
		c.wrote += int64(n)
		return c.writeErr(err)
	}
	c.out, c.werr = p, nil
	err := c.raw.Write(c.on.write)
	c.out = nil
	if err == nil {
		err = c.werr
	}
	return c.writeErr(err)
}

func (c *Conn) writeErr(err error) error {
	if err == nil {
		c.wr.due.Store(0)
		return nil
	}
	return c.why(&c.wr, err)
}

func (c *Conn) write(fd uintptr) bool {
	for len(c.out) > 0 {
		n, err := sysWrite(fd, c.out)
		if n > 0 {
			c.out = c.out[n:]
			c.wrote += int64(n)
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
