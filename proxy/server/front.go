package server

import (
	"crypto/tls"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"sync/atomic"
	"time"

	"github.com/valyala/fasthttp"

	"multiserver/proxy"
)

// newFront returns the fasthttp server that takes connections and bounds them
// by its worker pool, one worker a connection. What a worker does with its
// connection is registered as the protocol "http/1.1", which is fasthttp's
// door for loops of one's own; its HTTP/1.1 loop would parse a head before
// anyone could look at the bytes.
func newFront(most int, p *proxy.Proxy, log *slog.Logger) *fasthttp.Server {
	s := &fasthttp.Server{
		Concurrency: most,
		Logger:      printer{log, most},
		Handler:     func(*fasthttp.RequestCtx) { panic("BUG: fasthttp's own loop was entered") },
	}
	s.NextProto(http1, func(nc net.Conn) error {
		n := nc.(*negotiated)
		n.taken = true
		p.ServeConn(n.Conn)
		return nil
	})
	return s
}

const http1 = "http/1.1"

// listener gives its connections a protocol.
type listener struct {
	net.Listener
	refused *atomic.Uint64
}

func (l listener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &negotiated{Conn: c, refused: l.refused}, nil
}

// negotiated is a connection that says it speaks HTTP/1.1, as one on which TLS
// agreed on it would.
type negotiated struct {
	net.Conn
	taken   bool // by a worker
	refused *atomic.Uint64
}

// Handshake does nothing.
func (*negotiated) Handshake() error { return nil }

// ConnectionState names the protocol and nothing else.
func (*negotiated) ConnectionState() tls.ConnectionState {
	return tls.ConnectionState{NegotiatedProtocol: http1}
}

const full = "HTTP/1.1 503 Service Unavailable\r\n" +
	"Content-Type: text/plain; charset=utf-8\r\nContent-Length: 41\r\n" +
	"Cache-Control: no-store\r\nRetry-After: 1\r\nConnection: close\r\n\r\n" +
	"503 Service Unavailable: too many clients"

// Close says why to a client that no worker was left for. The answer fits any
// socket's buffer, so the accept loop that calls this does not wait.
func (c *negotiated) Close() error {
	if !c.taken {
		c.refused.Add(1)
		_ = c.SetWriteDeadline(time.Now().Add(time.Millisecond))
		_, _ = c.Write([]byte(full))
	}
	return c.Conn.Close()
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
