package proxyproto

import (
	"bytes"
	"errors"
	"net/netip"
)

// What can be wrong with a header.
var (
	ErrMore      = errors.New("PROXY header not complete")
	ErrNone      = errors.New("no PROXY header")
	ErrLong      = errors.New("PROXY header too long")
	ErrMalformed = errors.New("PROXY header malformed")
	ErrFamily    = errors.New("PROXY header for something else than a stream")
	ErrChecksum  = errors.New("PROXY header with a wrong checksum")
)

// least is what the shortest header of either version has: version 1's UNKNOWN.
const least = len("PROXY UNKNOWN\r\n")

// Parse parses the header that b begins with, and returns its length. With
// ErrMore, n is how many bytes more are part of the header for certain, at
// least one: who reads no more than those reads nothing that lies behind it.
// What h borrows from b is good as long as b is not changed. After another
// error h is not to be used.
func (h *Header) Parse(b []byte) (n int, err error) {
	*h = Header{}
	v1, v2 := begins(b, signV1), begins(b, signV2)
	switch {
	case !v1 && !v2:
		return 0, ErrNone
	case len(b) < least:
		return least - len(b), ErrMore
	case v1:
		h.Version = 1
		return h.parseV1(b)
	}
	h.Version = 2
	return h.parseV2(b)
}

// begins tells whether b is the beginning of sign, or begins with it.
func begins(b, sign []byte) bool {
	n := min(len(b), len(sign))
	return bytes.Equal(b[:n], sign[:n])
}

var (
	crlf = []byte("\r\n")

	tcp4    = []byte("TCP4 ")
	tcp6    = []byte("TCP6 ")
	unknown = []byte("UNKNOWN")
)

// parseV1 has at least the bytes of the shortest.
func (h *Header) parseV1(b []byte) (int, error) {
	rest := b[len(signV1):]
	named := bytes.HasPrefix(rest, tcp4) || bytes.HasPrefix(rest, tcp6)
	if !named && !bytes.HasPrefix(rest, unknown) {
		return 0, ErrMalformed
	}
	end := bytes.Index(b[:min(len(b), MaxV1)], crlf)
	if end < 0 {
		return missing(b, named)
	}
	line := b[len(signV1):end]
	if !named {
		if line = line[len(unknown):]; len(line) > 0 && line[0] != ' ' {
			return 0, ErrMalformed
		}
		return end + len(crlf), nil // whatever else is on it
	}
	if !h.parseLine(line[len(tcp4):], line[3] == '4') {
		return 0, ErrMalformed
	}
	return end + len(crlf), nil
}

// missing is how many bytes a line without an end has yet to come: where it
// has addresses and ports, at least a space and a digit for each.
func missing(b []byte, named bool) (int, error) {
	if len(b) >= MaxV1 {
		return 0, ErrLong
	}
	last := b[len(b)-1]
	if last == '\r' {
		return 1, ErrMore
	}
	n := len(crlf)
	if named {
		const spaces = 5
		n += 2 * max(0, spaces-bytes.Count(b, []byte(" ")))
		if last == ' ' {
			n++
		}
	}
	return min(n, MaxV1-len(b)), ErrMore
}

// parseLine takes source, destination and their ports, with one space between
// each two.
func (h *Header) parseLine(line []byte, four bool) bool {
	var words [4][]byte
	for i := range words {
		word, rest, more := bytes.Cut(line, []byte(" "))
		if more != (i < len(words)-1) {
			return false
		}
		words[i], line = word, rest
	}
	src, ok1 := parseAddr(words[0], four)
	dst, ok2 := parseAddr(words[1], four)
	from, ok3 := parsePort(words[2])
	to, ok4 := parsePort(words[3])
	h.Src, h.Dst = netip.AddrPortFrom(src, from), netip.AddrPortFrom(dst, to)
	return ok1 && ok2 && ok3 && ok4
}

func parseAddr(b []byte, four bool) (netip.Addr, bool) {
	a, err := netip.ParseAddr(string(b))
	return a.Unmap(), err == nil && a.Is4() == four && a.Zone() == ""
}

// parsePort takes a decimal number without leading zeros.
func parsePort(b []byte) (port uint16, ok bool) {
	n := 0
	for _, c := range b {
		if c < '0' || c > '9' {
			return 0, false
		}
		if n = 10*n + int(c-'0'); n > 65535 {
			return 0, false
		}
	}
	return uint16(n), len(b) > 0 && (b[0] != '0' || len(b) == 1)
}
