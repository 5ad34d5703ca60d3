package proxy

import (
	"bytes"
	"io"
	"strconv"

	"multiserver/proxy/wire"
)

// Coder is a Filter that has the bodies of a route's answers encoded, before the
// cache sees them: what is stored is what was made once. The first one of a
// route is asked.
type Coder interface {
	Filter
	// Code sees the head of an upstream's final answer, x.Res, and says by e what
	// is to be otherwise in it, for those who store it, too. It returns what
	// encodes the body, or nil for one that stays as it is, or that there is none
	// of. With an Encoder, e has Content-Encoding, and nothing of the length,
	// which the proxy sees to.
	Code(x *Exchange, e *Edits) Encoder
}

// Encoder makes another body of one. Each method appends to dst what there is
// to be sent; that may be nothing yet.
type Encoder interface {
	Append(dst, piece []byte) []byte // borrows piece
	Flush(dst []byte) []byte         // all that was appended so far can then be decoded
	End(dst []byte) []byte
	Release() // ends its use
}

// coding is what an exchange has to do with an Encoder.
type coding struct {
	encoder   Encoder // nil: the body is as it came
	edits     Edits
	head      []byte       // as it is to be, where Res was parsed from; buffer reused
	out       []byte       // what the last step made; buffer reused
	framing   wire.Framing // of the body as it comes
	length    int64        // of that body, if Sized
	announced bool         // there is a body, which a HEAD does not get
	whole     bool         // it was encoded at once: out is all of it
	behind    bool         // something has gone in since the last flush
	ended     bool
	sent      int64 // bytes that came out
}

// mostKept is the largest buffer that stays with an Exchange.
const mostKept = 64 << 10

func (k *coding) reset() {
	if k.encoder != nil {
		k.encoder.Release()
		k.encoder = nil
	}
	if cap(k.out) > mostKept {
		k.out = nil
	}
	k.edits.reset()
	k.announced, k.whole, k.behind, k.ended, k.sent = false, false, false, false, 0
}

// coderOf is the first of them.
func coderOf(filters []Filter) Coder {
	for _, f := range filters {
		if c, ok := f.(Coder); ok {
			return c
		}
	}
	return nil
}

// encode has the answer that came be another one, encoded, if the route wants
// it so. It comes before all who go by the head: the session, the cache, the
// client.
func (p *Proxy) encode(x *Exchange) {
	if x.route.coder == nil || len(x.Res.Fields) > mostFields {
		return // fast path
	}
	k, res := &x.code, &x.Res
	k.reset()
	k.announced = res.Length > 0 || res.Chunked
	k.encoder = x.route.coder.Code(x, &k.edits)
	if k.encoder != nil {
		k.framing, k.length = res.Framing(false), res.Length
		k.edits.Drop("content-length")
		p.encodeWhole(x)
	}
	if !k.edits.any() {
		return
	}
	k.head = k.edits.append(k.head[:0], res.Raw)
	if _, err := res.Parse(k.head); err != nil {
		panic(err) // a Coder broke its word
	}
}

// AskedWeak tells whether who asks, the cache or else the client, has the weak
// form of that strong tag, and so what was encoded.
func (x *Exchange) AskedWeak(tag []byte) bool {
	asked := x.Req.Peek("if-none-match")
	if x.visit.Entry.There() {
		asked = x.visit.Entry.ETag()
	}
	i := bytes.Index(asked, tag)
	return i >= len(weakMark) && string(asked[i-len(weakMark):i]) == weakMark
}

const weakMark = "W/"

// mostFields leaves room for a Coder's, below what a head may have.
const mostFields = 500

// encodeWhole encodes a body that is all there: its length can then be said, and
// no chunks are needed.
func (p *Proxy) encodeWhole(x *Exchange) {
	k := &x.code
	if k.framing != wire.Sized || !x.arrived() {
		return
	}
	x.outBody.Begin(x.link.Conn, wire.Sized, k.length, 0)
	body, _ := x.outBody.Take()
	k.out = k.encoder.End(k.encoder.Append(k.out[:0], body))
	k.whole, k.sent = true, int64(len(k.out))
	var digits [20]byte
	k.edits.Add("Content-Length", strconv.AppendInt(digits[:0], k.sent, 10))
}

// arrived tells whether a Sized body is all there, after a look whether what is
// missing can be had without waiting.
func (x *Exchange) arrived() bool {
	l, n := x.link, x.Res.Length
	if int64(len(l.Buffered())) >= n {
		return true // fast path
	}
	if n > wire.LargeBuffer-int64(len(x.Res.Raw)) {
		return false
	}
	l.Reserve(int(n))
	return l.More(int(n))
}

// beginBody starts on the body of the answer, and tells how the client would
// know its end.
func (x *Exchange) beginBody() wire.Framing {
	switch k := &x.code; {
	case k.whole:
		return wire.Sized // outBody has ended
	case k.encoder != nil:
		x.outBody.Begin(x.link.Conn, k.framing, k.length, 0)
		return wire.ToClose // nobody knows how long it gets
	}
	framing := x.Res.Framing(x.isHead())
	x.outBody.Begin(x.link.Conn, framing, x.Res.Length, 0)
	return framing
}

// bodyWhole is a body that is all there.
func (x *Exchange) bodyWhole() []byte {
	if x.code.whole {
		return x.code.out
	}
	body, _ := x.outBody.Take()
	return body
}

// coder is what encodes the body while it flows; nil: nothing does.
func (x *Exchange) coder() *coding {
	if x.code.encoder == nil || x.code.whole {
		return nil
	}
	return &x.code
}

// step takes what Take has given and returns what that becomes. Before a wait
// it lets go of all that it has, unless the length was known: then the rest is
// on its way, and each flush would cost a little of what is saved.
func (k *coding) step(piece []byte, err error) ([]byte, error) {
	out := k.out[:0]
	switch {
	case err == nil:
		out, k.behind = k.encoder.Append(out, piece), true
	case err == wire.ErrMore && k.behind && k.framing != wire.Sized:
		out, k.behind = k.encoder.Flush(out), false
	case err == io.EOF && !k.ended:
		out, k.ended = k.encoder.End(out), true
	default:
		return nil, err
	}
	k.out = out
	k.sent += int64(len(out))
	return out, nil
}
