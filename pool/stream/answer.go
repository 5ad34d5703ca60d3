package stream

import (
	"errors"
	"io"
	"net/http"
	"net/textproto"
	"strconv"
	"strings"
	"sync/atomic"
)

// answer gives a stream's answer as HTTP/1.1's bytes. It judges nothing: the
// core reads them as strictly as those of any upstream.
type answer struct {
	res     *http.Response
	chunked bool
	left    int64       // of a body of known length
	pending []byte      // the end of a chunked body, as far as there was no room for it
	mute    bool        // there is no body, whatever the upstream sends
	over    bool        // nothing comes any more
	given   atomic.Bool // all has been given, but for the stream's end
}

// mostInterim bounds 1xx answers that nobody reads, in bytes.
const mostInterim = 64 << 10

var errInterim = errors.New("more 1xx answers than anybody reads")

// interim is called by the goroutine that reads the connection.
func (s *stream) interim(status int, h textproto.MIMEHeader) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.out)-s.read > mostInterim {
		return errInterim
	}
	if s.closed {
		return nil
	}
	s.out = append(appendFields(appendStatus(s.room(), status), http.Header(h)), "\r\n"...)
	s.news.Broadcast()
	return nil
}

// begin appends the head. A length that the upstream gave is passed on, unless
// trailers are wanted and may come: HTTP/1.1 has them behind chunks only.
func (a *answer) begin(dst []byte, res *http.Response, wantsTrailers bool) []byte {
	a.res, a.left = res, res.ContentLength
	dst = appendFields(appendStatus(dst, res.StatusCode), res.Header)
	bodiless := res.Request.Method == http.MethodHead || res.StatusCode == http.StatusNoContent || res.StatusCode == http.StatusNotModified
	switch {
	case bodiless:
		if v := res.Header["Content-Length"]; len(v) > 0 {
			dst = appendField(dst, "Content-Length", v[0])
		}
		a.left, a.mute = 0, true
	case a.left == 0, a.left > 0 && !(wantsTrailers && mayTrail(res)):
		dst = strconv.AppendInt(append(dst, "Content-Length: "...), a.left, 10)
		dst = append(dst, "\r\n"...)
	default:
		a.chunked = true
		dst = append(dst, "Transfer-Encoding: chunked\r\n"...)
		for name := range res.Trailer {
			dst = appendField(dst, "Trailer", name)
		}
	}
	a.given.Store(!a.chunked && a.left == 0)
	return append(dst, "\r\n"...)
}

// mayTrail tells whether an answer of known length may have trailers.
func mayTrail(res *http.Response) bool {
	return len(res.Trailer) > 0 || strings.HasPrefix(res.Header.Get("Content-Type"), "application/grpc")
}

func appendStatus(dst []byte, status int) []byte {
	dst = strconv.AppendInt(append(dst, "HTTP/1.1 "...), int64(status), 10)
	return append(append(append(dst, ' '), http.StatusText(status)...), "\r\n"...)
}

// appendFields leaves out what is said anew, and, behind x/net, what would
// speak for a connection of HTTP/1.1.
func appendFields(dst []byte, h http.Header) []byte {
	for name, values := range h {
		switch name {
		case "Content-Length", "Connection", "Keep-Alive", "Proxy-Connection", "Transfer-Encoding", "Upgrade", "Trailer":
			continue
		}
		for _, v := range values {
			dst = appendField(dst, name, v)
		}
	}
	return dst
}

func appendField(dst []byte, name, value string) []byte {
	dst = append(append(dst, name...), ": "...)
	return append(append(dst, value...), "\r\n"...)
}

// A chunk's size has always as many digits, so that the data can be read to
// where it is to stand.
const (
	sizeLine = len("00000000\r\n")
	framing  = sizeLine + len("\r\n")
	roomy    = framing + 256
	mostData = 1 << 20 // at once; 8 digits hold more
)

// read gives the next bytes. Behind the last one of a known length it waits for
// the stream's end.
func (a *answer) read(p []byte) (n int, err error) {
	switch {
	case len(a.pending) > 0:
		n = copy(p, a.pending)
		a.pending = a.pending[n:]
		return n, nil
	case a.over, a.mute:
		return 0, io.EOF
	case a.chunked && len(p) < roomy:
		return a.smallChunk(p)
	case a.chunked:
		return a.chunk(p)
	}
	n, err = a.res.Body.Read(p)
	if a.left -= int64(n); a.left <= 0 {
		a.given.Store(true)
	}
	if err == io.EOF {
		a.over = true
		err = nil
		if n == 0 && a.left > 0 {
			err = io.ErrUnexpectedEOF
		}
	}
	return n, err
}

// chunk reads the next piece of the body as a chunk into p; behind the last
// one it goes on with the body's end.
func (a *answer) chunk(p []byte) (int, error) {
	data := p[sizeLine:min(len(p)-2, mostData)]
	n, err := a.res.Body.Read(data)
	if n > 0 {
		putSize(p, n)
		copy(data[n:n+2], "\r\n")
		n += framing
	}
	if err != io.EOF {
		return n, err
	}
	a.over = true
	a.given.Store(true)
	a.pending = appendEnd(nil, a.res.Trailer)
	k := copy(p[n:], a.pending)
	a.pending = a.pending[k:]
	return n + k, nil
}

// smallChunk is for a reader without the room for one.
func (a *answer) smallChunk(p []byte) (int, error) {
	var b [roomy]byte
	n, err := a.chunk(b[:])
	a.pending = append(b[:n:n], a.pending...)
	if n == 0 {
		return 0, err
	}
	n = copy(p, a.pending)
	a.pending = a.pending[n:]
	return n, nil // an error comes again
}

func putSize(p []byte, n int) {
	for i := sizeLine - 3; i >= 0; i-- {
		p[i] = "0123456789abcdef"[n&15]
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

// finish waits for the stream's end behind an answer that was whole, or gives
// up what is still to come of one that was not.
func (a *answer) finish() {
	if a.res == nil {
		return
	}
	if a.given.Load() {
		var b [1]byte
		if n, err := a.res.Body.Read(b[:]); n == 0 && err == io.EOF {
			return
		}
	}
	_ = a.res.Body.Close()
}
