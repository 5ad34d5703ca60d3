package server

import (
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"sync/atomic"
	"time"

	"github.com/valyala/fasthttp"

	"multiserver/proxy"
	"multiserver/proxy/edge"
	"multiserver/proxy/wire"
)

// newFront returns the fasthttp server that takes connections and bounds them
// by its worker pool, one worker a connection. What a worker does with its
// connection is registered as the protocol "http/1.1", which is fasthttp's
// door for loops of one's own; its HTTP/1.1 loop would parse a head before
// anyone could look at the bytes.
func newFront(most int, p *proxy.Proxy, e *edge.Edge, log *slog.Logger) *fasthttp.Server {
	s := &fasthttp.Server{
		Concurrency: most + spare,
		Logger:      printer{log, most},
		Handler:     func(*fasthttp.RequestCtx) { panic("BUG: fasthttp's own loop was entered") },
	}
	s.NextProto(http1, func(nc net.Conn) error {
		n := nc.(*negotiated)
		var h2 func(*wire.Conn)
		if n.tls == nil { // RFC 9113 §3.3: by TLS HTTP/2 would have been agreed on
			h2 = func(c *wire.Conn) { e.TakeFrom(n.from, c) }
		}
		n.parted.Store(p.TakeFrom(n.from, n.Conn, h2, n.count))
		return nil
	})
	s.NextProto(http2, func(nc net.Conn) error {
		n := nc.(*negotiated)
		e.ServeFrom(n.from, n.Conn)
		return nil
	})
	s.NextProto(nothing, func(net.Conn) error { return nil })
	return s
}

// The protocols that there are.
const (
	http1   = "http/1.1" // where there is no TLS, also HTTP/2 if that is how a client begins
	http2   = "h2"
	nothing = "nothing" // who it is was not said as it must, or TLS not agreed on: all there was to say is said
)

// spare workers are those that have not noticed yet that their connection has
// gone: it is crowd that bounds.
const spare = 64

// crowd is the connections that are open, whoever serves them: one on which
// nothing happens leaves its worker, and fasthttp counts no others.
type crowd struct {
	most    int
	open    atomic.Int64
	refused atomic.Uint64
	starved atomic.Uint64 // times that none could be taken
	warned  atomic.Int64  // minutes since 1970
	log     *slog.Logger
}

// enter tells whether there is a place for one more.
func (c *crowd) enter() bool {
	if c.open.Add(1) <= int64(c.most) {
		return true
	}
	c.open.Add(-1)
	if now := time.Now().Unix() / 60; c.warned.Swap(now) != now {
		c.log.Warn("connections refused, as many as allowed are open", "limit", c.most, "raise", "--max-connections")
	}
	return false
}

// wait waits until nobody is left, at most until ctx is done.
func (c *crowd) wait(ctx context.Context) {
	t := time.NewTicker(wire.Tick)
	defer t.Stop()
	for c.open.Load() > 0 {
		select {
		case <-t.C:
		case <-ctx.Done():
			return
		}
	}
}

// negotiated is a connection that says which protocol it speaks, as one on
// which TLS agreed on it would.
type negotiated struct {
	net.Conn        // once there is TLS, that
	proto    string // once a worker has it
	headers  *headers
	tls      *handshakes
	from     *proxy.Entrance
	crowd    *crowd
	taken    bool        // by a worker
	counted  atomic.Bool // in crowd
	parted   atomic.Bool // from its worker, and is not for it to close
}

// count takes n out of crowd, once.
func (n *negotiated) count() {
	if n.counted.Swap(false) {
		n.crowd.open.Add(-1)
	}
}

// Handshake is called by the worker, and so holds nobody else up. It returns
// no error: with one, fasthttp would go on with its own loop.
func (n *negotiated) Handshake() error {
	n.taken, n.proto = true, http1
	if n.headers != nil {
		c := n.headers.take(n.Conn)
		if c == nil {
			n.proto = nothing
			return nil
		}
		n.Conn = c
	}
	if n.tls != nil {
		n.Conn, n.proto = n.tls.shake(n.Conn)
	}
	return nil
}

// ConnectionState names the protocol and nothing else.
func (n *negotiated) ConnectionState() tls.ConnectionState {
	return tls.ConnectionState{NegotiatedProtocol: n.proto}
}

const full = "HTTP/1.1 503 Service Unavailable\r\n" +
	"Content-Type: text/plain; charset=utf-8\r\nContent-Length: 41\r\n" +
	"Cache-Control: no-store\r\nRetry-After: 1\r\nConnection: close\r\n\r\n" +
	"503 Service Unavailable: too many clients"

// Close says why to a client that no worker was left for. The answer fits any
// socket's buffer, so the accept loop that calls this does not wait. By TLS it
// would have to: there the end is the answer.
func (n *negotiated) Close() error {
	if n.parted.Load() {
		return nil
	}
	defer n.count()
	if !n.taken {
		n.crowd.refused.Add(1)
	}
	if !n.taken && n.tls == nil {
		_ = n.SetWriteDeadline(time.Now().Add(time.Millisecond))
		_, _ = n.Write([]byte(full))
	}
	return n.Conn.Close()
}

// printer takes fasthttp's own log lines.
type printer struct {
	log  *slog.Logger
	most int
}

func (p printer) Printf(format string, args ...any) {
	if strings.HasPrefix(format, "The incoming connection cannot be served") { // at most once a minute
		p.log.Warn("connections refused, as many as allowed are open", "limit", p.most, "raise", "--max-connections")
		return
	}
	p.log.Warn("connections", "cause", fmt.Sprintf(format, args...))
}
