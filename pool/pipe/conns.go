package pipe

import (
	"errors"
	"log/slog"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"multiserver/proxy/wire"
)

// Conns are the connections to one upstream. They are used by any number of
// goroutines.
type Conns struct {
	opt     Options
	list    atomic.Pointer[[]*conn] // the oldest first: filling them lets the others become idle
	dialing atomic.Bool
	debt    atomic.Int64 // requests that were asked again elsewhere not long ago
	watch

	mu     sync.Mutex
	closed bool // guarded by mu
}

// Options are fixed for the life of Conns.
type Options struct {
	Dial    func() (net.Conn, error) // a socket; TLS cannot be seen to be silent
	Guard   *wire.Guard
	Depth   int // requests under way on a connection
	MaxHead int // bytes of an answer's head
	Log     *slog.Logger
}

// mostDebt is how many requests may have been asked again before nobody shares
// a connection for a while: an upstream that ends its connections behind each
// answer would else be asked nearly everything twice. A quarter of it is
// forgotten at each Sweep.
const mostDebt = 128

var (
	// ErrFull: no connection has room. Whoever is told goes another way.
	ErrFull = errors.New("no shared connection has room")
	// ErrBlocked: the answer before does not come. What was asked may be asked
	// again elsewhere; who reads on waits on, and is not told again.
	ErrBlocked = errors.New("held up by the answer before")

	errClosed = errors.New("upstream is no longer a member")
)

// New returns Conns without connections; Close ends them.
func New(o Options) *Conns {
	s := &Conns{opt: o}
	s.list.Store(new([]*conn))
	s.watch.begin(s)
	return s
}

// reserve keeps a place on a connection. It makes a new one if none has room,
// but only one at a time: the others do not wait for that.
func (s *Conns) reserve() (c *conn, reused bool, err error) {
	if s.debt.Load() >= mostDebt {
		return nil, false, ErrFull
	}
	depth := s.depth()
	for _, c := range *s.list.Load() {
		if c.reserve(depth) {
			return c, true, nil
		}
	}
	if !s.dialing.CompareAndSwap(false, true) {
		return nil, false, ErrFull
	}
	defer s.dialing.Store(false)
	c, err = s.dial()
	return c, false, err
}

// dial makes a connection, with a place kept for the caller.
func (s *Conns) dial() (*conn, error) {
	nc, err := s.opt.Dial()
	if err != nil {
		return nil, err
	}
	c := newConn(s, nc)
	c.places.Store(1)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		_ = c.Close()
		return nil, errClosed
	}
	s.list.Store(new(append(slices.Clone(*s.list.Load()), c)))
	go c.run()
	return c, nil
}

func (s *Conns) remove(c *conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.list.Store(new(slices.DeleteFunc(slices.Clone(*s.list.Load()), func(o *conn) bool { return o == c })))
}

// Sweep ends the connections that are idle and whose peer has left, that are
// idle for longer than idleAge, and, once all is answered, those older than
// maxAge; 0: no limit. It is called every second or so.
func (s *Conns) Sweep(idleAge, maxAge time.Duration) {
	debt := s.debt.Load()
	s.debt.Add(-(debt + 3) / 4)
	now := s.opt.Guard.Now()
	for _, c := range *s.list.Load() {
		old := maxAge > 0 && now-c.born > maxAge.Milliseconds()
		quiet := idleAge > 0 && now-c.used.Load() > idleAge.Milliseconds()
		if c.shut.Load() || old || c.places.Load() == 0 && (quiet || c.Left()) {
			c.retire()
		}
	}
}

// Idle is how many connections nobody has asked on and waits.
func (s *Conns) Idle() (n int) {
	for _, c := range *s.list.Load() {
		if c.places.Load() == 0 {
			n++
		}
	}
	return n
}

// Close lets nobody in any more. Connections end with their last answer.
func (s *Conns) Close() {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	for _, c := range *s.list.Load() {
		c.retire()
	}
}
