package stream

import (
	"bytes"
	"errors"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"net/url"
	"sync/atomic"

	"multiserver/proxy/wire"
)

// request reads what the core writes, strictly: a byte that is not as expected
// fails, and so ends the exchange.
type request struct {
	started       atomic.Bool
	state         state
	left          int64 // of the body, or of the chunk
	head          wire.Request
	part          []byte      // a head or line whose end has not come
	trailer       http.Header // nil: none was announced
	wantsTrailers bool
	small         bool // the whole body is in the core's hand
	bare          bool // there is no body
}

type state uint8

const (
	inHead state = iota
	inBody
	inSize // the line before a chunk's data
	inChunk
	behindChunk
	inTrailer
	ended
)

var (
	errFraming = errors.New("stream: the core's request is not framed as it should be")
	errLong    = errors.New("stream: a head or line of the core's has no end")
	errStopped = errors.New("upstream takes no more of the body")
)

const (
	mostPart  = 2 << 20  // beyond --max-head's bounds
	smallBody = 64 << 10 // what the core may have in hand
	mostTries = 3        // on connections that end just then
)

func (q *request) begun() bool { return q.started.Load() }

func (s *stream) write(p []byte) (int, error) {
	for rest := p; len(rest) > 0; {
		var err error
		if rest, err = s.step(rest); err != nil {
			return len(p) - len(rest), err
		}
	}
	return len(p), nil
}

// step takes what it can from the front of p.
func (s *stream) step(p []byte) (rest []byte, err error) {
	q := &s.ask
	switch q.state {
	case inHead:
		return s.takeHead(p)
	case inBody, inChunk:
		return s.takeData(p)
	case inSize:
		return q.takeLine(p, s.size)
	case behindChunk:
		return q.takeLine(p, q.chunkEnd)
	case inTrailer:
		return q.takeLine(p, s.trailerLine)
	}
	return p, errFraming
}

// takeHead: the core writes a head in one piece; one that it does not is
// gathered.
func (s *stream) takeHead(p []byte) (rest []byte, err error) {
	q := &s.ask
	held, b := len(q.part), p
	if held > 0 {
		q.part = append(q.part, p...)
		b = q.part
	}
	n, err := q.head.Parse(b)
	if err == wire.ErrMore {
		if held == 0 {
			q.part = append(q.part, p...)
		}
		return nil, q.bounded()
	}
	if err != nil {
		return p, err
	}
	s.begin()
	q.part = q.part[:0]
	return p[n-held:], nil
}

func (q *request) bounded() error {
	if len(q.part) > mostPart {
		return errLong
	}
	return nil
}

// begin asks.
func (s *stream) begin() {
	q := &s.ask
	q.wantsTrailers = q.head.Trailers
	switch q.head.Framing() {
	case wire.None:
		q.state, q.bare = ended, true
	case wire.Sized:
		q.state, q.left, q.small = inBody, q.head.Length, q.head.Length <= smallBody
	case wire.Chunked:
		q.state = inSize
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

// takeData offers body bytes, and waits until they are taken.
func (s *stream) takeData(p []byte) (rest []byte, err error) {
	q := &s.ask
	n := int(min(int64(len(p)), q.left))
	last := n == int(q.left) && (q.state == inBody || bytes.Equal(p[n:], lastChunk) && q.trailer == nil)
	if last && q.left <= smallBody {
		q.small = true // also one that came in pieces: what is here of it is taken
	}
	if err := s.give(p[:n], last); err != nil {
		return p, err
	}
	switch q.left -= int64(n); {
	case q.left > 0:
	case last:
		q.state = ended
		return nil, nil
	default:
		q.state = behindChunk
	}
	return p[n:], nil
}

// lastChunk behind a chunk's data: the body can end with it.
var lastChunk = []byte("\r\n0\r\n\r\n")

// takeLine gives a whole line without its CRLF to f.
func (q *request) takeLine(p []byte, f func([]byte) error) (rest []byte, err error) {
	i := bytes.IndexByte(p, '\n')
	if i < 0 {
		q.part = append(q.part, p...)
		return nil, q.bounded()
	}
	line := p[:i+1]
	if len(q.part) > 0 {
		q.part = append(q.part, line...)
		line = q.part
	}
	if len(line) < 2 || line[len(line)-2] != '\r' {
		return p, errFraming
	}
	err = f(line[:len(line)-2])
	q.part = q.part[:0]
	return p[i+1:], err
}

// size takes a chunk's, which the core writes without extensions.
func (s *stream) size(line []byte) error {
	q := &s.ask
	if len(line) == 0 || len(line) > 15 {
		return errFraming
	}
	q.left = 0
	for _, c := range line {
		d := bytes.IndexByte(digits, c)
		if d < 0 {
			return errFraming
		}
		q.left = q.left<<4 | int64(d)
	}
	if q.state = inChunk; q.left == 0 {
		q.state = inTrailer
	}
	return nil
}

var digits = []byte("0123456789abcdef")

func (q *request) chunkEnd(line []byte) error {
	if len(line) > 0 {
		return errFraming
	}
	q.state = inSize
	return nil
}

func (s *stream) trailerLine(line []byte) error {
	q := &s.ask
	if len(line) == 0 {
		q.state = ended
		return s.give(nil, true)
	}
	name, value, ok := bytes.Cut(line, []byte(":"))
	if !ok {
		return errFraming
	}
	if q.trailer != nil { // x/net reads it behind the body's end, which is not given yet
		key := textproto.CanonicalMIMEHeaderKey(string(name))
		q.trailer[key] = append(q.trailer[key], string(bytes.Trim(value, " \t")))
	}
	return nil
}

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
