package stream

import (
	"context"
	"errors"
	"net"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/net/http2"
)

// Conns are the connections to one upstream. They are used by any number of
// goroutines.
type Conns struct {
	opt  Options // but for what Limit changes
	now  atomic.Pointer[limits]
	list atomic.Pointer[[]*conn] // those that take streams, the oldest first

	mu      sync.Mutex
	dialing *flight // guarded by mu; nil: nobody dials
	closed  bool    // guarded by mu
}

// limits are what Limit changes.
type limits struct {
	h2     *http2.Transport // has IdleAge
	maxAge time.Duration
}

// Options are fixed for the life of Conns, but for what Limit changes.
type Options struct {
	Dial    func(context.Context) (net.Conn, error) // a connection on which HTTP/2 was agreed on
	Secure  bool                                    // it is TLS
	MaxHead int                                     // bytes of an answer's head in HTTP/1.1, as the core counts them
	IdleAge time.Duration                           // after which a connection without streams is closed; 0: no limit
	MaxAge  time.Duration                           // after which one takes no more streams; 0: no limit
}

// HTTP/2 counts more bytes for a field than it has (RFC 9113 §6.5.2), of which
// the core takes as many: x/net stops floods, the core what is too long.
const (
	mostFields = 512
	perField   = 32
)

const (
	// window is what an upstream may send of one answer before anybody takes
	// it: 1 MiB at 20 ms of distance is 50 MB/s.
	window = 1 << 20
	// frame bounds the buffer that x/net keeps for each connection.
	frame = 64 << 10
	// pingAfter this long of silence a connection with streams has to prove that
	// it lives. grpc-go's servers take more than one ping in 5 minutes for an
	// attack and end the connection.
	pingAfter = 5*time.Minute + 10*time.Second
	// writeWithin bounds how long a connection takes no byte at all.
	writeWithin = 30 * time.Second
)

// New returns Conns; Close ends them.
func New(o Options) *Conns {
	s := &Conns{opt: o}
	s.Limit(o.IdleAge, o.MaxAge)
	s.list.Store(new([]*conn))
	return s
}

// Limit changes how long connections last, as Options have it: MaxAge of all,
// IdleAge of those that are made from here on.
func (s *Conns) Limit(idleAge, maxAge time.Duration) {
	s.now.Store(&limits{newTransport(s.opt.MaxHead, idleAge), maxAge})
}

func newTransport(maxHead int, idleAge time.Duration) *http2.Transport {
	t1 := &http.Transport{
		DisableCompression: true,
		IdleConnTimeout:    idleAge,
		HTTP2:              &http.HTTP2Config{MaxReceiveBufferPerStream: window},
	}
	h2, err := http2.ConfigureTransports(t1)
	if err != nil {
		panic("BUG: " + err.Error()) // only TLS settings can be wrong, and there are none
	}
	h2.MaxHeaderListSize = uint32(maxHead + mostFields*perField)
	h2.MaxReadFrameSize = frame
	h2.ReadIdleTimeout, h2.WriteByteTimeout = pingAfter, writeWithin
	return h2
}

// Open returns a stream, on a connection that takes one more, else on a new
// one. reused tells that the connection was there before.
func (s *Conns) Open(ctx context.Context) (nc net.Conn, reused bool, err error) {
	c, reused, err := s.reserve(ctx)
	if err != nil {
		return nil, false, err
	}
	return newStream(s, c), reused, nil
}

// Alone returns a stream on a connection of its own, which ends with it.
func (s *Conns) Alone(ctx context.Context) (net.Conn, error) {
	c, err := s.dial(ctx)
	if err != nil {
		return nil, err
	}
	st := newStream(s, c)
	st.alone = true
	return st, nil
}

// Close lets no more streams be opened. Connections end with their last one.
func (s *Conns) Close() {
	s.mu.Lock()
	s.closed = true
	all := *s.list.Swap(new([]*conn))
	s.mu.Unlock()
	for _, c := range all {
		c.retire()
	}
}

// Idle is how many connections have no streams.
func (s *Conns) Idle() (n int) {
	for _, c := range *s.list.Load() {
		if c.idle() {
			n++
		}
	}
	return n
}

// flight is a dial that others wait for, too.
type flight struct {
	done chan struct{}
	err  error // read after done
}

var errClosed = errors.New("upstream is no longer a member")

// reserve returns a connection that has room for a stream, and keeps it. Who
// dials has the first place on his connection, so that each round of waiting
// brings somebody on.
func (s *Conns) reserve(ctx context.Context) (c *conn, reused bool, err error) {
	for {
		if c := s.free(); c != nil {
			return c, true, nil
		}
		s.mu.Lock()
		f := s.dialing
		if f == nil {
			f = &flight{done: make(chan struct{})}
			s.dialing = f
			s.mu.Unlock()
			c, err := s.lead(ctx, f)
			return c, false, err
		}
		s.mu.Unlock()
		select {
		case <-f.done:
		case <-ctx.Done():
			return nil, false, ctx.Err()
		}
		if f.err != nil {
			return nil, false, f.err
		}
	}
}

// free finds room on what is there: filling the oldest lets the others become
// idle.
func (s *Conns) free() *conn {
	maxAge := s.now.Load().maxAge
	for _, c := range *s.list.Load() {
		switch {
		case maxAge > 0 && time.Since(c.born) > maxAge:
			s.remove(c)
			go c.retire() // which may wait for a write
		case c.cc.ReserveNewRequest():
			return c
		}
	}
	return nil
}

// lead dials for all who wait.
func (s *Conns) lead(ctx context.Context, f *flight) (*conn, error) {
	c, err := s.dial(ctx)
	s.mu.Lock()
	if err == nil && s.closed {
		err = errClosed
	}
	if err == nil && !c.gone {
		s.set(append(slices.Clone(*s.list.Load()), c))
	}
	s.dialing, f.err = nil, err
	s.mu.Unlock()
	close(f.done)
	if err != nil && c != nil {
		c.release()
	}
	return c, err
}

// set publishes who takes streams. Called with mu held.
func (s *Conns) set(list []*conn) { s.list.Store(&list) }

func (s *Conns) remove(c *conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c.gone = true
	if old := *s.list.Load(); slices.Contains(old, c) {
		s.set(slices.DeleteFunc(slices.Clone(old), func(o *conn) bool { return o == c }))
	}
}

// dial makes a connection and keeps a place on it. It counts as one only once
// it has answered a ping: before that come the upstream's settings, which say
// how many streams it takes, and what speaks no HTTP/2 is found out here.
func (s *Conns) dial(ctx context.Context) (*conn, error) {
	nc, err := s.opt.Dial(ctx)
	if err != nil {
		return nil, err
	}
	c := &conn{Conn: nc, owner: s, born: time.Now()}
	if c.cc, err = s.now.Load().h2.NewClientConn(c); err != nil {
		_ = nc.Close()
		return nil, &greetingError{err}
	}
	if err := c.cc.Ping(ctx); err != nil {
		_ = c.cc.Close()
		if ctx.Err() != nil {
			err = ctx.Err()
		}
		return nil, &greetingError{err}
	}
	if !c.cc.ReserveNewRequest() {
		_ = c.cc.Close()
		return nil, &greetingError{errNoStreams}
	}
	return c, nil
}

var errNoStreams = errors.New("it takes no streams")

// greetingError is a failure to begin with HTTP/2 on a connection that was
// made.
type greetingError struct{ err error }

func (e *greetingError) Error() string { return "no HTTP/2 there: " + e.err.Error() }

// Unwrap gives the cause.
func (e *greetingError) Unwrap() error { return e.err }

// conn is a connection. x/net closes it when it is done with it.
type conn struct {
	net.Conn
	owner *Conns
	cc    *http2.ClientConn
	born  time.Time
	gone  bool // guarded by owner.mu; takes no more streams
}

// Close is called once the connection has ended, for whatever reason.
func (c *conn) Close() error {
	c.owner.remove(c)
	return c.Conn.Close()
}

// retire lets c end with its last stream.
func (c *conn) retire() {
	c.cc.SetDoNotReuse()
	if c.idle() {
		_ = c.cc.Close()
	}
}

func (c *conn) idle() bool {
	st := c.cc.State()
	return st.StreamsActive+st.StreamsReserved+st.StreamsPending == 0
}

// release gives back a place that was kept and not used.
func (c *conn) release() {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	r := (&http.Request{Method: http.MethodGet, Header: http.Header{}}).WithContext(ctx)
	_, _ = c.cc.RoundTrip(r) // fails, as nobody wants it any more
	if c.cc.State().Closing && c.idle() {
		_ = c.cc.Close()
	}
}

// ALPN is what TLS calls HTTP/2.
const ALPN = http2.NextProtoTLS

// NoHTTP2 tells whether err is a failure to begin with HTTP/2 on a connection
// that was made.
func NoHTTP2(err error) bool {
	var g *greetingError
	return errors.As(err, &g)
}
