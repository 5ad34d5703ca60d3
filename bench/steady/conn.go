//go:build linux

package steady

import (
	"bufio"
	"net"
	"time"

	"github.com/valyala/fasthttp"
)

// Conn asks one request after the other, on one connection as long as that
// holds. It never asks twice.
type Conn struct {
	Addr  string
	Limit time.Duration // for one answer, connecting included
	Res   fasthttp.Response

	c net.Conn
	r *bufio.Reader
}

// Ask sends a whole request; what came back is in Res until the next.
func (c *Conn) Ask(req []byte) error {
	err := c.ask(req)
	if err != nil || c.Res.ConnectionClose() {
		c.Close()
	}
	return err
}

func (c *Conn) ask(req []byte) error {
	if c.c == nil {
		nc, err := net.DialTimeout("tcp", c.Addr, c.Limit)
		if err != nil {
			return err
		}
		c.c = nc
		if c.r == nil {
			c.r = bufio.NewReaderSize(nil, 4<<10)
		}
		c.r.Reset(nc)
	}
	c.c.SetDeadline(time.Now().Add(c.Limit))
	if _, err := c.c.Write(req); err != nil {
		return err
	}
	return c.Res.Read(c.r)
}

// Close drops the connection; the next Ask makes a new one.
func (c *Conn) Close() {
	if c.c != nil {
		c.c.Close()
		c.c = nil
	}
}

// Skip reads one whole answer of a length from a connection that has nothing
// behind it, and wants 200.
func Skip(c net.Conn) error {
	var b beatConn
	buf := make([]byte, 4<<10)
	for {
		n, err := c.Read(buf)
		if err != nil {
			return err
		}
		if whole, err := b.take(buf[:n]); whole || err != nil {
			return err
		}
	}
}
