package edge

import (
	"encoding/binary"

	"multiserver/proxy/wire"
)

// continued is a header block whose end has not come.
type continued struct {
	frame         // its first; id 0: there is none
	part   []byte // what has come
	frames int
}

// A block may be in this many frames: what is more is no head but a way to keep
// us busy (CVE-2024-24549 and its like).
const mostContinued = 128

// headers takes a block, or its beginning.
func (c *conn) headers(f *frame, p []byte) error {
	if f.id&1 == 0 {
		return Protocol
	}
	p, ok := f.unpad(p)
	if !ok {
		return Protocol
	}
	if f.has(flagPriority) {
		if len(p) < 5 {
			return FrameSize
		}
		if binary.BigEndian.Uint32(p)&mostID == f.id {
			f.kind = priorityFrame // is malformed, but the block counts for the table
		}
		p = p[5:]
	}
	if f.has(flagHeads) { // fast path
		return c.decode(f, p)
	}
	c.rest = continued{frame: *f, part: append(c.rest.part[:0], p...)}
	return nil
}

func (c *conn) continuation(f *frame, p []byte) error {
	r := &c.rest
	if r.id == 0 {
		return Protocol
	}
	r.frames++
	if r.part = append(r.part, p...); len(r.part) > 2*c.block.most+mostFrame || r.frames > mostContinued {
		return Flood
	}
	if !f.has(flagHeads) {
		return nil
	}
	first, part := r.frame, r.part
	c.rest = continued{}
	return c.decode(&first, part)
}

// decode takes a whole block. Whatever becomes of its stream, it is decoded:
// the table belongs to all.
func (c *conn) decode(f *frame, p []byte) error {
	c.mu.Lock()
	s, known, ignored := c.open[f.id], f.id <= c.last, c.unheard.has(f.id)
	c.mu.Unlock()
	b := &c.block
	b.begin(known)
	if _, err := c.table.Write(p); err != nil || c.table.Close() != nil {
		return Compression
	}
	good := b.end() && f.kind == headersFrame
	defer b.release()
	switch {
	case s != nil:
		return c.behind(s, f, good)
	case ignored:
		return nil
	case known:
		return Protocol
	}
	return c.begin(f, good)
}

// behind takes trailers.
func (c *conn) behind(s *stream, f *frame, good bool) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case s.err != nil: // since a moment
	case s.ended:
		return ClosedAgain
	case !good || !f.has(flagEnd) || s.want > 0:
		c.cut(s, Malformed)
	default:
		s.trailers = append(s.trailers[:0], c.block.head...)
		s.finish()
	}
	return nil
}

// begin opens a stream, and has it served.
func (c *conn) begin(f *frame, good bool) error {
	ended, b := f.has(flagEnd), &c.block
	c.mu.Lock()
	defer c.mu.Unlock()
	c.last = f.id
	why := Resets
	switch {
	case !good || ended && b.length > 0:
		why = Malformed
	case len(c.open)+c.orphans >= c.edge.opt.Streams || c.farewell.done:
		why = Refused
	}
	if why == Resets {
		return c.start(f.id, b, ended)
	}
	if !c.resets.allows(c.edge.opt.Guard.Now()) {
		return Flood
	}
	if !ended {
		c.unheard.add(f.id)
	}
	c.reset(f.id, why)
	return nil
}

// start is called with mu held.
func (c *conn) start(id uint32, b *block, ended bool) error {
	if b.tunnels() && !wire.EqualFold([]byte(b.protocol), "websocket") {
		c.out.frame(headersFrame, flagHeads|flagEnd, id, appendStatus(nil, 501)) // RFC 8441 §4
		c.reset(id, Early)
		return nil
	}
	l := c.take()
	if l == nil {
		return Left
	}
	s := &l.two
	s.begin(c, id, b, ended)
	s.window = c.initial
	c.open[id] = s
	l.begin(s, b)
	go c.run(l)
	return nil
}

// run serves a stream.
func (c *conn) run(l *lane) {
	whole, fit := l.serve(&l.two)
	c.close(&l.two, whole)
	c.give(l, fit)
}

// close is called when the work for a stream has ended.
func (c *conn) close(s *stream, whole bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case s.err != nil:
	case !s.sent || !whole:
		c.cut(s, Unfinished)
	case !s.ended:
		c.cut(s, Early)
	}
	s.unhurried()
	if s.counted {
		c.orphans--
	}
	delete(c.open, s.id)
	c.credit(len(s.in) - s.off)
	s.drop()
	c.leave()
}
