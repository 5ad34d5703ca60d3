package edge

import (
	"io"
	"net/http"
	"strings"

	"multiserver/proxy/wire"
)

// request gives a stream's request as HTTP/1.1's bytes: the head at once, the
// body as far as it is asked for.
//
// It judges nothing: what a field's value says about the body goes to the core
// as it came, and is refused there if it contradicts itself. x/net lets no CR,
// LF or NUL into a value and nothing but lower-case tokens into a name (RFC
// 9113 §8.2.1), so that what is one line here is one line for the core.
type request struct {
	from *http.Request // its Trailer is filled in before its Body's EOF

	buf     []byte // the head, later what is left of a chunk
	pending []byte // of buf: what is read next
	chunked bool
	eof     bool // the body's end has been read
}

func (q *request) begin(r *http.Request) {
	*q = request{from: r, buf: q.buf[:0]}
	_, sized := r.Header["Content-Length"]
	q.chunked = r.ContentLength != 0 && !sized
	q.eof = r.ContentLength == 0
	q.buf = q.appendHead(q.buf, r)
	if !sized && q.eof && means(r.Method) {
		q.buf = append(q.buf, "Content-Length: 0\r\n"...)
	}
	q.buf = append(q.buf, "\r\n"...)
	q.pending = q.buf
}

// means tells whether a request without a body says something by that (RFC
// 9110 §8.6): HTTP/2 has no need to, but some HTTP/1.1 servers answer 411.
func means(method string) bool {
	return method == http.MethodPost || method == http.MethodPut || method == http.MethodPatch
}

// Field lines are written in the order of a map: x/net keeps that of lines
// with the same name only, and no other has a meaning (RFC 9110 §5.3).
func (q *request) appendHead(dst []byte, r *http.Request) []byte {
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
	if q.chunked {
		dst = appendField(dst, "Transfer-Encoding", "chunked")
		for name := range r.Trailer {
			dst = appendField(dst, "Trailer", name)
		}
	}
	return dst
}

// passes is a second lock behind x/net's, which refuses requests with fields
// of this kind: they would speak for a connection of HTTP/1.1 that is ours.
func passes(name string) bool {
	switch name {
	case "Host", "Connection", "Keep-Alive", "Proxy-Connection", "Transfer-Encoding", "Upgrade", "Http2-Settings":
		return false
	}
	return name[0] != ':'
}

func appendField(dst []byte, name, value string) []byte {
	dst = append(append(dst, name...), ": "...)
	return append(append(dst, value...), "\r\n"...)
}

// read gives the next bytes.
func (q *request) read(p []byte) (n int, err error) {
	if len(q.pending) == 0 {
		if q.eof {
			return 0, io.EOF
		}
		if !q.chunked {
			return q.take(p)
		}
		if len(p) >= roomy {
			return q.chunk(p)
		}
		if err := q.smallChunk(); err != nil {
			return 0, err
		}
	}
	n = copy(p, q.pending)
	q.pending = q.pending[n:]
	return n, nil
}

// take reads body bytes as they are.
func (q *request) take(p []byte) (n int, err error) {
	for n == 0 && err == nil { // quic-go does that where trailers begin
		n, err = q.from.Body.Read(p)
	}
	if err == io.EOF {
		q.eof = true
		if n > 0 {
			err = nil
		}
	}
	return n, err
}

// A chunk's size has always as many digits, so that the data can be read to
// where it is to stand.
const (
	sizeLine = len("00000000\r\n")
	framing  = sizeLine + len("\r\n")
	roomy    = framing + 256
	mostData = 1 << 20 // at once; 8 digits hold more
)

// chunk reads the next piece of the body as a chunk into p; behind the last
// one it leaves the body's end pending.
func (q *request) chunk(p []byte) (int, error) {
	data := p[sizeLine:min(len(p)-2, mostData)]
	n, err := q.take(data)
	if q.eof {
		q.pending = appendEnd(q.buf[:0], q.from.Trailer)
		q.buf = q.pending
	}
	if n > 0 {
		putSize(p, n)
		copy(data[n:n+2], "\r\n")
		return framing + n, nil
	}
	if !q.eof {
		return 0, err
	}
	n = copy(p, q.pending)
	q.pending = q.pending[n:]
	return n, nil
}

// smallChunk makes a chunk pending, for a reader without the room for one.
func (q *request) smallChunk() error {
	var p [roomy]byte
	n, err := q.chunk(p[:])
	if err != nil {
		return err
	}
	rest := append(p[:n:n], q.pending...)
	q.buf = append(q.buf[:0], rest...)
	q.pending = q.buf
	return nil
}

func putSize(p []byte, n int) {
	const digits = "0123456789abcdef"
	for i := sizeLine - 3; i >= 0; i-- {
		p[i] = digits[n&15]
		n >>= 4
	}
	p[sizeLine-2], p[sizeLine-1] = '\r', '\n'
}

// appendEnd appends the last chunk and the trailers that came.
func appendEnd(dst []byte, trailer http.Header) []byte {
	dst = append(dst, "0\r\n"...)
	for name, values := range trailer {
		for _, v := range values {
			dst = appendField(dst, name, strings.Trim(v, " \t"))
		}
	}
	return append(dst, "\r\n"...)
}

// ended tells whether the core has read all of the request: else the lane
// holds bytes of a stream that is over.
func (q *request) ended() bool { return q.eof && len(q.pending) == 0 }

// end lets go of the stream's.
func (q *request) end() {
	q.from, q.pending = nil, nil
	if cap(q.buf) > wire.SmallBuffer {
		q.buf = nil
	}
}
