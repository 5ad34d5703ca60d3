package edge

import (
	"crypto/tls"
	"net"
	"sync"

	"multiserver/proxy"
)

// lanes are the streams of one connection, whichever protocol has them, and
// those that are ready for the next.
type lanes struct {
	edge   *Edge
	secure bool
	proto  proxy.Protocol
	local  net.Addr
	tls    func() tls.ConnectionState // nil: without TLS

	idle   sync.Cond // its L guards all below; signalled when busy falls to 0
	remote net.Addr  // with QUIC it may change
	busy   int       // lanes in use
	quiet  int64     // since when busy is 0, in the Guard's time
	ended  bool      // no more streams
	free   []*lane   // ready for the next streams, the last used on top
}

func (c *lanes) begin(e *Edge, local, remote net.Addr) {
	c.edge, c.local, c.remote = e, local, remote
	c.idle.L, c.quiet = new(sync.Mutex), e.opt.Guard.Now()
}

// take returns a lane, or nil if the connection has ended.
func (c *lanes) take() *lane {
	c.idle.L.Lock()
	defer c.idle.L.Unlock()
	if c.ended {
		return nil
	}
	c.busy++
	if n := len(c.free) - 1; n >= 0 {
		l := c.free[n]
		c.free = c.free[:n]
		return l
	}
	return newLane(c)
}

// give takes a lane back; one that is not fit for another stream is closed.
func (c *lanes) give(l *lane, fit bool) {
	c.idle.L.Lock()
	if c.busy--; c.busy == 0 {
		c.quiet = c.edge.opt.Guard.Now()
		c.idle.Signal()
	}
	if fit = fit && !c.ended && l.remote == c.remote; fit {
		c.free = append(c.free, l)
	}
	c.idle.L.Unlock()
	if !fit {
		_ = l.client.Close()
	}
}

// end waits for the exchanges under way, whose streams are gone.
func (c *lanes) end() {
	c.idle.L.Lock()
	c.ended = true
	for c.busy > 0 {
		c.idle.Wait()
	}
	free := c.free
	c.free = nil
	c.idle.L.Unlock()
	for _, l := range free {
		_ = l.client.Close()
	}
}
