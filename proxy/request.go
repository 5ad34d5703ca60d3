package proxy

import (
	"math/rand/v2"
	"strconv"

	"multiserver/pool"
	"multiserver/proxy/wire"
)

var (
	crlf        = []byte("\r\n")
	hostField   = []byte("Host: ")
	assertHost  = []byte("X-Forwarded-Host: ")
	idField     = []byte("X-Request-Id: ")
	teField     = []byte("TE: trailers\r\nConnection: TE\r\n")
	wsField     = []byte("Connection: Upgrade\r\nUpgrade: websocket\r\n")
	chunkField  = []byte("Transfer-Encoding: chunked\r\n")
	expectField = []byte("Expect: 100-continue\r\n")
	viaField    = []byte("Via: 1.1 multiserver\r\n")
	via10Field  = []byte("Via: 1.0 multiserver\r\n")
)

// Body is the request's body if it is buffered.
func (x *Exchange) Body() []byte { return x.body }

// AppendHead appends the head that goes to the upstream: the client's, line by
// line as it came, less what concerns only its connection, with our own
// version and framing and what we know of the client.
func (x *Exchange) AppendHead(dst []byte, u *pool.Upstream) []byte {
	if x.ask.any() {
		x.dressed = x.appendHead(x.dressed[:0], u)
		return x.ask.append(dst, x.dressed)
	}
	return x.appendHead(dst, u) // fast path
}

func (x *Exchange) appendHead(dst []byte, u *pool.Upstream) []byte {
	q, path := &x.Req, x.Path()
	dst = append(append(dst, q.Method...), ' ')
	if path[0] == '?' {
		dst = append(dst, '/')
	}
	dst = append(append(dst, path...), " HTTP/1.1\r\n"...)
	if q.Absolute || q.Host == nil {
		dst = appendHost(dst, q.Host, u.Host())
	}
	dst = x.appendFields(dst)
	switch {
	case x.switching:
		dst = x.appendSwitch(dst)
	case q.Trailers:
		dst = append(dst, teField...)
	}
	if q.Chunked {
		dst = append(dst, chunkField...)
	}
	if q.Continue {
		dst = append(dst, expectField...)
	}
	dst = append(dst, x.bound...)
	dst = x.visit.AppendConditions(dst)
	return append(x.appendIdentity(dst), crlf...)
}

func appendHost(dst, given []byte, upstream string) []byte {
	dst = append(dst, hostField...)
	if given != nil {
		dst = append(dst, given...)
	} else {
		dst = append(dst, upstream...)
	}
	return append(dst, crlf...)
}

// appendFields copies the fields that pass, in runs of whole lines: most heads
// are one or two.
func (x *Exchange) appendFields(dst []byte) []byte {
	q := &x.Req
	if len(q.Fields) == 0 {
		return dst
	}
	run := q.Fields[0].At
	for i := range q.Fields {
		f := &q.Fields[i]
		if f.Kind == wire.Other && !q.Nominates || x.passes(f) {
			continue
		}
		dst = append(dst, q.Raw[run:f.At]...)
		run = f.End
	}
	return append(dst, q.Raw[run:len(q.Raw)-len(crlf)]...)
}

// passes tells whether a request's field goes on as it is.
func (x *Exchange) passes(f *wire.Field) bool {
	q := &x.Req
	switch f.Kind {
	case wire.Other:
		return !q.Nominated(q.Name(f))
	case wire.Condition, wire.Range, wire.Override:
		return x.visit.Forwards(f.Kind)
	case wire.Host:
		return !q.Absolute
	case wire.Expect:
		return false // said anew where it holds
	case wire.Trailer:
		return q.Chunked && !q.Nominated(q.Name(f))
	case wire.RequestID:
		return validID(q.Value(f))
	case wire.MaxForwards:
		_, counts := x.maxForwards()
		return !counts
	case wire.ForwardedFor, wire.Forwarded: // said anew, with ourselves behind it
		return f.Kind == wire.Forwarded && x.Client.trusted && !x.Client.p.opt.Forwarded
	}
	if f.Kind == wire.ClientCert && x.Client.known {
		return false
	}
	if f.Kind.Asserted() {
		return x.Client.trusted && f.Kind != wire.ForwardedMore
	}
	return !f.Kind.Hop()
}

// appendIdentity appends what we know of the client, and the request's id.
func (x *Exchange) appendIdentity(dst []byte) []byte {
	c, q := x.Client, &x.Req
	if c.trusted && q.Asserts {
		dst = x.appendBelieved(dst)
	} else { // fast path: one copy
		dst = append(dst, c.asserts...)
		if q.Host != nil {
			dst = append(append(append(dst, assertHost...), q.Host...), crlf...)
		}
	}
	if c.p.opt.Forwarded {
		dst = x.appendForwarded(dst)
	}
	if c.p.opt.Via {
		dst = append(dst, [...][]byte{via10Field, viaField}[q.Minor]...)
	}
	if n, ok := x.maxForwards(); ok {
		dst = strconv.AppendUint(append(dst, "Max-Forwards: "...), n-1, 10)
		dst = append(dst, crlf...)
	}
	if !validID(q.Find(wire.RequestID)) {
		if !x.hasID { // the same for every try
			x.makeID()
		}
		dst = append(append(append(dst, idField...), x.id[:]...), crlf...)
	}
	return dst
}

// appendBelieved adds to what a trusted proxy said of its client: its own
// address to the list, and what it left out.
func (x *Exchange) appendBelieved(dst []byte) []byte {
	c, q := x.Client, &x.Req
	dst = append(dst, "X-Forwarded-For: "...)
	for i := range q.Fields {
		if f := &q.Fields[i]; f.Kind == wire.ForwardedFor && f.From < f.To {
			dst = append(append(dst, q.Value(f)...), ", "...)
		}
	}
	dst = append(c.addr.AppendTo(dst), crlf...)
	for _, m := range []struct {
		kind  wire.Kind
		name  string
		value string
	}{
		{wire.ForwardedProto, "X-Forwarded-Proto: ", c.scheme()},
		{wire.ForwardedPort, "X-Forwarded-Port: ", c.port},
		{wire.ForwardedHost, "X-Forwarded-Host: ", string(q.Host)},
	} {
		if m.value != "" && q.Find(m.kind) == nil {
			dst = append(append(append(dst, m.name...), m.value...), crlf...)
		}
	}
	return dst
}

// appendForwarded appends RFC 7239's field, behind what a trusted proxy sent.
func (x *Exchange) appendForwarded(dst []byte) []byte {
	c, q := x.Client, &x.Req
	dst = append(dst, "Forwarded: "...)
	for i := range q.Fields {
		if f := &q.Fields[i]; f.Kind == wire.Forwarded && c.trusted && f.From < f.To {
			dst = append(append(dst, q.Value(f)...), ", "...)
		}
	}
	switch {
	case !c.addr.IsValid():
		dst = append(dst, "for=unknown"...)
	case c.addr.Is6(): // §6: brackets, and so quotes
		dst = append(c.addr.AppendTo(append(dst, `for="[`...)), `]"`...)
	default:
		dst = c.addr.AppendTo(append(dst, "for="...))
	}
	if q.Host != nil {
		dst = append(append(append(dst, `;host="`...), q.Host...), '"')
	}
	return append(append(append(dst, ";proto="...), c.scheme()...), crlf...)
}

// validID tells whether a client's X-Request-Id is one we would pass into
// logs: up to 128 visible characters.
func validID(v []byte) bool {
	if len(v) == 0 || len(v) > 128 {
		return false
	}
	for _, c := range v {
		if c <= ' ' || c >= 0x7f {
			return false
		}
	}
	return true
}

// makeID makes up 128 random bits in hexadecimal.
func (x *Exchange) makeID() {
	const digits = "0123456789abcdef"
	a, b := rand.Uint64(), rand.Uint64()
	for i := range 16 {
		x.id[i] = digits[a>>(4*i)&15]
		x.id[16+i] = digits[b>>(4*i)&15]
	}
	x.hasID = true
}
