package edge

import (
	"io"
	"os"
	"sync"
	"time"

	"multiserver/proxy/wire"
)

// stream is a stream of HTTP/2: what has come of its body, what may be sent of
// its answer, and how it ended. It belongs to its lane, and serves the next
// stream when that does.
//
// The goroutine that reads the connection fills in; those of the exchange read
// from it and write to it.
type stream struct {
	conn   *conn
	id     uint32
	tunnel bool   // WebSocket: behind its head, the bytes of both directions
	block  []byte // of the exchange: the header block under way

	came sync.Cond // L is the connection's mu; bytes, an end
	turn sync.Cond // L is the connection's mu; it may go on sending

	// Guarded by the connection's mu.
	in       []byte // in[off:] is what nobody has read yet
	off      int
	want     int64 // of the body, still to come; -1: not said
	may      int   // bytes that the client may still send
	taken    int   // bytes that were read, and that the client was not told of
	ended    bool  // the client's END_STREAM came
	trailers []byte

	window int64 // bytes that may be sent
	queued bool  // in the connection's line of those who want to send
	sent   bool  // our END_STREAM

	err     error       // it is over: reset by either, or the connection is gone
	deaf    bool        // reads fail
	late    *time.Timer // makes them; nil: nothing does
	counted bool        // of the connection's orphans
}

// begin makes s the stream id. It is not known to others yet.
func (s *stream) begin(c *conn, id uint32, b *block, ended bool) {
	s.conn, s.id, s.tunnel, s.ended = c, id, b.tunnels(), ended
	s.came.L, s.turn.L = &c.mu, &c.mu
	s.in, s.off, s.taken, s.may, s.want = nil, 0, 0, laneWindow, b.length
	s.block = s.block[:0]
	s.trailers, s.sent, s.err, s.deaf, s.counted = s.trailers[:0], false, nil, false, false
}

// Read reads of the body as it came.
func (s *stream) Read(p []byte) (int, error) {
	c := s.conn
	c.mu.Lock()
	defer c.mu.Unlock()
	for s.off == len(s.in) {
		switch {
		case s.deaf:
			return 0, os.ErrDeadlineExceeded
		case s.err != nil:
			return 0, s.err
		case s.ended:
			return 0, io.EOF
		}
		s.came.Wait()
	}
	n := copy(p, s.in[s.off:])
	if s.off += n; s.off == len(s.in) {
		s.drop()
	}
	s.credit(n)
	return n, nil
}

// drop gives the buffer back.
func (s *stream) drop() {
	if s.in != nil {
		wire.ReleaseBuffer(s.in)
	}
	s.in, s.off = nil, 0
}

// put adds what came. It is called with mu held, as is all down to send.
func (s *stream) put(p []byte) {
	switch need := len(s.in) - s.off + len(p); {
	case s.in == nil:
		s.in = wire.AcquireBuffer(need)[:0]
	case len(s.in)+len(p) <= cap(s.in):
	case need <= cap(s.in):
		s.in = s.in[:copy(s.in[:cap(s.in)], s.in[s.off:])]
		s.off = 0
	default:
		b := append(wire.AcquireBuffer(max(need, 2*cap(s.in)))[:0], s.in[s.off:]...)
		wire.ReleaseBuffer(s.in)
		s.in, s.off = b, 0
	}
	s.in = append(s.in, p...)
	s.came.Broadcast()
}

// credit tells the client that n bytes more were taken, when it is time.
func (s *stream) credit(n int) {
	s.taken += n
	if s.taken >= laneWindow/4 && !s.ended && s.err == nil {
		s.conn.out.number(windowFrame, s.id, uint32(s.taken))
		s.may += s.taken
		s.taken = 0
		s.conn.out.kick()
	}
	s.conn.credit(n)
}

// finish is called when the client's END_STREAM came.
func (s *stream) finish() {
	s.ended = true
	s.came.Broadcast()
	if s.sent {
		delete(s.conn.open, s.id)
	}
}

// die is called once it is over.
func (s *stream) die(err error) {
	if s.err == nil {
		s.err = err
	}
	delete(s.conn.open, s.id)
	s.came.Broadcast()
	s.turn.Broadcast()
}

func (s *stream) appendTrailers(dst []byte) []byte {
	s.conn.mu.Lock()
	defer s.conn.mu.Unlock()
	return append(dst, s.trailers...)
}

func (s *stream) left() bool {
	s.conn.mu.Lock()
	defer s.conn.mu.Unlock()
	return s.err != nil
}

func (s *stream) whole() bool {
	s.conn.mu.Lock()
	defer s.conn.mu.Unlock()
	return s.ended && s.err == nil
}

// readBy: a tunnel's second direction has a limit of its own once the first has
// ended.
func (s *stream) readBy(t time.Time) {
	s.conn.mu.Lock()
	defer s.conn.mu.Unlock()
	s.unhurried()
	s.deaf = false
	if t.IsZero() {
		return
	}
	if d := time.Until(t); d > 0 {
		id := s.id
		s.late = time.AfterFunc(d, func() { s.deafen(id) })
		return
	}
	s.deaf = true
	s.came.Broadcast()
}

func (s *stream) deafen(id uint32) {
	s.conn.mu.Lock()
	defer s.conn.mu.Unlock()
	if s.id == id && s.late != nil {
		s.deaf = true
		s.came.Broadcast()
	}
}

// unhurried takes a limit back. It is called with mu held.
func (s *stream) unhurried() {
	if s.late != nil {
		s.late.Stop()
		s.late = nil
	}
}

func (s *stream) breakWrite() {
	s.conn.mu.Lock()
	defer s.conn.mu.Unlock()
	if s.conn.open[s.id] == s {
		s.conn.cut(s, Unfinished)
	}
}

// head sends an answer's head.
func (s *stream) head(r *wire.Response, framing wire.Framing, end bool) error {
	status := r.Status
	if s.tunnel && status == 101 {
		status = 200
	}
	b := appendStatus(append(s.block[:0], noTable), status)
	for i := range r.Fields {
		f := &r.Fields[i]
		switch {
		case f.Kind.Hop() && (f.Kind != wire.Trailer || framing != wire.Chunked):
			continue
		case s.tunnel && wire.EqualFold(r.Name(f), "sec-websocket-accept"):
			continue
		}
		b = appendPlain(b, r.Name(f), r.Value(f))
	}
	s.block = b
	return s.sendBlock(end)
}

func (s *stream) trailer(name, value []byte) {
	if len(s.block) == 0 {
		s.block = append(s.block, noTable)
	}
	s.block = appendPlain(s.block, name, value)
}

// last ends the answer, by its trailers if there are any.
func (s *stream) last() error {
	if len(s.block) == 0 {
		return s.send(nil, true)
	}
	return s.sendBlock(true)
}

func (s *stream) flush(bool) {
	s.conn.mu.Lock()
	defer s.conn.mu.Unlock()
	s.conn.out.kick()
}
