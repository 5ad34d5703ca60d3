package stream

import (
	"errors"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"net/url"
	"sync/atomic"

	"multiserver/proxy/wire"
)

// request reads what the core writes.
type request struct {
	wire.Intake
	started       atomic.Bool
	head          wire.Request
	trailer       http.Header // nil: none was announced
	wantsTrailers bool
	small         bool // the whole body is in the core's hand
	bare          bool // there is no body
}

var errStopped = errors.New("upstream takes no more of the body")

const (
	smallBody = 64 << 10 // what the core may have in hand
	mostTries = 3        // on connections that end just then
)

func (q *request) begun() bool { return q.started.Load() }

// parts is a stream, as what a request's bytes are taken apart to.
type parts stream

// Head asks as soon as there is one.
func (s *parts) Head(p []byte) (int, wire.Next, error) {
	q := &s.ask
	n, err := q.head.Parse(p)
	if err == nil {
		(*stream)(s).begin()
	}
	return n, wire.Next{Framing: q.head.Framing(), Length: q.head.Length}, err
}

// Data offers body bytes, and waits until they are taken.
func (s *parts) Data(p []byte, end bool) error {
	if end && len(p) <= smallBody {
		s.ask.small = true // also one that came in pieces: what is here of it is taken
	}
	return (*stream)(s).give(p, end)
}

// Trailer: x/net reads them behind the body's end, which is not given yet.
func (s *parts) Trailer(name, value []byte) {
	if q := &s.ask; q.trailer != nil {
		key := textproto.CanonicalMIMEHeaderKey(string(name))
		q.trailer[key] = append(q.trailer[key], string(value))
	}
}

func (s *parts) End() error { return (*stream)(s).give(nil, true) }

// begin asks.
func (s *stream) begin() {
	q := &s.ask
	q.wantsTrailers = q.head.Trailers
	switch q.head.Framing() {
	case wire.None:
		q.bare = true
	case wire.Sized:
		q.small = q.head.Length <= smallBody
	}
	r := q.request(s.conns.opt.Secure)
	trace := &httptrace.ClientTrace{Got1xxResponse: s.interim}
	q.started.Store(true)
	go s.run(r.WithContext(httptrace.WithClientTrace(s.ctx, trace)))
}

// request is the head in x/net's terms.
func (q *request) request(secure bool) *http.Request {
	h := &q.head
	text := string(h.Raw)
	r := &http.Request{Method: string(h.Method), Host: string(h.Host), ContentLength: max(h.Length, 0)}
	r.URL = &url.URL{Scheme: "http", Host: r.Host, Opaque: string(h.Path)}
	if secure {
		r.URL.Scheme = "https"
	}
	if len(h.Path) > 1 && h.Path[0] == '/' && h.Path[1] == '/' {
		r.URL.Opaque = "//" + r.Host + r.URL.Opaque // x/net strips it; two slashes would be an authority
	}
	r.Header = q.fields(text)
	if h.Chunked {
		r.ContentLength = -1
		if h.Has(wire.Trailer) {
			q.trailer = http.Header{} // what it has at the body's end is sent
			r.Trailer = q.trailer
		}
	}
	return r
}

// fields are those that HTTP/2 has (RFC 9113 §8.2.2). One copy of the head
// holds all names and values.
func (q *request) fields(text string) http.Header {
	h := &q.head
	out := make(http.Header, len(h.Fields)+1)
	values := make([]string, len(h.Fields))
	for i := range h.Fields {
		f := &h.Fields[i]
		if f.Kind == wire.Host || f.Kind == wire.ContentLength || f.Kind.Hop() && !(f.Kind == wire.Trailer && h.Chunked) {
			continue
		}
		name := textproto.CanonicalMIMEHeaderKey(text[f.At:f.Colon])
		if had := out[name]; had != nil {
			out[name] = append(had, text[f.From:f.To])
			continue
		}
		values[i] = text[f.From:f.To]
		out[name] = values[i : i+1 : i+1]
	}
	if h.Trailers {
		out["Te"] = teTrailers
	}
	if _, ok := out["User-Agent"]; !ok {
		out["User-Agent"] = nil // or x/net would name itself
	}
	return out
}

var teTrailers = []string{"trailers"}

// roundTrip asks, again if the connection ended just then.
func (s *stream) roundTrip(r *http.Request) (*http.Response, error) {
	for try := 1; ; try++ {
		if !s.ask.bare {
			r.Body = s.newBody()
		}
		res, err := s.conn.cc.RoundTrip(r)
		if err == nil {
			return res, nil
		}
		err = judge(err)
		if !Unsent(err) || try == mostTries || !s.replayable() {
			return nil, err
		}
		c, _, again := s.conns.reserve(s.ctx)
		if again != nil {
			return nil, err
		}
		s.move(c)
	}
}

// move: the next try is made on c.
func (s *stream) move(c *conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.conn = c
}
