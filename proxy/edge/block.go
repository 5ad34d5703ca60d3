package edge

import (
	"crypto/rand"
	"encoding/base64"

	"golang.org/x/net/http2/hpack"

	"multiserver/proxy/wire"
)

// block turns the fields of a header block, one by one, into a request's head
// in HTTP/1.1's bytes, or into its trailers. It is the gate: a name here is a
// lower-case token, a value has no control, so that what is one line here is
// one line for the core, and what RFC 9113 calls malformed goes no further.
type block struct {
	head     []byte // request line and fields, without the empty line; or trailers
	most     int    // bytes of head; behind more nothing is looked at, and the core refuses it for its length
	trailers bool
	bad      bool // malformed
	begun    bool // the request line stands

	method, scheme, path, authority, protocol string

	seen   pseudo
	cookie []byte // its lines as one (RFC 9113 §8.2.3)
	length int64  // Content-Length; -1: none
	hosted bool
	fields int
}

// pseudo is a set of pseudo-header fields.
type pseudo uint8

const (
	hasMethod pseudo = 1 << iota
	hasScheme
	hasPath
	hasAuthority
	hasProtocol

	ofRequest = hasMethod | hasScheme | hasPath
)

// few fields are no lines.
const few = 8

func (b *block) begin(trailers bool) {
	*b = block{head: b.head[:0], cookie: b.cookie[:0], most: b.most, trailers: trailers, length: -1}
}

// field takes the next one.
func (b *block) field(f hpack.HeaderField) {
	b.fields++
	switch {
	case b.bad, b.fields > mostFields+few, len(b.head)+len(b.cookie) > b.most:
	case len(f.Name) > 0 && f.Name[0] == ':':
		b.bad = b.trailers || b.begun || !b.pseudo(f.Name, f.Value)
	case !validName(f.Name) || !validValue(f.Value):
		b.bad = true
	case b.trailers:
		b.bad = ofConnection(f.Name, f.Value)
		b.line(f.Name, f.Value)
	default:
		if !b.begun {
			b.open()
		}
		b.regular(f.Name, f.Value)
	}
}

// pseudo tells whether the field may be there, once (RFC 9113 §8.3.1).
func (b *block) pseudo(name, value string) bool {
	var which pseudo
	switch name {
	case ":method":
		which, b.method = hasMethod, value
	case ":scheme":
		which, b.scheme = hasScheme, value
	case ":path":
		which, b.path = hasPath, value
	case ":authority":
		which, b.authority = hasAuthority, value
	case ":protocol":
		which, b.protocol = hasProtocol, value
	default:
		return false
	}
	had := b.seen
	b.seen |= which
	return had&which == 0
}

// connect tells whether the method is CONNECT, in whichever form.
func (b *block) connect() bool { return b.method == "CONNECT" }

// tunnels tells whether it is the one of RFC 8441.
func (b *block) tunnels() bool { return b.seen&hasProtocol != 0 }

// open writes the request line and the Host field.
func (b *block) open() {
	b.begun = true
	target := b.path
	switch {
	case b.seen&hasMethod == 0 || !validToken(b.method):
		b.bad = true
	case b.connect() && !b.tunnels():
		target = b.authority
		b.bad = b.seen != hasMethod|hasAuthority
	default:
		b.bad = b.seen&ofRequest != ofRequest || b.tunnels() && !b.connect() ||
			b.scheme != "http" && b.scheme != "https" || !b.originForm()
	}
	if b.bad = b.bad || !validTarget(target) || !validTarget(b.authority) && b.authority != ""; b.bad {
		return
	}
	method := b.method
	if b.tunnels() {
		method = "GET"
	}
	b.head = append(append(b.head, method...), ' ')
	b.head = append(append(b.head, target...), " HTTP/1.1\r\n"...)
	if b.authority != "" {
		b.head = appendField(b.head, "Host", b.authority)
	}
	if b.tunnels() {
		b.head = appendHandshake(b.head, b.protocol)
	}
}

// originForm tells whether the path is one, or the asterisk of OPTIONS.
func (b *block) originForm() bool {
	return b.path != "" && b.path[0] == '/' || b.path == "*" && b.method == "OPTIONS"
}

// appendHandshake makes of RFC 8441's CONNECT what WebSocket is in HTTP/1.1;
// that the answer fits the key, the core finds out.
func appendHandshake(dst []byte, protocol string) []byte {
	var key [16]byte
	_, _ = rand.Read(key[:])
	dst = appendField(append(dst, "Connection: Upgrade\r\n"...), "Upgrade", protocol)
	dst = base64.StdEncoding.AppendEncode(append(dst, "Sec-WebSocket-Key: "...), key[:])
	return append(dst, "\r\n"...)
}

// regular takes a field of the head.
func (b *block) regular(name, value string) {
	switch name {
	case "host":
		b.bad = b.hosted || b.authority != "" && b.authority != value
		b.hosted = true
		if b.authority != "" {
			return
		}
	case "cookie":
		if len(b.cookie) > 0 {
			b.cookie = append(b.cookie, "; "...)
		}
		b.cookie = append(b.cookie, value...)
		return
	case "content-length":
		n, ok := parseLength(value)
		b.bad = !ok || b.length >= 0
		b.length = n
	case "http2-settings":
		return
	case "sec-websocket-key":
		if b.tunnels() { // it has no meaning there (RFC 8441 §5)
			return
		}
	default:
		b.bad = ofConnection(name, value)
	}
	b.line(name, value)
}

func (b *block) line(name, value string) {
	b.head = append(appendName(b.head, name), ": "...)
	b.head = append(append(b.head, value...), "\r\n"...)
}

// appendName spells a name as HTTP/1.1's clients do: there are servers that
// know no other spelling.
func appendName(dst []byte, lower string) []byte {
	first := true
	for i := range len(lower) {
		c := lower[i]
		if first && c >= 'a' && c <= 'z' {
			c -= 'a' - 'A'
		}
		first = c == '-'
		dst = append(dst, c)
	}
	return dst
}

// end is called behind the last field, and tells whether all was well.
func (b *block) end() bool {
	if !b.trailers && !b.begun && !b.bad {
		b.open()
	}
	if len(b.cookie) > 0 && !b.bad {
		b.head = append(append(append(b.head, "Cookie: "...), b.cookie...), "\r\n"...)
	}
	return !b.bad
}

// release gives up what an unusual head has grown.
func (b *block) release() {
	if cap(b.head) > wire.SmallBuffer {
		b.head = nil
	}
	if cap(b.cookie) > wire.SmallBuffer {
		b.cookie = nil
	}
}

// ofConnection tells whether the field speaks for a connection of HTTP/1.1
// (RFC 9113 §8.2.2): what a proxy would act on must not come from in here.
func ofConnection(name, value string) bool {
	switch name {
	case "connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade":
		return true
	case "te":
		return value != "trailers"
	}
	return false
}

func parseLength(v string) (n int64, ok bool) {
	if len(v) == 0 || len(v) > 18 {
		return 0, false
	}
	for i := range len(v) {
		if v[i] < '0' || v[i] > '9' {
			return 0, false
		}
		n = n*10 + int64(v[i]-'0')
	}
	return n, true
}
