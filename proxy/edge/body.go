package edge

import "multiserver/proxy/wire"

// data takes a DATA frame, piece by piece as it comes.
func (c *conn) data(f *frame) error {
	if f.size == 0 && !f.has(flagEnd) && !c.chatter.allows(c.edge.opt.Guard.Now()) {
		return Flood
	}
	size, pad := f.size, 0
	if f.has(flagPadded) {
		if size == 0 {
			return FrameSize
		}
		if err := c.need(1); err != nil {
			return err
		}
		pad = int(c.wire.Buffered()[0])
		c.wire.Skip(1)
		if size--; pad > size {
			return Protocol
		}
		size -= pad
	}
	id, err := c.expect(f, size)
	if err != nil {
		return err
	}
	if err := c.pieces(id, size); err != nil {
		return err
	}
	if err := c.pieces(0, pad); err != nil {
		return err
	}
	if f.has(flagEnd) {
		c.mu.Lock()
		defer c.mu.Unlock()
		if s := c.open[id]; s != nil {
			s.finish()
		}
	}
	return nil
}

// expect judges a frame of size bytes and its padding by its head, and returns
// whom it is for; 0: for nobody.
func (c *conn) expect(f *frame, size int) (id uint32, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if f.id == 0 || f.id > c.last || f.id&1 == 0 {
		return 0, Protocol
	}
	if c.may -= f.size; c.may < 0 {
		return 0, Window
	}
	c.credit(f.size - size)
	s := c.open[f.id]
	if s == nil {
		if !c.unheard.has(f.id) {
			if !c.resets.allows(c.edge.opt.Guard.Now()) {
				return 0, Flood
			}
			c.reset(f.id, Closed)
		}
		return 0, nil
	}
	s.may -= f.size
	why := Resets
	switch {
	case s.ended:
		why = Closed
	case s.may < 0:
		why = Overrun
	case s.want >= 0 && (int64(size) > s.want || f.has(flagEnd) && int64(size) < s.want):
		why = Malformed // RFC 9113 §8.1.1: the sum is not what was said
	}
	if why != Resets {
		c.cut(s, why)
		return 0, nil
	}
	if s.want >= 0 {
		s.want -= int64(size)
	}
	if f.size > size && !f.has(flagEnd) {
		s.taken += f.size - size
	}
	return f.id, nil
}

// pieces takes n bytes for the stream id, which may end meanwhile.
func (c *conn) pieces(id uint32, n int) error {
	if n > len(c.wire.Buffered()) && n >= roomy {
		c.wire.Reserve(wire.LargeBuffer) // bodies are read in large pieces
	}
	for n > 0 {
		if len(c.wire.Buffered()) == 0 {
			c.wire.ReadWithin(c.edge.opt.Idle)
			if err := c.wire.Fill(wire.LargeBuffer); err != nil {
				return reason(err)
			}
		}
		p := c.wire.Buffered()
		p = p[:min(n, len(p))]
		c.piece(id, p)
		c.wire.Skip(len(p))
		n -= len(p)
	}
	return nil
}

func (c *conn) piece(id uint32, p []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if s := c.open[id]; s != nil {
		s.put(p)
		return
	}
	c.credit(len(p))
}
