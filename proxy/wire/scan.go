package wire

import "bytes"

// Scan looks for the end of a head that comes in pieces, each byte once. The
// zero value is ready.
type Scan struct {
	at   int // looked at so far
	line int // where the present line began
}

// Whole tells whether it is worth parsing b, of which more and more is given:
// there is an empty line, or a line end that no head has.
func (s *Scan) Whole(b []byte) bool {
	for {
		i := bytes.IndexByte(b[s.at:], '\n')
		if i < 0 {
			s.at = len(b)
			return false
		}
		i += s.at
		if i == 0 || b[i-1] != '\r' || i-1 == s.line && !blank(b[:i-1]) {
			return true
		}
		s.at, s.line = i+1, i+1
	}
}

// blank tells whether b is nothing but empty lines, which may stand before a
// request.
func blank(b []byte) bool { return len(bytes.Trim(b, "\r\n")) == 0 }

// HeadLimit is the error for a head of more than limit bytes, of which b is
// the front: 414 if the request line alone fills it, else 431 (RFC 9110
// §15.5.15, RFC 6585 §5).
func HeadLimit(b []byte, limit int) error {
	if nl := bytes.IndexByte(b, '\n'); nl < 0 || nl >= limit {
		return longLine
	}
	return longHead
}
