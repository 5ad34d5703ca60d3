package edge

import (
	"context"
	"net"
	"net/http"
	"sync"
	"time"

	"multiserver/proxy"
)

// lane is a stream as the core sees it: a connection with one request on it.
// Behind an exchange that ended well it serves the next stream of its
// connection, so that nothing about the client need be found out again.
//
// One goroutine, the library's for the stream, runs the exchange; another of the
// core's may read while it writes.
type lane struct {
	conn   *lanes
	remote net.Addr
	client *proxy.Client
	ask    request
	answer answer

	mu     sync.Mutex
	ctx    context.Context // guarded by mu; of the stream, nil between two
	w      deadliner       // guarded by mu; nil between streams
	spoilt bool            // guarded by mu; a wait was ended: the next stream is not to suffer for it
}

// deadliner is x/net's ResponseWriter, and quic-go's.
type deadliner interface {
	http.ResponseWriter
	http.Flusher
	SetReadDeadline(time.Time) error
	SetWriteDeadline(time.Time) error
}

// newLane is called with the connection's lock held.
func newLane(c *lanes) *lane {
	l := &lane{conn: c, remote: c.remote}
	l.client = c.edge.opt.Proxy.NewClient(l)
	return l
}

// serve runs one exchange. whole tells whether the client has all of an
// answer, fit whether the lane can serve another stream.
func (l *lane) serve(w http.ResponseWriter, r *http.Request) (whole, fit bool) {
	d := w.(deadliner)
	l.attach(d, r.Context())
	l.ask.begin(r)
	quic := l.conn.quic
	l.answer.begin(d, r.Method == http.MethodHead, !quic && l.conn.edge.draining.Load(), quic)
	more := l.client.ServeNext()
	whole = l.answer.state == ended
	unspoilt := l.detach()
	fit = more && whole && unspoilt && l.ask.ended()
	l.ask.end()
	l.answer.end()
	return whole, fit
}

func (l *lane) attach(w deadliner, ctx context.Context) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.w, l.ctx = w, ctx
}

// detach lets go of the stream, whose writer must not be used once the handler
// has returned, and tells whether no wait of it was ended.
func (l *lane) detach() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.w, l.ctx = nil, nil
	return !l.spoilt
}

func (l *lane) Read(p []byte) (int, error)  { return l.ask.read(p) }
func (l *lane) Write(p []byte) (int, error) { return l.answer.write(p) }

// Close ends nothing: the stream ends when its handler returns.
func (l *lane) Close() error {
	l.detach()
	return nil
}

// Left tells whether the client has reset the stream or is gone: the core asks
// now and then while it waits for an upstream, from other goroutines, and may
// ask a little late.
func (l *lane) Left() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.ctx != nil && l.ctx.Err() != nil
}

// Secure tells whether the client came by TLS.
func (l *lane) Secure() bool { return l.conn.secure }

func (l *lane) LocalAddr() net.Addr  { return l.conn.local }
func (l *lane) RemoteAddr() net.Addr { return l.remote }

// SetDeadline is how the core ends waits; it never sets other deadlines than
// past ones, and none to take them back.
func (l *lane) SetDeadline(t time.Time) error {
	_ = l.SetReadDeadline(t)
	return l.SetWriteDeadline(t)
}

// SetReadDeadline breaks the request's body; what is read of it fails.
func (l *lane) SetReadDeadline(t time.Time) error {
	return l.deadline(t, deadliner.SetReadDeadline)
}

// SetWriteDeadline resets the stream.
func (l *lane) SetWriteDeadline(t time.Time) error {
	return l.deadline(t, deadliner.SetWriteDeadline)
}

func (l *lane) deadline(t time.Time, set func(deadliner, time.Time) error) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if t.IsZero() {
		return nil // a body that is broken stays so
	}
	l.spoilt = true
	if l.w == nil {
		return nil
	}
	return set(l.w, t)
}
