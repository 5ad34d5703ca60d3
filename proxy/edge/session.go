package edge

import (
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/http3"

	"multiserver/proxy"
)

const noError = quic.ApplicationErrorCode(http3.ErrCodeNoError)

// session is one HTTP/3 connection. It has an http3.Server of its own, whose
// Shutdown is what sends GOAWAY.
type session struct {
	lanes
	by   *QUIC
	conn *quic.Conn
	h3   http3.Server
}

// serve returns when all is done.
func (q *QUIC) serve(nc *quic.Conn) {
	if s := q.enter(nc); s != nil {
		clients := &q.edge.opt.Proxy.Stats.Clients
		clients.Add(1)
		_ = s.h3.ServeQUICConn(nc) // what clients do wrong
		s.end()
		clients.Add(-1)
		defer q.leave(s)
	}
	_ = nc.CloseWithError(noError, "")
}

// enter returns nil when there are to be no more sessions.
func (q *QUIC) enter(nc *quic.Conn) *session {
	s := &session{by: q, conn: nc}
	s.begin(q.edge, asTCP(nc.LocalAddr()), asTCP(nc.RemoteAddr()))
	s.secure, s.proto = true, proxy.HTTP3
	s.tls = func() tls.ConnectionState { return nc.ConnectionState().TLS }
	s.h3.Handler, s.h3.MaxHeaderBytes = s, q.edge.opt.MaxHead+mostFields*perField
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.gone != nil {
		return nil
	}
	q.open[s] = struct{}{}
	return s
}

func (q *QUIC) leave(s *session) {
	q.mu.Lock()
	defer q.mu.Unlock()
	delete(q.open, s)
}

// asTCP makes a UDP address what the core knows.
func asTCP(a net.Addr) net.Addr {
	if u, ok := a.(*net.UDPAddr); ok {
		return net.TCPAddrFromAddrPort(u.AddrPort())
	}
	return a
}

// ServeHTTP is called by quic-go for each stream.
func (s *session) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.follow()
	qw := w.(quicWriter)
	if !s.measure(qw, r) || !s.prove(r) {
		panic(http.ErrAbortHandler)
	}
	s.lanes.serve(qw, r)
}

// follow has later streams of a client that has moved say where it is now: it
// may be known by its address, and trusted for it.
func (s *session) follow() {
	now := s.conn.RemoteAddr().(*net.UDPAddr)
	s.idle.L.Lock()
	defer s.idle.L.Unlock()
	if was := s.remote.(*net.TCPAddr); !was.IP.Equal(now.IP) {
		s.remote = asTCP(now)
		for _, l := range s.free {
			defer l.client.Close()
		}
		s.free = nil
	}
}

// measure finds out whether a request that does not say how long its body is
// has one, as HTTP/2 knows it from the head: HTTP/3 has the end of a stream in
// no frame. POST and its like have, if need be an empty one: their first byte
// may wait for our answer.
func (s *session) measure(w quicWriter, r *http.Request) bool {
	switch _, sized := r.Header["Content-Length"]; {
	case r.Method == http.MethodConnect: // is refused
		r.ContentLength = 0
		return true
	case sized, means(r.Method):
		return true
	}
	var first [1]byte
	n, err := 0, error(nil)
	_ = w.SetReadDeadline(time.Now().Add(s.by.opt.Head))
	for n == 0 && err == nil {
		n, err = r.Body.Read(first[:])
	}
	_ = w.SetReadDeadline(time.Time{})
	switch {
	case n > 0:
		r.Body = &begun{r.Body, first, false}
	case err == io.EOF:
		r.ContentLength = 0
	default:
		return false
	}
	return true
}

// begun is a body whose first byte was read.
type begun struct {
	io.ReadCloser
	first [1]byte
	given bool
}

func (b *begun) Read(p []byte) (int, error) {
	if b.given || len(p) == 0 {
		return b.ReadCloser.Read(p)
	}
	b.given = true
	return copy(p, b.first[:]), nil
}

// prove lets a request that came before the handshake's end (0-RTT) wait for
// that, unless it does no harm twice: whoever saw it could send it again (RFC
// 8470). Origins that mind are told, and may answer 425.
func (s *session) prove(r *http.Request) bool {
	if r.TLS.HandshakeComplete { // fast path
		return true
	}
	if harmless(r) {
		s.by.Stats.Early.Add(1)
		if r.Header["Early-Data"] == nil {
			r.Header["Early-Data"] = []string{"1"}
		}
		return true
	}
	s.by.Stats.Waited.Add(1)
	select {
	case <-s.conn.HandshakeComplete():
	case <-r.Context().Done():
	}
	return s.conn.ConnectionState().TLS.HandshakeComplete
}

func harmless(r *http.Request) bool {
	return (r.Method == http.MethodGet || r.Method == http.MethodHead) && r.ContentLength == 0
}

// quietSince tells whether there is no stream, nor was after t.
func (s *session) quietSince(t int64) bool {
	s.idle.L.Lock()
	defer s.idle.L.Unlock()
	return s.busy == 0 && s.quiet <= t
}
