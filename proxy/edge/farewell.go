package edge

import (
	"encoding/binary"
	"io"
	"time"

	"multiserver/proxy/wire"
)

// farewell is how a connection is drained (RFC 9113 §6.8): a first GOAWAY says
// that no new streams are wanted, while those on their way are still served; a
// second, when the client has heard of it, which were the last. The connection
// ends with them.
type farewell struct {
	begun bool
	done  bool
	late  *time.Timer // for a client that does not say that it has heard
}

// stop is called with mu held.
func (f *farewell) stop() {
	if f.late != nil {
		f.late.Stop()
	}
}

// PINGs of ours say what they are for.
var (
	ours    = [8]byte{'a', 'l', 'i', 'v', 'e', '?'}
	goodbye = [8]byte{'g', 'o', 'o', 'd', 'b', 'y', 'e'}
)

// drain begins it.
func (c *conn) drain() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.farewell.begun || c.over {
		return
	}
	c.farewell.begun = true
	c.farewell.late = time.AfterFunc(parting, c.part)
	c.out.goAway(mostID, codeNone)
	c.out.frame(pingFrame, 0, 0, goodbye[:])
	c.out.kick()
}

// part says which streams were the last.
func (c *conn) part() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.farewell.done || c.over {
		return
	}
	c.farewell.done = true
	c.farewell.stop()
	c.out.goAway(c.last, codeNone)
	c.out.kick()
	c.leave()
}

// leave ends the connection if it is to end and nothing is left to do. It is
// called with mu held.
func (c *conn) leave() {
	if c.farewell.done && len(c.open) == 0 {
		c.wire.InterruptRead()
	}
}

// ping asks the client for a sign of life.
func (c *conn) ping(what [8]byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.out.frame(pingFrame, 0, 0, what[:])
	c.out.kick()
}

// pinged takes a PING, or the answer to one.
func (c *conn) pinged(f *frame, p []byte) error {
	switch {
	case f.id != 0:
		return Protocol
	case len(p) != 8:
		return FrameSize
	case !f.has(flagAck):
		c.mu.Lock()
		defer c.mu.Unlock()
		c.out.frame(pingFrame, flagAck, 0, p)
		c.out.kick()
	case binary.BigEndian.Uint64(p) == binary.BigEndian.Uint64(goodbye[:]):
		c.part()
	}
	return nil
}

// end has what is still to be sent go, behind a GOAWAY, and waits for the
// exchanges under way, whose streams are gone.
func (c *conn) end(why Ending) {
	c.edge.Stats.Endings[why].Add(1)
	c.mu.Lock()
	c.over = true
	c.farewell.stop()
	for _, s := range c.open {
		s.die(io.ErrUnexpectedEOF)
	}
	if why != Left {
		c.out.goAway(c.last, why.code())
	}
	c.mu.Unlock()
	c.out.end()
	if why != Left {
		c.linger()
	}
	_ = c.wire.NetConn().Close()
	c.lanes.end()
}

// linger reads until the client has closed, within reason: closing with bytes
// unread would be a reset, which may overtake our last words.
func (c *conn) linger() {
	half, ok := c.wire.NetConn().(interface{ CloseWrite() error })
	if !ok || half.CloseWrite() != nil {
		return
	}
	c.wire.ResumeRead()
	c.wire.ReadWithin(parting)
	for n := 0; n < connWindow; n += len(c.wire.Buffered()) {
		c.wire.Skip(len(c.wire.Buffered()))
		if c.wire.Fill(wire.LargeBuffer) != nil {
			return
		}
	}
}
