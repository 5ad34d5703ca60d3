package edge

import "encoding/binary"

// handle acts on a frame, of which the head was read. An error ends the
// connection.
func (c *conn) handle(f *frame) error {
	switch {
	case c.rest.id != 0 && (f.kind != continuationFrame || f.id != c.rest.id):
		return Protocol // RFC 9113 §4.3: nothing comes between
	case f.kind == dataFrame:
		return c.data(f)
	}
	if err := c.need(f.size); err != nil {
		return err
	}
	err := c.act(f, c.wire.Buffered()[:f.size])
	c.wire.Skip(f.size)
	return err
}

// act takes the frames that are there whole.
func (c *conn) act(f *frame, p []byte) error {
	switch f.kind {
	case headersFrame:
		return c.headers(f, p)
	case continuationFrame:
		return c.continuation(f, p)
	case windowFrame:
		return c.windowUpdate(f, p)
	case resetFrame:
		return c.rstStream(f, p)
	}
	if !c.chatter.allows(c.edge.opt.Guard.Now()) {
		return Flood
	}
	switch f.kind {
	case settingsFrame:
		return c.settings(f, p)
	case pingFrame:
		return c.pinged(f, p)
	case priorityFrame:
		return c.priority(f, p)
	case goAwayFrame:
		if f.id != 0 {
			return Protocol
		}
	case pushFrame:
		return Protocol
	}
	return nil // of what is not known nothing follows (RFC 9113 §5.5)
}

// windowUpdate: a client that grants a few bytes at a time has us send frames
// that are mostly heads.
func (c *conn) windowUpdate(f *frame, p []byte) error {
	if len(p) != 4 {
		return FrameSize
	}
	n := int64(binary.BigEndian.Uint32(p) & mostID)
	if n < smallGrant && !c.chatter.allows(c.edge.opt.Guard.Now()) {
		return Flood
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if f.id == 0 {
		if n == 0 {
			return Protocol
		}
		if c.window += n; c.window > mostID {
			return Window
		}
		c.next()
		return nil
	}
	if f.id > c.last || f.id&1 == 0 {
		return Protocol // idle (RFC 9113 §5.1)
	}
	s := c.open[f.id]
	switch {
	case s == nil:
	case n == 0:
		c.cut(s, Malformed)
	case s.window+n > mostID:
		c.cut(s, Overrun)
	default:
		s.window += n
		s.turn.Signal()
	}
	return nil
}

// rstStream: opening and resetting is cheap for a client, and work for us (CVE
// 2023-44487). A stream counts until that work has ended, and there are only
// so many resets in a time.
func (c *conn) rstStream(f *frame, p []byte) error {
	if len(p) != 4 {
		return FrameSize
	}
	if !c.resets.allows(c.edge.opt.Guard.Now()) {
		return Flood
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if f.id == 0 || f.id > c.last || f.id&1 == 0 {
		return Protocol
	}
	if s := c.open[f.id]; s != nil {
		c.edge.Stats.Resets[ByClient].Add(1)
		s.counted = true
		c.orphans++
		s.die(errReset)
	}
	return nil
}

// priority: RFC 9113 §5.3 has given it up, but for its form.
func (c *conn) priority(f *frame, p []byte) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case f.id == 0:
		return Protocol
	case len(p) != 5:
		c.refuse(f.id, WrongSize)
	case binary.BigEndian.Uint32(p)&mostID == f.id:
		c.refuse(f.id, Malformed)
	}
	return nil
}

// refuse resets a stream, open or not. It is called with mu held.
func (c *conn) refuse(id uint32, why Reset) {
	if s := c.open[id]; s != nil {
		c.cut(s, why)
		return
	}
	c.reset(id, why)
}

// cut resets an open stream. It is called with mu held.
func (c *conn) cut(s *stream, why Reset) {
	c.reset(s.id, why)
	if !s.ended {
		c.unheard.add(s.id)
	}
	s.die(errReset)
}

// reset sends RST_STREAM. It is called with mu held.
func (c *conn) reset(id uint32, why Reset) {
	c.edge.Stats.Resets[why].Add(1)
	c.out.number(resetFrame, id, why.code())
	c.out.kick()
}
