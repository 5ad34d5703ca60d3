package meta

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// idleMost: beyond, a firewall on the way may have forgotten a connection
	// without a word.
	idleMost = time.Minute
	// tolerance is how many failures in a row shut a server out: one or two
	// are a slow moment of the network or of ours.
	tolerance = 3
	pauseMin  = 100 * time.Millisecond
	pauseMax  = time.Second
)

// server is one memcached.
type server struct {
	network, addr string
	seed          uint64
	dial          func(ctx context.Context, network, addr string) (net.Conn, error)
	login         []byte        // the command that begins a connection; nil: none
	slots         chan struct{} // one for each connection in use

	fails atomic.Int32 // in a row
	until atomic.Int64 // not asked before; unix nanoseconds
	stats stats

	mu     sync.Mutex
	idle   []*conn // guarded by mu; the last one left is the first one taken
	closed bool    // guarded by mu
}

// acquire gives a connection to a call that must have ended at deadline, or
// ErrDown, ErrBusy, ErrClosed, or why none could be opened.
func (s *server) acquire(ctx context.Context, now, deadline time.Time) (*conn, error) {
	if s.shut(now) {
		s.stats.shut.Add(1)
		return nil, ErrDown
	}
	if err := s.enter(ctx, now, deadline); err != nil {
		return nil, err
	}
	c, err := s.open(ctx, now, deadline)
	if err != nil {
		<-s.slots
	}
	return c, err
}

func (s *server) open(ctx context.Context, now, deadline time.Time) (*conn, error) {
	for {
		c, err := s.take()
		if err != nil {
			return nil, err
		}
		if c == nil {
			return s.connect(ctx, deadline)
		}
		if c.SetDeadline(deadline) == nil && now.Sub(c.since) < idleMost && c.silent() {
			return c, nil
		}
		c.Close()
	}
}

// enter waits for a slot.
func (s *server) enter(ctx context.Context, now, deadline time.Time) error {
	select {
	case s.slots <- struct{}{}: // fast path
		return nil
	default:
	}
	wait := time.NewTimer(deadline.Sub(now))
	defer wait.Stop()
	select {
	case s.slots <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-wait.C:
		s.stats.busy.Add(1)
		return ErrBusy
	}
}

func (s *server) take() (*conn, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, ErrClosed
	}
	last := len(s.idle) - 1
	if last < 0 {
		return nil, nil
	}
	c := s.idle[last]
	s.idle = s.idle[:last]
	return c, nil
}

func (s *server) connect(ctx context.Context, deadline time.Time) (*conn, error) {
	ctx, cancel := context.WithDeadline(ctx, deadline)
	defer cancel()
	nc, err := s.dial(ctx, s.network, s.addr)
	if err != nil {
		return nil, s.failed(err)
	}
	c := newConn(nc)
	if err := nc.SetDeadline(deadline); err != nil {
		nc.Close()
		return nil, s.failed(err)
	}
	if err := c.enter(s.login); err != nil {
		nc.Close()
		return nil, s.failed(err)
	}
	return c, nil
}

// release takes a connection back; it is closed after any failure, because
// nobody knows what may still come on it.
func (s *server) release(c *conn, now time.Time, err error) {
	if err != nil || !c.rested() || !s.keep(c, now) {
		c.Close()
	}
	<-s.slots
}

func (s *server) keep(c *conn, now time.Time) bool {
	c.since = now
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false
	}
	s.idle = append(s.idle, c)
	return true
}

// shut tells whether the server is not to be asked now. When its time is over
// one caller finds out how it is, and others wait for another pause.
func (s *server) shut(now time.Time) bool {
	if s.fails.Load() < tolerance { // fast path
		return false
	}
	until := s.until.Load()
	at := now.UnixNano()
	return at < until || !s.until.CompareAndSwap(until, at+int64(s.pause()))
}

func (s *server) pause() time.Duration {
	pause := pauseMin << min(max(s.fails.Load()-tolerance, 0), 4)
	return min(pause, pauseMax)/2 + rand.N(min(pause, pauseMax)/2) // or all nodes ask at once
}

// failed counts what went wrong with the server and names it.
func (s *server) failed(err error) error {
	s.stats.failed.Add(1)
	if s.fails.Add(1) >= tolerance {
		s.until.Store(time.Now().Add(s.pause()).UnixNano())
	}
	return fmt.Errorf("memcached %s: %w", s.addr, err)
}

func (s *server) well() {
	if s.fails.Load() != 0 {
		s.fails.Store(0)
	}
}

func (s *server) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	for _, c := range s.idle {
		c.Close()
	}
	s.idle = nil
}
