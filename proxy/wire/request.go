package wire

import "bytes"

// Request is a parsed request head. All slices are borrowed from the bytes it
// was parsed from.
type Request struct {
	Head
	Method []byte
	Target []byte // as sent; never decoded or normalised
	Path   []byte // Target in origin-form, or "*", or "?…" where "/?…" is meant: what goes to the upstream
	Host   []byte // of an absolute target, else of the Host field; nil only under HTTP/1.0

	Absolute bool // Target was in absolute-form
	Continue bool // Expect: 100-continue, and the client speaks HTTP/1.1
}

// Parse reads one request head from the front of b and returns how long it
// is. ErrMore: b is a good beginning. *Bad: no request, answer its Status and
// close, for nobody can say where the next one would begin.
//
// Fast path: one pass, one table look-up a byte. It is also the gate: nothing
// behind it sees a request that RFC 9112 leaves open to a second reading.
func (q *Request) Parse(b []byte) (int, error) {
	q.reset()
	*q = Request{Head: q.Head}
	i := 0
	for i < len(b) && b[i] == '\r' { // RFC 9112 §2.2: empty lines before a request are ignored
		n, err := lineEnd(b, i)
		if err != nil {
			return 0, err
		}
		if i = n; i > 8 {
			return 0, badLine
		}
	}
	n, err := q.line(b, i)
	if err != nil {
		return 0, err
	}
	if n, err = q.fields(b, n); err != nil {
		return 0, err
	}
	q.Raw = b[:n]
	if err := q.frame(); err != nil {
		return 0, err
	}
	return n, q.authority()
}

// line reads the request line: method SP target SP version CRLF, with exactly
// one space each (RFC 9112 §3).
func (q *Request) line(b []byte, i int) (int, error) {
	at := i
	i = scan(b, i, isToken)
	if i == len(b) {
		return 0, ErrMore
	}
	if i == at || b[i] != ' ' {
		return 0, badMethod
	}
	q.Method = b[at:i]
	i++
	at = i
	i = scan(b, i, isTarget)
	if i == len(b) {
		return 0, ErrMore
	}
	if i == at || b[i] != ' ' {
		return 0, badTarget
	}
	q.Target = b[at:i]
	return q.version(b, i+1)
}

// version reads "HTTP/1.0" or "HTTP/1.1" and the line's end.
func (q *Request) version(b []byte, i int) (int, error) {
	const want = "HTTP/1."
	rest := b[i:]
	if len(rest) < len(want)+3 {
		if bytes.IndexByte(rest, '\n') >= 0 {
			return 0, badLine
		}
		return 0, ErrMore
	}
	if string(rest[:5]) != want[:5] || !digit(rest[5]) || rest[6] != '.' || !digit(rest[7]) {
		return 0, badLine
	}
	if rest[5] != '1' || rest[7] > '1' {
		return 0, badVersion
	}
	q.Minor = rest[7] - '0'
	return lineEnd(b, i+8)
}

func digit(c byte) bool { return c >= '0' && c <= '9' }

// frame decides how long the body is, or refuses (RFC 9112 §6). A message with
// two framings, or one that a peer might read otherwise, is an attack.
func (q *Request) frame() error {
	switch {
	case q.lengths > 1:
		return badLengths
	case q.Chunked && q.lengths > 0:
		return badFraming
	case q.Chunked && q.Minor == 0:
		return badCoding
	case q.hosts > 1, q.hosts == 0 && q.Minor == 1:
		return badHost
	}
	q.Upgrade = q.connUpgrade && q.upgrades == 1 && q.Minor == 1
	if v := q.Find(Expect); v != nil && q.Minor == 1 {
		if !EqualFold(v, "100-continue") {
			return badExpect
		}
		q.Continue = true
	}
	return nil
}

// authority settles Path and Host from the target's form (RFC 9112 §3.2). The
// authority of an absolute target replaces the Host field, so that the two
// cannot disagree behind us.
func (q *Request) authority() error {
	if q.hosts == 1 {
		q.Host = q.Find(Host)
		if !validHost(q.Host) {
			return badHost
		}
	}
	switch {
	case q.Target[0] == '/':
		q.Path = q.Target
		return nil
	case len(q.Target) == 1 && q.Target[0] == '*':
		if string(q.Method) != "OPTIONS" {
			return badTarget
		}
		q.Path = q.Target
		return nil
	case string(q.Method) == "CONNECT":
		return nil // authority-form; never forwarded
	}
	return q.absolute()
}

var (
	slash = []byte("/")
	star  = []byte("*")
)

func (q *Request) absolute() error {
	t := q.Target
	i := bytes.IndexByte(t, ':')
	if i < 0 || len(t) < i+3 || t[i+1] != '/' || t[i+2] != '/' ||
		!EqualFold(t[:i], "http") && !EqualFold(t[:i], "https") {
		return badTarget
	}
	host := t[i+3:]
	path := slash
	if end := bytes.IndexAny(host, "/?"); end >= 0 {
		host, path = host[:end], host[end:]
	} else if string(q.Method) == "OPTIONS" {
		path = star // RFC 9112 §3.2.4
	}
	if !validHost(host) {
		return badTarget
	}
	q.Absolute, q.Host, q.Path = true, host, path
	return nil
}
