package proxy

import (
	"bytes"
	"crypto/sha1"
	"encoding/base64"
	"errors"

	"multiserver/pool"
	"multiserver/proxy/wire"
)

// Misfit is why a WebSocket handshake did not come about; it is the label of
// the metric.
type Misfit uint8

// The misfits.
const (
	BadVersion Misfit = iota // the client's is not 13
	BadKey                   // the client's is not 16 bytes in base64, or there are several
	BadAccept                // the upstream's does not belong to the key
	Misfits                  // how many there are
)

func (m Misfit) String() string { return [Misfits]string{"version", "key", "accept"}[m] }

// fits answers a handshake that no server may accept (RFC 6455 §4.2.1) before
// one is asked. Known attacks on proxies begin so: what a server refuses and
// its proxy takes for switched is a tunnel for requests that nobody checks.
func (p *Proxy) fits(x *Exchange) bool {
	if v, once := single(&x.Req.Head, "sec-websocket-version"); !once || string(v) != "13" {
		return p.misfit(x, BadVersion, 426, "WebSocket version 13 is spoken here")
	}
	if v, once := single(&x.Req.Head, "sec-websocket-key"); !once || !validKey(v) {
		return p.misfit(x, BadKey, 400, "malformed Sec-WebSocket-Key")
	}
	return true
}

func (p *Proxy) misfit(x *Exchange, m Misfit, status int, what string) bool {
	p.Stats.Misfits[m].Add(1)
	x.stray()
	return p.answer(x, status, what)
}

// stray is for a handshake that leads nowhere: bytes behind it were meant for
// the tunnel, and are no request.
func (x *Exchange) stray() { x.close = x.close || len(x.Client.Buffered()) > 0 }

// single returns the value of the field with that name, given in lower case,
// and whether there is exactly one.
func single(h *wire.Head, lower string) (v []byte, once bool) {
	n := 0
	for i := range h.Fields {
		if f := &h.Fields[i]; f.Kind == wire.Other && wire.EqualFold(h.Name(f), lower) {
			v = h.Value(f)
			n++
		}
	}
	return v, n == 1
}

// keySize is that of 16 bytes in base64.
const keySize = 24

func validKey(v []byte) bool {
	var b [18]byte
	if len(v) != keySize {
		return false
	}
	n, err := base64.StdEncoding.Decode(b[:], v)
	return err == nil && n == 16
}

// accepted tells whether a 101 answers the very handshake it was asked for.
// A client would refuse one that does not; we do it first because the status
// alone is easily had. An upstream that hands on the status of a server of the
// attacker's choice says 101 and goes on reading requests, and the tunnel
// would carry them past every check. What it cannot say by accident is the
// proof that it read the key.
func (x *Exchange) accepted() bool {
	key, _ := single(&x.Req.Head, "sec-websocket-key")
	got, once := single(&x.Res.Head, "sec-websocket-accept")
	var b [28]byte
	return once && bytes.Equal(got, appendAccept(b[:0], key))
}

// appendAccept appends the proof of RFC 6455 §4.2.2 for a valid key.
func appendAccept(dst, key []byte) []byte {
	const guid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
	var b [keySize + len(guid)]byte
	sum := sha1.Sum(append(append(b[:0], key...), guid...))
	return base64.StdEncoding.AppendEncode(dst, sum[:])
}

var errAccept = errors.New("101 without the Sec-WebSocket-Accept of its key")

// refuses is the fault of an upstream whose 101 is none.
func (p *Proxy) refuses() *pool.Fault {
	p.Stats.Misfits[BadAccept].Add(1)
	return &pool.Fault{Sent: true, Reason: pool.BadAnswer, Err: errAccept}
}
