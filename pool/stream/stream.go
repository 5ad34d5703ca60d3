package stream

import (
	"context"
	"net"
	"net/http"
	"os"
	"sync"
	"time"

	"multiserver/proxy/wire"
)

// stream is one exchange: a connection with one request on it.
//
// Four may be at work: who writes the request and who reads the answer, of the
// core; x/net, which takes the request's body; and run, which asks, and fetches
// the front of the answer, so that a head and a small body are read at once.
// What they tell each other is guarded by mu.
type stream struct {
	conns  *Conns
	conn   *conn // of run
	alone  bool  // the connection ends with it
	ctx    context.Context
	cancel context.CancelFunc
	ask    request // of who writes
	answer answer  // of run until it has ended, then of who reads

	mu   sync.Mutex
	news sync.Cond // broadcast when anything below changes

	offer   []byte // what of the body is to be taken next; borrowed from who writes
	whole   bool   // and behind it nothing more
	replay  []byte // what was taken of the body, for another try
	lost    bool   // too much was taken for that
	body    *body  // of the present try; nil: there is none
	settled bool   // there will be no other try
	stopped bool   // nobody takes the body any more

	out     []byte // the answer so far, from wire.AcquireBuffer; out[read:] is what is read next
	read    int
	fetched bool  // run has ended
	err     error // how it has, when all of out is read; nil: the rest is read from answer
	direct  bool  // somebody is about to

	late   [2]bool // the deadlines for reading and writing have passed
	closed bool
	last   *time.Timer // ends the wait for the stream's end; nil: there is none
}

const (
	reading = iota
	writing
)

// finishing is how long an upstream may take to end a stream (END_STREAM)
// whose answer was already whole by its length.
const finishing = time.Second

func newStream(s *Conns, c *conn) *stream {
	st := &stream{conns: s, conn: c}
	st.news.L = &st.mu
	st.ask.Begin((*parts)(st))
	st.ctx, st.cancel = context.WithCancel(context.Background())
	return st
}

// Write takes bytes of the request, and returns when all of them are on their
// way.
func (s *stream) Write(p []byte) (int, error) { return s.ask.Write(p) }

// Read gives bytes of the answer, 1xx and all.
func (s *stream) Read(p []byte) (int, error) {
	s.mu.Lock()
	for {
		switch {
		case s.closed:
			s.mu.Unlock()
			return 0, net.ErrClosed
		case s.late[reading]:
			s.mu.Unlock()
			return 0, os.ErrDeadlineExceeded
		case s.read < len(s.out):
			n := copy(p, s.out[s.read:])
			s.read += n
			s.mu.Unlock()
			return n, nil
		case s.fetched && s.err != nil:
			err := s.err
			s.mu.Unlock()
			return 0, err
		case s.fetched:
			s.drop()
			s.direct = true
			s.mu.Unlock()
			return s.readOn(p)
		}
		s.news.Wait()
	}
}

// readOn reads behind what run has fetched. A wait that a deadline ends is this
// stream's last.
func (s *stream) readOn(p []byte) (int, error) {
	n, err := s.answer.read(p)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.direct = false
	if n == 0 && err != nil && s.late[reading] {
		err = os.ErrDeadlineExceeded
	}
	return n, err
}

// run asks, and fetches the front of the answer.
func (s *stream) run(r *http.Request) {
	res, err := s.roundTrip(r)
	s.mu.Lock()
	if err == nil {
		s.settle()
		s.out = s.answer.begin(s.room(), res, s.ask.wantsTrailers)
	}
	buf := s.out
	s.news.Broadcast()
	s.mu.Unlock()
	for err == nil && !s.answer.over && !s.answer.mute && cap(buf)-len(buf) >= roomy {
		var n int
		n, err = s.answer.read(buf[len(buf):cap(buf)])
		buf = buf[:len(buf)+n]
		s.mu.Lock()
		if !s.closed {
			s.out = buf
		}
		s.news.Broadcast()
		s.mu.Unlock()
	}
	if s.end(err) {
		s.part()
	}
}

// end is run's. If the stream was closed meanwhile, it is for run to clean up.
func (s *stream) end(err error) (closed bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.settle()
	s.fetched, s.err = true, err
	if err != nil {
		s.stopped = true
	}
	if s.closed {
		s.drop()
	}
	s.news.Broadcast()
	return s.closed
}

// settle: what was taken of the body is not wanted again. Called with mu held.
func (s *stream) settle() {
	s.settled, s.replay = true, nil
	if s.body != nil && s.body.closed {
		s.stopped = true
	}
}

// room is out, with a buffer. Called with mu held.
func (s *stream) room() []byte {
	if s.out == nil {
		s.out = wire.AcquireBuffer(wire.HeadBuffer)[:0]
	}
	if s.read == len(s.out) {
		s.out, s.read = s.out[:0], 0
	}
	return s.out
}

// drop gives the buffer of out back. Called with mu held, when run has ended.
func (s *stream) drop() {
	if s.out != nil {
		wire.ReleaseBuffer(s.out)
		s.out, s.read = nil, 0
	}
}

// Close ends the stream: by a reset, unless both messages are whole.
func (s *stream) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil
	}
	s.closed = true
	s.news.Broadcast()
	switch {
	case !s.ask.begun():
		s.leave()
		go s.conn.release()
	case !s.fetched: // run sees it, at the latest when it is cancelled
		s.hurry()
	default:
		s.drop()
		if s.answer.over {
			s.leave() // nothing to wait for
			return nil
		}
		s.hurry()
		go s.part()
	}
	return nil
}

// hurry bounds what is still waited for: nothing, unless the answer is whole
// but for its last frame. Called with mu held.
func (s *stream) hurry() {
	if s.answer.given.Load() && (s.whole || s.ask.bare) {
		s.last = time.AfterFunc(finishing, s.cancel)
		return
	}
	s.cancel()
}

// part ends a closed stream whose answer is not over for x/net.
func (s *stream) part() {
	s.answer.finish()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.leave()
}

// leave is called with mu held.
func (s *stream) leave() {
	s.cancel()
	if s.last != nil {
		s.last.Stop()
	}
	if s.alone {
		go s.conn.cc.Close()
	}
}

// SetReadDeadline ends the wait for an answer, or lets it go on; a wait within
// the answer's body is ended for good. Only past times and none are known.
func (s *stream) SetReadDeadline(t time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.pass(reading, t) && s.direct {
		s.cancel()
	}
	return nil
}

// SetWriteDeadline ends the wait for somebody to take the body.
func (s *stream) SetWriteDeadline(t time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pass(writing, t)
	return nil
}

// SetDeadline is both.
func (s *stream) SetDeadline(t time.Time) error {
	_ = s.SetWriteDeadline(t)
	return s.SetReadDeadline(t)
}

// pass tells whether the deadline has passed. Called with mu held.
func (s *stream) pass(which int, t time.Time) bool {
	s.late[which] = !t.IsZero()
	s.news.Broadcast()
	return s.late[which]
}

func (s *stream) LocalAddr() net.Addr  { return s.conn.LocalAddr() }
func (s *stream) RemoteAddr() net.Addr { return s.conn.RemoteAddr() }
