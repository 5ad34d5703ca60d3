package edge

import (
	"log/slog"
	"net"
	"sync"
	"time"

	"multiserver/proxy"
	"multiserver/proxy/wire"
)

// Edge serves HTTP/2 connections. It is used by any number of goroutines.
type Edge struct {
	opt Options

	mu       sync.Mutex
	open     map[*conn]struct{} // guarded by mu
	draining bool               // guarded by mu

	Stats Stats
}

// Options are fixed for the life of an Edge.
type Options struct {
	Proxy *proxy.Proxy
	Guard *wire.Guard // ends the waits
	Log   *slog.Logger

	KeepAlive time.Duration // for a connection without streams; 0: no limit
	Idle      time.Duration // without progress in writing, or a sign of life while there are streams; 0: no limit
	MaxHead   int           // bytes of a request's head in HTTP/1.1, as the core counts them
	Streams   int           // at once on a connection; 0: DefaultStreams
}

// DefaultStreams is what a connection may have under way at once. Browsers
// keep to 100; the rest is for clients that are themselves a front.
const DefaultStreams = 250

// HTTP/2 counts more bytes for a field than it has (RFC 9113 §6.5.2), of which
// the core takes as many. Clients are told of so much; whether a head is too
// long is decided where it is for HTTP/1.1.
const (
	mostFields = 512
	perField   = 32
)

// New returns an Edge.
func New(o Options) *Edge {
	if o.Streams == 0 {
		o.Streams = DefaultStreams
	}
	return &Edge{opt: o, open: map[*conn]struct{}{}}
}

// Serve serves a connection on which TLS has agreed on HTTP/2 until it ends,
// and closes it. It returns when all is done.
func (e *Edge) Serve(nc net.Conn) { e.ServeFrom(nil, nc) }

// ServeFrom is Serve for a connection that came in somewhere that may shut.
func (e *Edge) ServeFrom(from *proxy.Entrance, nc net.Conn) {
	clients := &e.opt.Proxy.Stats.Clients
	clients.Add(1)
	defer clients.Add(-1)
	w := wire.NewConn(nc, e.opt.Guard, wire.HeadBuffer)
	defer w.Close()
	e.TakeFrom(from, w)
}

// Take serves a connection of which something may be buffered already, but
// nothing was consumed. The caller closes it.
func (e *Edge) Take(w *wire.Conn) { e.TakeFrom(nil, w) }

// TakeFrom is Take for a connection that came in somewhere that may shut.
func (e *Edge) TakeFrom(from *proxy.Entrance, w *wire.Conn) {
	c := newConn(e, w)
	c.from = from
	if s, ok := w.NetConn().(interface{ Secure() bool }); ok { // as a trusted proxy says
		c.secure = s.Secure()
	}
	if t, ok := w.NetConn().(stater); ok {
		c.secure, c.tls = true, t.ConnectionState
	}
	c.greet()
	e.enter(c)
	defer e.leave(c)
	c.end(reason(c.serve()))
}

// enter makes c known to Drain, which may have been before.
func (e *Edge) enter(c *conn) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.open[c] = struct{}{}
	if e.draining || c.from.IsShut() {
		defer c.drain()
	}
}

func (e *Edge) leave(c *conn) {
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.open, c)
}

// Drain tells all clients by GOAWAY that no more streams are wanted;
// connections end with their last.
func (e *Edge) Drain() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.draining = true
	for c := range e.open {
		c.drain()
	}
}

// Shut shuts an entrance, and tells the clients who came in there.
func (e *Edge) Shut(from *proxy.Entrance) {
	from.Shut()
	e.mu.Lock()
	defer e.mu.Unlock()
	for c := range e.open {
		if c.from == from {
			c.drain()
		}
	}
}
