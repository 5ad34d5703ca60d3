package server

import (
	"crypto/tls"
	"fmt"
	"log/slog"
	"net"

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
		Logger:      printer{log},
		Handler:     func(*fasthttp.RequestCtx) { panic("BUG: fasthttp's own loop was entered") },
	}
	s.NextProto(http1, func(nc net.Conn) error {
		p.ServeConn(nc.(*negotiated).Conn)
		return nil
	})
	return s
}

const http1 = "http/1.1"

// listener gives its connections a protocol.
type listener struct{ net.Listener }

func (l listener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &negotiated{c}, nil
}

// negotiated is a connection that says it speaks HTTP/1.1, as one on which TLS
// agreed on it would.
type negotiated struct{ net.Conn }

// Handshake does nothing.
func (*negotiated) Handshake() error { return nil }

// ConnectionState names the protocol and nothing else.
func (*negotiated) ConnectionState() tls.ConnectionState {
	return tls.ConnectionState{NegotiatedProtocol: http1}
}

// printer takes fasthttp's own log lines.
type printer struct{ log *slog.Logger }

func (p printer) Printf(format string, args ...any) {
	p.log.Warn("connections", "cause", fmt.Sprintf(format, args...))
}
