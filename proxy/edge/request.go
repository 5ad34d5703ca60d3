package edge

import (
	"io"

	"multiserver/proxy/wire"
)

// request gives a stream's request as HTTP/1.1's bytes: the head at once, the
// body as far as it is asked for.
//
// It judges nothing: the head has been, where it was made, and what its fields
// mean is for the core.
type request struct {
	from body
	form form
	left int64 // of a sized body

	buf     []byte // the head, later what is left of a chunk
	pending []byte // of buf: what is read next
	eof     bool   // the body's end has been read
}

// body is where a body's bytes come from.
type body interface {
	io.Reader
	appendTrailers(dst []byte) []byte // whole lines; complete once Read has given io.EOF
}

// form is how a body's end is told to the core.
type form uint8

const (
	sized form = iota
	chunked
	raw // a tunnel's: by the end of all
)

// begin: buf holds the head but for its empty line; n is a sized body's length.
func (q *request) begin(from body, f form, n int64) {
	q.buf = append(q.buf, "\r\n"...)
	q.from, q.form, q.left, q.pending = from, f, n, q.buf
	q.eof = f == sized && n == 0
}

// means tells whether a request without a body says something by that (RFC
// 9110 §8.6): HTTP/2 has no need to, but some HTTP/1.1 servers answer 411.
func means(method string) bool {
	return method == "POST" || method == "PUT" || method == "PATCH"
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
		if q.form != chunked {
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
		n, err = q.from.Read(p)
	}
	if q.form == sized {
		q.left -= int64(n)
		q.eof = q.left <= 0
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
		q.pending = appendEnd(q.buf[:0], q.from)
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
func appendEnd(dst []byte, from body) []byte {
	dst = from.appendTrailers(append(dst, "0\r\n"...))
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
