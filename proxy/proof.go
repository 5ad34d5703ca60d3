package proxy

import (
	"bytes"
	"strconv"
)

// Proof is what to answer to a GET of a path below ProofPath, as the authority
// wants it that issues a certificate for host; nil: it is not known here, and
// the request goes on. It may wait for a moment. Its arguments are only read,
// and not kept.
type Proof func(host, path []byte) []byte

// ProofPath is where authorities look for HTTP-01's proofs (RFC 8555 §8.3).
const ProofPath = "/.well-known/acme-challenge/"

// prove answers an authority that came without TLS. That is before the
// redirect to https, for which there may be no certificate yet.
func (p *Proxy) prove(x *Exchange) bool {
	q := &x.Req
	if x.secure() || !bytes.HasPrefix(q.Path, []byte(ProofPath)) || string(q.Method) != "GET" { // fast path
		return false
	}
	proof := p.opt.Proof(q.Host, q.Path)
	if proof == nil {
		return false
	}
	x.status, x.began = 200, true
	if !x.inBody.Ended() { // nobody will read it
		x.close, x.unread = true, true
	}
	out := append(x.buffer(len(proof)), "HTTP/1.1 200 OK\r\n"...)
	out = append(append(out, p.opt.Guard.Date()...), "Content-Type: application/octet-stream\r\nCache-Control: no-store\r\nContent-Length: "...)
	out = append(strconv.AppendInt(out, int64(len(proof)), 10), crlf...)
	out = append(append(x.appendConnection(out), crlf...), proof...)
	x.out = out
	p.deliver(x, out)
	return true
}
