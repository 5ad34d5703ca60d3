package proxy

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"net/netip"
	"strconv"
	"sync"
	"time"

	"multiserver/pool/balance"
	"multiserver/proxy/wire"
)

// Affinity says what makes requests meet the same upstream again. The zero
// value is none.
type Affinity struct {
	By   By
	Name string // of the header field (in lower case), query parameter or cookie

	Sticky *Sticky // ByUpstream: the cookie that names the upstream
}

// By is the part of a request that its key is made of.
type By uint8

// The parts.
const (
	ByNothing  By = iota
	ByClient      // the client's address, or what a trusted proxy says it is
	ByURI         // path and query, as sent
	ByPath        // the path alone
	ByHost        // the host that was asked for
	ByHeader      // a header field
	ByQuery       // a query parameter, as sent
	ByCookie      // a cookie
	ByUpstream    // the upstream that a cookie of ours names
	BySession     // the client's session
	ByPin         // the upstream that the session names
)

// affinity is the key for the pool's picker; 0 is none.
func (p *Proxy) affinity(x *Exchange) uint64 {
	a, q := &x.pool.Affinity, &x.Req
	switch a.By {
	case ByNothing: // fast path
		return 0
	case ByClient:
		return x.clientKey()
	case ByURI:
		return balance.HashKey(q.Path)
	case ByPath:
		path, _, _ := bytes.Cut(q.Path, question)
		return balance.HashKey(path)
	case ByHost:
		return hostKey(q.Host)
	case ByHeader:
		return balance.HashKey(q.Peek(a.Name))
	case ByQuery:
		return balance.HashKey(queryValue(q.Path, a.Name))
	case ByCookie:
		return balance.HashKey(x.cookie(a.Name))
	case ByUpstream:
		return a.Sticky.read(x.cookie(a.Name))
	case BySession:
		return x.sessionKey()
	case ByPin:
		return x.session.Pinned()
	}
	return 0
}

var question = []byte("?")

// clientKey is made of the address itself: a port, or the way it is written,
// would make one client many.
func (x *Exchange) clientKey() uint64 {
	if x.Client.trusted {
		if a := x.said(); a.IsValid() {
			b := a.As16()
			return balance.HashKey(b[:])
		}
	}
	if !x.Client.addr.IsValid() {
		return 0 // a Unix socket: not one client, but any number
	}
	b := x.Client.addr.As16()
	return balance.HashKey(b[:])
}

// hostKey is the same however a host is spelled (RFC 9110 §4.2.3).
func hostKey(host []byte) uint64 {
	var b [256]byte
	n := copy(b[:], host)
	for i, c := range b[:n] {
		if c >= 'A' && c <= 'Z' {
			b[i] = c | 0x20
		}
	}
	return balance.HashKey(b[:n])
}

// said is the client as trusted proxies say: the last address that is not one
// of theirs, for what stands before it the client itself may have made up.
func (x *Exchange) said() (a netip.Addr) {
	q := &x.Req
	for i := len(q.Fields) - 1; i >= 0; i-- {
		if q.Fields[i].Kind != wire.ForwardedFor {
			continue
		}
		for v := q.Value(&q.Fields[i]); len(v) > 0; {
			at := bytes.LastIndexByte(v, ',')
			said, err := netip.ParseAddr(string(bytes.TrimSpace(v[at+1:])))
			if err != nil {
				return a
			}
			if a = said.Unmap(); !x.Client.p.trusts(a) {
				return a
			}
			v = v[:max(at, 0)]
		}
	}
	return a
}

// queryValue is the first value of a parameter, not decoded; nil: there is
// none.
func queryValue(path []byte, name string) []byte {
	_, query, _ := bytes.Cut(path, question)
	for len(query) > 0 {
		var pair []byte
		pair, query, _ = bytes.Cut(query, []byte("&"))
		if k, v, _ := bytes.Cut(pair, []byte("=")); string(k) == name {
			return v
		}
	}
	return nil
}

// cookie is the value of the first cookie of that name; nil: there is none.
func (x *Exchange) cookie(name string) []byte {
	q := &x.Req
	for i := range q.Fields {
		f := &q.Fields[i]
		if f.Kind != wire.Guarded && f.Kind != wire.Token || !wire.EqualFold(q.Name(f), "cookie") {
			continue
		}
		for rest := q.Value(f); len(rest) > 0; {
			var pair []byte
			pair, rest, _ = bytes.Cut(rest, []byte(";"))
			if k, v, ok := bytes.Cut(bytes.TrimSpace(pair), []byte("=")); ok && string(k) == name {
				return v
			}
		}
	}
	return nil
}

// Sticky makes and reads the cookie that names an upstream. It is signed, so
// that a client cannot choose where it goes, and holds no address.
type Sticky struct {
	attributes string // behind the value
	name       string
	key        []byte
	values     sync.Map // by upstream's ID: the cookie's value, as bytes
}

// NewSticky returns a Sticky for a cookie of that name; ttl 0: until the
// browser is closed. Nodes that share clients have to share the key.
func NewSticky(name string, ttl time.Duration, key []byte) *Sticky {
	s := &Sticky{name: name, key: key, attributes: "; Path=/; HttpOnly; SameSite=Lax"}
	if ttl > 0 {
		s.attributes += "; Max-Age=" + strconv.Itoa(int(ttl.Seconds()))
	}
	return s
}

// idChars is the length of an ID in base64, macBytes of the signature behind
// it: 2^96 guesses are enough.
const (
	idChars  = 11
	macBytes = 12
)

// value is the cookie's for an upstream: its ID and the ID's signature. It is
// worked out once.
func (s *Sticky) value(id uint64) []byte {
	if v, ok := s.values.Load(id); ok {
		return v.([]byte)
	}
	var raw [8 + sha256.Size]byte
	binary.BigEndian.PutUint64(raw[:], id)
	mac := hmac.New(sha256.New, s.key)
	mac.Write(raw[:8])
	mac.Sum(raw[:8])
	v := base64.RawURLEncoding.AppendEncode(nil, raw[:8])
	return base64.RawURLEncoding.AppendEncode(v, raw[8:8+macBytes])
}

// read is the ID in a cookie's value; 0: there is none, or it is not ours.
func (s *Sticky) read(v []byte) uint64 {
	var raw [8]byte
	if len(v) < idChars {
		return 0
	}
	if _, err := base64.RawURLEncoding.Decode(raw[:], v[:idChars]); err != nil {
		return 0
	}
	id := binary.BigEndian.Uint64(raw[:])
	if !hmac.Equal(v, s.value(id)) {
		return 0
	}
	return id
}

// appendCookie tells the client where it has been, unless it knows.
func (x *Exchange) appendCookie(dst []byte) []byte {
	if x.up == nil {
		return dst
	}
	a := &x.pool.Affinity
	if a.By != ByUpstream { // fast path
		return dst
	}
	s, id := a.Sticky, x.up.ID()
	v := s.value(id)
	if bytes.Equal(v, x.cookie(a.Name)) {
		return dst
	}
	s.values.LoadOrStore(id, v) // only upstreams' own: strangers must not fill it
	dst = append(append(append(dst, "Set-Cookie: "...), s.name...), '=')
	dst = append(append(dst, v...), s.attributes...)
	if x.Client.secure || x.Client.trusted && string(x.Req.Find(wire.ForwardedProto)) == "https" {
		dst = append(dst, "; Secure"...)
	}
	return append(dst, crlf...)
}
