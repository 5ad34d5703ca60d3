package route

import (
	"bytes"
	"net/netip"
	"sync"

	"multiserver/proxy/wire"
)

// maxHost is the longest that wire lets through, port included.
const maxHost = 255 + 6

// appendHost appends the host in the spelling of the table: in lower case, without
// port, the dot of a fully qualified name and percent-encoding.
func appendHost(dst, host []byte) []byte {
	if i := bytes.LastIndexByte(host, ':'); i >= 0 && bytes.IndexByte(host[i:], ']') < 0 {
		host = host[:i]
	}
	switch {
	case len(host) > maxHost:
		return dst // not from wire
	case len(host) > 2 && host[0] == '[':
		return appendIPv6(dst, host[1:len(host)-1])
	}
	for i := 0; i < len(host); {
		var c byte
		if c, i = decoded(host, i); c >= 'A' && c <= 'Z' {
			c |= 0x20
		}
		dst = append(dst, c)
	}
	if n := len(dst); n > 1 && dst[n-1] == '.' {
		dst = dst[:n-1]
	}
	return dst
}

// appendIPv6 knows [0::1] for [::1]. It may allocate; nobody comes so often.
func appendIPv6(dst, host []byte) []byte {
	ip, err := netip.ParseAddr(string(host))
	if err != nil {
		return dst // not from wire
	}
	return append(ip.AppendTo(append(dst, '[')), ']')
}

// decoded is the byte that stands at b[i], perhaps percent-encoded, and where
// the next one stands. A % without two digits is itself.
func decoded(b []byte, i int) (byte, int) {
	if b[i] == '%' && i+2 < len(b) {
		if hi, lo := hex(b[i+1]), hex(b[i+2]); hi < 16 && lo < 16 {
			return hi<<4 | lo, i + 3
		}
	}
	return b[i], i + 1
}

// hex is the value of a hexadecimal digit, 16 of any other byte.
func hex(c byte) byte {
	switch {
	case c >= '0' && c <= '9':
		return c - '0'
	case c|0x20 >= 'a' && c|0x20 <= 'f':
		return c | 0x20 - 'a' + 10
	}
	return 16
}

// plain tells whether a path has one reading only, the one it is sent in.
func plain(path []byte) bool {
	for i, c := range path {
		switch c {
		case '%', '\\', ';':
			return false
		case '/':
			if i+1 < len(path) && (path[i+1] == '/' || path[i+1] == '.') {
				return false
			}
		}
	}
	return true
}

// reading is a way to read a path that origins are known for.
type reading struct {
	dots    bool // . and .. are resolved
	lenient bool // slashes may be encoded, backslashes, or several; parameters of segments do not count
}

var readings = [...]reading{{}, {dots: true}, {dots: true, lenient: true}}

// buffers hold readings; what a regular expression is run on escapes to the heap.
var buffers = sync.Pool{New: func() any { return new([]byte) }}

// compare wants all readings to lead to the same rule.
func (t *Table) compare(host, path []byte, q *wire.Request) int {
	buf := buffers.Get().(*[]byte)
	defer buffers.Put(buf)
	found := None
	for i, r := range readings {
		*buf = r.append((*buf)[:0], path)
		switch n := t.find(host, *buf, q); {
		case i == 0:
			found = n
		case n != found:
			return Unclear
		}
	}
	return found
}

// append appends the path as it is read.
func (r reading) append(dst, path []byte) []byte {
	at := len(dst)
	for i := 0; i < len(path); {
		c, next := decoded(path, i)
		switch {
		case c == '\\' && r.lenient:
			dst = append(dst, '/')
		case next > i+1 && (c == '/' || c == '\\') && !r.lenient:
			dst = append(dst, path[i], path[i+1], path[i+2]&^0x20) // %2F, %5C: no slash for who does not decode it
		default:
			dst = append(dst, c)
		}
		i = next
	}
	if !r.dots {
		return dst
	}
	return dst[:at+r.resolve(dst[at:])]
}

// resolve removes dot segments in place (RFC 3986 §5.2.4), and with lenient
// empty ones and parameters. It returns how long the path is then; one that
// begins with a slash still does.
func (r reading) resolve(path []byte) int {
	if len(path) == 0 || path[0] != '/' {
		return len(path)
	}
	w := 0
	for at := 0; at < len(path); {
		end := len(path)
		if i := bytes.IndexByte(path[at+1:], '/'); i >= 0 {
			end = at + 1 + i
		}
		segment := path[at+1 : end]
		if i := bytes.IndexByte(segment, ';'); i >= 0 && r.lenient {
			segment = segment[:i]
		}
		last := end == len(path)
		keep := false
		switch string(segment) {
		case ".":
		case "..":
			w = max(bytes.LastIndexByte(path[:w], '/'), 0)
		case "":
			keep = !r.lenient
		default:
			keep = true
		}
		if keep {
			path[w] = '/'
			w += 1 + copy(path[w+1:], segment)
		} else if last {
			path[w] = '/' // what a dot segment at the end leaves
			w++
		}
		at = end
	}
	return w
}
