package edge

import "slices"

// What a client may send before it is asked for: a stream, a connection. A
// stream that its upstream does not read from leaves room for three others.
const (
	laneWindow = 256 << 10
	connWindow = 1 << 20

	usualWindow = 1<<16 - 1 // before anything is said (RFC 9113 §6.9.2)
)

// credit tells the client that n bytes more of the connection were taken, when
// it is time. It is called with mu held, as is all here but send and
// sendBlock.
func (c *conn) credit(n int) {
	if c.taken += n; c.taken >= connWindow/4 {
		c.out.number(windowFrame, 0, uint32(c.taken))
		c.may += c.taken
		c.taken = 0
		c.out.kick()
	}
}

// send sends p as the client and the others let it, and waits for that; end:
// nothing follows.
func (s *stream) send(p []byte, end bool) error {
	c := s.conn
	c.mu.Lock()
	defer c.mu.Unlock()
	for len(p) > 0 || end {
		n, err := s.allowed(len(p))
		if err != nil {
			return err
		}
		last, flags := end && n == len(p), uint8(0)
		if last {
			flags = flagEnd
		}
		c.out.frame(dataFrame, flags, s.id, p[:n])
		p = p[n:]
		c.next()
		if last {
			s.close()
			return nil
		}
	}
	return nil
}

// allowed waits until some of n bytes may be sent, and takes them from both
// windows.
func (s *stream) allowed(n int) (int, error) {
	c := s.conn
	for {
		switch {
		case s.err != nil:
			s.leave()
			c.next() // it may have been its turn
			return 0, s.err
		case n == 0:
			return 0, nil
		case s.window > 0 && c.window > 0 && !c.out.full():
			s.leave()
			k := int(min(int64(n), s.window, c.window, mostFrame))
			s.window -= int64(k)
			c.window -= int64(k)
			return k, nil
		case s.window > 0 && !s.queued:
			c.line = append(c.line, s)
			s.queued = true
		case s.window > 0:
		default:
			c.next()
		}
		c.out.kick()
		s.turn.Wait()
	}
}

// next has the first in the line go on, if anyone can. Each that has sent calls
// it: so bodies take turns, and one wake-up wakes one.
func (c *conn) next() {
	if len(c.line) > 0 && c.window > 0 && !c.out.full() {
		s := c.line[0]
		c.line = slices.Delete(c.line, 0, 1)
		s.queued = false
		s.turn.Signal()
	}
}

func (s *stream) leave() {
	if s.queued {
		i := slices.Index(s.conn.line, s)
		s.conn.line = slices.Delete(s.conn.line, i, i+1)
		s.queued = false
	}
}

// close is called behind our END_STREAM.
func (s *stream) close() {
	s.sent = true
	if s.ended {
		delete(s.conn.open, s.id)
	}
}

// sendBlock sends the header block that stands in s.block.
func (s *stream) sendBlock(end bool) error {
	c := s.conn
	c.mu.Lock()
	defer c.mu.Unlock()
	if s.err != nil {
		return s.err
	}
	b := s.block
	if c.emptied { // the client knows that there is no table
		b = b[1:]
	}
	c.emptied = true
	kind, flags := headersFrame, uint8(0)
	if end {
		flags = flagEnd
	}
	for len(b) > mostFrame {
		c.out.frame(kind, flags, s.id, b[:mostFrame])
		kind, flags, b = continuationFrame, 0, b[mostFrame:]
	}
	c.out.frame(kind, flags|flagHeads, s.id, b)
	s.block = s.block[:0]
	if end {
		s.close()
	}
	return nil
}
