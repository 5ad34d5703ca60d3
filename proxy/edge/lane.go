package edge

import (
	"crypto/tls"
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
// One goroutine, the stream's, runs the exchange; another of the core's may
// read while it writes.
type lane struct {
	conn   *lanes
	remote net.Addr
	client *proxy.Client
	ask    request
	answer answer
	two    stream // of HTTP/2

	mu     sync.Mutex
	of     carrier // guarded by mu; nil between streams
	spoilt bool    // guarded by mu; a wait was ended: the next stream is not to suffer for it
}

// carrier is a stream as its protocol has it.
type carrier interface {
	body
	sink
	left() bool         // whether the client has gone; it may be a little late
	whole() bool        // whether its body's end came; false where that is not known
	readBy(t time.Time) // reads fail from t on; zero: no more, if that can be
	breakWrite()        // the stream is to be reset
}

// newLane is called with the connection's lock held.
func newLane(c *lanes) *lane {
	l := &lane{conn: c, remote: c.remote}
	l.client = c.edge.opt.Proxy.NewClient(l)
	return l
}

// begin makes the head in b, of HTTP/2, what the core reads next.
func (l *lane) begin(s *stream, b *block) {
	l.ask.buf = append(l.ask.buf[:0], b.head...)
	switch {
	case b.tunnels():
		l.ask.begin(s, raw, 0)
	case s.ended && b.length < 0 && means(b.method):
		l.ask.buf = append(l.ask.buf, "Content-Length: 0\r\n"...)
		l.ask.begin(s, sized, 0)
	case s.ended, b.connect(): // which is refused
		l.ask.begin(s, sized, 0)
	case b.length >= 0:
		l.ask.begin(s, sized, b.length)
	default:
		l.ask.buf = append(l.ask.buf, "Transfer-Encoding: chunked\r\n"...)
		l.ask.begin(s, chunked, 0)
	}
	l.answer.begin(s, b.method == http.MethodHead, b.tunnels())
}

// serve runs one exchange, for which ask and answer have begun. whole tells
// whether the client has all of an answer, fit whether the lane can serve
// another stream.
func (l *lane) serve(of carrier) (whole, fit bool) {
	l.attach(of)
	more := l.client.ServeNext()
	whole = l.answer.Ended()
	unspoilt := l.detach()
	fit = more && whole && unspoilt && l.ask.ended()
	l.ask.end()
	l.answer.end()
	return whole, fit
}

func (l *lane) attach(of carrier) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.of = of
}

// detach lets go of the stream, which is another one's soon, and tells whether
// no wait of it was ended.
func (l *lane) detach() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.of = nil
	return !l.spoilt
}

func (l *lane) Read(p []byte) (int, error)  { return l.ask.read(p) }
func (l *lane) Write(p []byte) (int, error) { return l.answer.write(p) }

// Close ends nothing: the stream ends when the exchange is over.
func (l *lane) Close() error {
	l.detach()
	return nil
}

// CloseWrite ends one direction of a tunnel.
func (l *lane) CloseWrite() error {
	if !l.answer.Raw() {
		return net.ErrClosed
	}
	return l.answer.EndRaw()
}

// Left tells whether the client has reset the stream or is gone: the core asks
// now and then while it waits for an upstream, from other goroutines, and may
// ask a little late.
func (l *lane) Left() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.of != nil && l.of.left()
}

// Whole tells whether the request is here to its end, if that can be known:
// no read waits for the client any more.
func (l *lane) Whole() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.of != nil && l.of.whole()
}

// Secure tells whether the client came by TLS.
func (l *lane) Secure() bool { return l.conn.secure }

// ConnectionState is that of the connection, if it has TLS: the core looks for
// the client's certificate.
func (l *lane) ConnectionState() (s tls.ConnectionState) {
	if l.conn.tls != nil {
		s = l.conn.tls()
	}
	return s
}

// Protocol is what the client speaks, by the name that access logs have for it.
func (l *lane) Protocol() string { return l.conn.proto.String() }

func (l *lane) LocalAddr() net.Addr  { return l.conn.local }
func (l *lane) RemoteAddr() net.Addr { return l.remote }

// SetDeadline is how the core ends waits.
func (l *lane) SetDeadline(t time.Time) error {
	_ = l.SetReadDeadline(t)
	return l.SetWriteDeadline(t)
}

// SetReadDeadline breaks the request's body; what is read of it fails.
func (l *lane) SetReadDeadline(t time.Time) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.spoilt = l.spoilt || !t.IsZero()
	if l.of != nil {
		l.of.readBy(t)
	}
	return nil
}

// SetWriteDeadline resets the stream, which cannot be taken back. The core
// sets none but past ones.
func (l *lane) SetWriteDeadline(t time.Time) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.spoilt = l.spoilt || !t.IsZero()
	if l.of != nil && !t.IsZero() {
		l.of.breakWrite()
	}
	return nil
}
