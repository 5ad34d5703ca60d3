package wire

// Response is a parsed answer head. All slices are borrowed from the bytes it
// was parsed from.
type Response struct {
	Head
	Status int    // 100 to 599
	Reason []byte // may be empty
}

// Parse reads one answer head from the front of b and returns how long it is.
// ErrMore: b is a good beginning. *Bad: not an answer, whatever stands behind
// it; the connection must not be used again.
func (r *Response) Parse(b []byte) (int, error) {
	r.reset()
	*r = Response{Head: r.Head}
	n, err := r.line(b)
	if err != nil {
		return 0, err
	}
	if n, err = r.fields(b, n); err != nil {
		return 0, err
	}
	r.Raw = b[:n]
	if r.Chunked && (r.lengths > 0 || r.Minor == 0) {
		return 0, badFraming
	}
	r.Upgrade = r.connUpgrade && r.upgrades == 1
	return n, nil
}

// line reads "HTTP/1.x SP 3DIGIT [SP reason] CRLF" (RFC 9112 §4). The second
// space is missing in too many answers to insist on it.
func (r *Response) line(b []byte) (int, error) {
	const want = "HTTP/1."
	for i := range want {
		if i == len(b) {
			return 0, ErrMore
		}
		if b[i] != want[i] {
			return 0, badStart
		}
	}
	if len(b) < len("HTTP/1.1 200\r") {
		return 0, ErrMore
	}
	minor, code := b[7]-'0', b[9:12]
	if minor > 1 || b[8] != ' ' || code[0] < '1' || code[0] > '5' || !digit(code[1]) || !digit(code[2]) {
		return 0, badStart
	}
	r.Minor = minor
	r.Status = int(code[0]-'0')*100 + int(code[1]-'0')*10 + int(code[2]-'0')
	i := 12
	if b[i] == ' ' {
		at := i + 1
		if i = scanText(b, at); i == len(b) {
			return 0, ErrMore
		}
		r.Reason = b[at:i]
	}
	if b[i] != '\r' {
		return 0, badStart
	}
	return lineEnd(b, i)
}

// Framing is how a body's end is known.
type Framing uint8

// The framings of RFC 9112 §6.3.
const (
	None    Framing = iota // no body
	Sized                  // Content-Length
	Chunked                // Transfer-Encoding: chunked
	ToClose                // until the connection's end; answers only
)

// Framing tells how the request's body ends.
func (q *Request) Framing() Framing {
	switch {
	case q.Head.Chunked:
		return Chunked
	case q.Length > 0:
		return Sized
	}
	return None
}

// Framing tells how the answer's body ends, given whether it answers a HEAD.
func (r *Response) Framing(head bool) Framing {
	switch {
	case head || r.Bodiless():
		return None
	case r.Chunked:
		return Chunked
	case r.Length > 0:
		return Sized
	case r.Length == 0:
		return None
	}
	return ToClose
}

// Bodiless tells whether the status forbids a body (RFC 9110 §6.4.1).
func (r *Response) Bodiless() bool {
	return r.Status < 200 || r.Status == 204 || r.Status == 304
}

// Persists tells whether the connection may carry another exchange.
func (r *Response) Persists() bool {
	return !r.Close && (r.Minor == 1 || r.KeepAlive)
}
