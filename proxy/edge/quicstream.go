package edge

import (
	"net/http"
	"net/textproto"
	"strings"
	"time"

	"multiserver/proxy/wire"
)

// quicStream is a stream of HTTP/3, as quic-go gives it to a handler.
type quicStream struct {
	w quicWriter
	r *http.Request // its Trailer is filled in before its Body's EOF

	isHead bool
	ready  bool // to be flushed
}

// quicWriter is quic-go's ResponseWriter.
type quicWriter interface {
	http.ResponseWriter
	http.Flusher
	SetReadDeadline(time.Time) error
	SetWriteDeadline(time.Time) error
}

// serve serves a stream, in the goroutine that quic-go has for it. A panic is
// how that is told to reset it.
func (c *lanes) serve(w quicWriter, r *http.Request) {
	l := c.take()
	if l == nil {
		panic(http.ErrAbortHandler)
	}
	s := &quicStream{w: w, r: r, isHead: r.Method == http.MethodHead}
	l.ask.beginOf(s)
	l.answer.begin(s, s.isHead, false)
	whole, fit := l.serve(s)
	c.give(l, fit)
	if !whole {
		panic(http.ErrAbortHandler)
	}
}

// beginOf makes the request in s what is read next.
func (q *request) beginOf(s *quicStream) {
	r := s.r
	_, told := r.Header["Content-Length"]
	f, n := sized, r.ContentLength
	if n != 0 && !told {
		f = chunked
	}
	q.buf = appendHead(q.buf[:0], r, f)
	if !told && n == 0 && means(r.Method) {
		q.buf = append(q.buf, "Content-Length: 0\r\n"...)
	}
	q.begin(s, f, n)
}

// Field lines are written in the order of a map: it keeps that of lines with
// the same name only, and no other has a meaning (RFC 9110 §5.3).
func appendHead(dst []byte, r *http.Request, f form) []byte {
	dst = append(append(dst, r.Method...), ' ')
	dst = append(append(dst, r.RequestURI...), " HTTP/1.1\r\n"...)
	if r.Host != "" {
		dst = appendField(dst, "Host", r.Host)
	}
	for name, values := range r.Header {
		if !passes(name) {
			continue
		}
		for _, v := range values {
			dst = appendField(dst, name, v)
		}
	}
	if f != chunked {
		return dst
	}
	dst = append(dst, "Transfer-Encoding: chunked\r\n"...)
	for name := range r.Trailer {
		dst = appendField(dst, "Trailer", name)
	}
	return dst
}

// passes is a second lock behind quic-go's, which refuses requests with fields
// of this kind: they would speak for a connection of HTTP/1.1 that is ours.
func passes(name string) bool {
	switch name {
	case "Host", "Connection", "Keep-Alive", "Proxy-Connection", "Transfer-Encoding", "Upgrade", "Http2-Settings":
		return false
	}
	return name[0] != ':'
}

func (s *quicStream) Read(p []byte) (int, error) { return s.r.Body.Read(p) }

func (s *quicStream) appendTrailers(dst []byte) []byte {
	for name, values := range s.r.Trailer {
		for _, v := range values {
			dst = appendField(dst, name, strings.Trim(v, " \t"))
		}
	}
	return dst
}

// head: quic-go looks at its Header not before something is flushed.
func (s *quicStream) head(r *wire.Response, f wire.Framing, end bool) error {
	s.putFields(r, f)
	s.w.WriteHeader(r.Status)
	s.ready = r.Status >= 200
	switch {
	case r.Status < 200:
		clear(s.w.Header())
	case f == wire.Chunked: // what was sent as the head is no trailer
		s.w.Flush()
		clear(s.w.Header())
	case s.isHead && end:
		s.w.Flush() // or it would say that there is no content, where we have said nothing
	}
	return nil
}

// putFields: one copy of the head holds all values.
func (s *quicStream) putFields(r *wire.Response, framing wire.Framing) {
	h := s.w.Header()
	text := string(r.Raw)
	values := make([]string, len(r.Fields))
	for i := range r.Fields {
		f := &r.Fields[i]
		if f.Kind.Hop() && (f.Kind != wire.Trailer || framing != wire.Chunked) {
			continue
		}
		name := textproto.CanonicalMIMEHeaderKey(text[f.At:f.Colon])
		if had := h[name]; had != nil {
			h[name] = append(had, text[f.From:f.To])
			continue
		}
		values[i] = text[f.From:f.To]
		h[name] = values[i : i+1 : i+1]
	}
	if _, ok := h["Content-Type"]; !ok {
		h["Content-Type"] = nil // or one would be guessed
	}
}

func (s *quicStream) send(p []byte, _ bool) error {
	_, err := s.w.Write(p)
	return err
}

func (s *quicStream) trailer(name, value []byte) {
	s.w.Header().Add(http.TrailerPrefix+string(name), string(value))
}

func (s *quicStream) last() error { return nil } // the handler's return says so

// flush: the stream's end is flushed with it.
func (s *quicStream) flush(ended bool) {
	if s.ready && !ended {
		s.w.Flush()
	}
}

func (s *quicStream) left() bool { return s.r.Context().Err() != nil }

// whole: quic-go tells of an end only who reads to it.
func (s *quicStream) whole() bool { return false }

// readBy: a body that is broken stays so.
func (s *quicStream) readBy(t time.Time) {
	if !t.IsZero() {
		_ = s.w.SetReadDeadline(t)
	}
}

var ago = time.Unix(1, 0)

func (s *quicStream) breakWrite() { _ = s.w.SetWriteDeadline(ago) }
