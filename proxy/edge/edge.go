package edge

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"golang.org/x/net/http2"

	"multiserver/proxy"
	"multiserver/proxy/wire"
)

// Edge serves HTTP/2 connections. It is used by any number of goroutines.
type Edge struct {
	opt      Options
	base     http.Server // only for its limits, and to tell connections of the end
	h2       http2.Server
	draining atomic.Bool
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
// the core takes as many. So x/net stops floods, and whether a head is too long
// is decided where it is for HTTP/1.1.
const (
	mostFields = 512
	perField   = 32
)

// New returns an Edge.
func New(o Options) *Edge {
	if o.Streams == 0 {
		o.Streams = DefaultStreams
	}
	e := &Edge{opt: o}
	e.base.MaxHeaderBytes = o.MaxHead + mostFields*perField
	e.base.ErrorLog = slog.NewLogLogger(o.Log.Handler(), slog.LevelDebug) // what clients do wrong, one by one
	e.h2 = http2.Server{
		MaxConcurrentStreams: uint32(o.Streams),
		MaxReadFrameSize:     16 << 10, // the least there is: x/net keeps a buffer of the largest frame seen for each connection
		IdleTimeout:          o.KeepAlive,
		ReadIdleTimeout:      o.Idle, // then a ping; without an answer in 15 seconds the client is gone
	}
	if err := http2.ConfigureServer(&e.base, &e.h2); err != nil {
		panic("BUG: " + err.Error()) // only TLS settings can be wrong, and there are none
	}
	return e
}

// Serve serves a connection on which TLS has agreed on HTTP/2 until it ends,
// and closes it. It returns when all is done.
func (e *Edge) Serve(nc net.Conn) {
	clients := &e.opt.Proxy.Stats.Clients
	clients.Add(1)
	defer clients.Add(-1)
	w := wire.NewConn(nc, e.opt.Guard, wire.HeadBuffer)
	defer w.Close()
	e.Take(w)
}

// Take serves a connection of which something may be buffered already, but
// nothing was consumed. The caller closes it.
func (e *Edge) Take(w *wire.Conn) {
	c := &conn{wire: w}
	c.begin(e, w.NetConn().LocalAddr(), w.NetConn().RemoteAddr())
	c.out.begin(w, e.opt.Idle)
	w.ReadWithin(0) // x/net ends those that are idle, by GOAWAY
	var nc net.Conn = c
	if s, ok := w.NetConn().(interface{ Secure() bool }); ok { // as a trusted proxy says
		c.secure = s.Secure()
	}
	if s, ok := w.NetConn().(stater); ok {
		c.secure = true
		nc = secureConn{c, s}
	}
	e.h2.ServeConn(nc, &http2.ServeConnOpts{BaseConfig: &e.base, Handler: c})
	c.end()
}

// Drain tells all clients by GOAWAY that streams from here on are refused;
// connections end with their last stream.
func (e *Edge) Drain() {
	e.draining.Store(true)
	_ = e.base.Shutdown(context.Background()) // it has no listeners and no connections to wait for
}
