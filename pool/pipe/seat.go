package pipe

import (
	"io"
	"net"
	"os"
	"sync"
	"time"

	"multiserver/proxy/wire"
)

// A Seat is one exchange's place on a shared connection: to the core a
// connection, of which Write takes the request and Read gives the answer.
//
// It is used for the next exchange only behind an answer that was whole; else
// it is closed. So what is still on its way for one exchange cannot come to
// another.
type Seat struct {
	set  *Conns
	conn *conn // where it has a place, or had its last one
	kept bool  // the place, and has not asked yet

	asked bool // it was in the line

	mu      sync.Mutex
	news    sync.Cond // something below has changed
	dst     []byte    // guarded by mu; where Read wants the next bytes; nil: nobody reads
	got     int       // guarded by mu; and has them
	in      []byte    // guarded by mu; what nobody has read, from wire.AcquireBuffer; in[at:] is next
	at      int       // guarded by mu
	waits   bool      // guarded by mu; it is in the line, and its answer not whole
	began   bool      // guarded by mu; it has had a byte
	whole   bool      // guarded by mu; all of the answer has come
	blocked bool      // guarded by mu; it may leave, and has not heard of it
	told    bool      // guarded by mu; it has
	err     error     // guarded by mu; behind in; nil: none
	late    bool      // guarded by mu; the deadline for reading has passed
	closed  bool      // guarded by mu
}

// Seat returns a Seat without a place.
func (s *Conns) Seat() *Seat {
	t := &Seat{set: s}
	t.news.L = &t.mu
	return t
}

// Take keeps a place for the next exchange, which must follow at once. reused
// tells that the connection was there before. ErrFull: there is no room.
func (s *Seat) Take() (reused bool, err error) {
	s.mu.Lock()
	s.began, s.whole, s.blocked, s.told, s.late = false, false, false, false, false
	s.mu.Unlock()
	s.asked = false
	s.conn, reused, err = s.set.reserve()
	s.kept = err == nil
	return reused, err
}

// Shared tells whether anybody else has asked on the connection, to whom its end
// may be due: to what was before, or to what an upstream that ended it found
// behind the answers it had given, which are then lost, too (TCP's reset).
func (s *Seat) Shared() bool {
	others := s.conn.asked.Load()
	if s.asked {
		others--
	}
	return others > 0
}

// Free tells whether the exchange is over and has left nothing.
func (s *Seat) Free() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.whole && s.in == nil && !s.late && !s.closed
}

// Write sends a whole request, together with those of others.
func (s *Seat) Write(p []byte) (int, error) {
	s.mu.Lock()
	s.waits, s.kept = true, false
	s.mu.Unlock()
	if !s.conn.join(s, p) {
		s.mu.Lock()
		s.waits = false
		s.mu.Unlock()
		return 0, wire.ErrStale
	}
	return len(p), nil
}

// Read gives bytes of the answer, 1xx and all.
func (s *Seat) Read(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for {
		switch {
		case s.closed:
			return 0, net.ErrClosed
		case s.in != nil:
			return s.take(p), nil
		case s.err != nil:
			return 0, s.err
		case s.whole:
			return 0, io.EOF
		case s.late:
			return 0, os.ErrDeadlineExceeded
		case s.blocked && !s.told && !s.began:
			s.told = true
			return 0, ErrBlocked
		}
		s.dst, s.got = p, 0
		s.news.Wait()
		s.dst = nil
		if s.got > 0 {
			return s.got, nil
		}
	}
}

// take gives what is buffered. Called with mu held.
func (s *Seat) take(p []byte) int {
	n := copy(p, s.in[s.at:])
	if s.at += n; s.at == len(s.in) {
		s.drop()
		s.news.Broadcast() // put may be waiting
	}
	return n
}

// drop gives the buffer back. Called with mu held.
func (s *Seat) drop() {
	if s.in != nil {
		wire.ReleaseBuffer(s.in)
		s.in, s.at = nil, 0
	}
}

// put gives the next bytes of the answer, whose end they are if it is whole. It
// waits while there are some that were not taken and no room for these behind
// them. It tells whether anybody wants them.
func (s *Seat) put(b []byte, whole bool) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.began = s.began || len(b) > 0
	if s.dst != nil && s.got == 0 && s.in == nil { // fast path
		s.got = copy(s.dst, b)
		b = b[s.got:]
		s.news.Broadcast()
	}
	for !s.closed && s.in != nil && len(s.in)+len(b) > cap(s.in) {
		s.news.Wait()
	}
	if s.closed {
		return false
	}
	if len(b) > 0 {
		if s.in == nil {
			s.in = wire.AcquireBuffer(len(b))[:0]
		}
		s.in = append(s.in, b...)
	}
	if s.whole = whole; whole {
		s.part()
	}
	s.news.Broadcast()
	return true
}

// part: its answer is whole, or nobody wants it any more. Called with mu held.
func (s *Seat) part() (waited bool) {
	waited = s.waits
	if s.waits = false; waited {
		s.conn.wanted.Add(-1)
	}
	return waited
}

// fail ends it; it tells whether somebody waited who has not had a byte.
func (s *Seat) fail(err error) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.part() {
		return false
	}
	s.err = err
	s.news.Broadcast()
	return !s.began
}

// block lets it leave, if it has not had a byte.
func (s *Seat) block() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.began {
		s.blocked = true
		s.news.Broadcast()
	}
}

// Close gives the place up, and what is still to come on it.
func (s *Seat) Close() error {
	s.mu.Lock()
	waited := s.waits && !s.closed
	s.waits, s.closed = false, true
	if waited && s.told { // what it has left behind is not to be waited for
		s.set.debt.Add(1)
		s.conn.shut.Store(true)
	}
	s.drop()
	s.news.Broadcast()
	s.mu.Unlock()
	switch {
	case waited:
		s.conn.unwanted()
	case s.kept:
		s.kept = false
		s.conn.places.Add(-1)
	}
	return nil
}

// SetReadDeadline ends the waits for the answer, or lets them go on. Only past
// times and none are known.
func (s *Seat) SetReadDeadline(t time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.late = !t.IsZero()
	s.news.Broadcast()
	return nil
}

// SetWriteDeadline does nothing: requests are written by whoever comes first,
// within a limit of ours.
func (s *Seat) SetWriteDeadline(time.Time) error { return nil }

// SetDeadline is both.
func (s *Seat) SetDeadline(t time.Time) error { return s.SetReadDeadline(t) }

// LocalAddr is that of the connection where it has a place.
func (s *Seat) LocalAddr() net.Addr { return s.conn.NetConn().LocalAddr() }

// RemoteAddr is the same connection's.
func (s *Seat) RemoteAddr() net.Addr { return s.conn.NetConn().RemoteAddr() }
