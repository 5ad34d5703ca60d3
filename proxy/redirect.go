package proxy

import (
	"bytes"
	"fmt"
	"time"
)

// redirect sends a request that came without TLS to https, by 308: the method
// and the body stay what they are (RFC 9110 §15.4.9). It returns false, so that
// a step can end with it.
//
// The answer must not be stored: an operator who takes TLS away again would
// else have browsers that never come back.
func (p *Proxy) redirect(x *Exchange) bool {
	q := &x.Req
	host := withoutPort(q.Host)
	if len(host) == 0 {
		return p.answer(x, 400, "no host, and plain HTTP is not served here")
	}
	x.status, x.began = 308, true
	if !x.inBody.Ended() { // nobody will read it
		x.close, x.unread = true, true
	}
	out := append(x.buffer(len(q.Path)+len(host)), "HTTP/1.1 308 Permanent Redirect\r\n"...)
	out = append(append(append(out, p.opt.Guard.Date()...), "Location: https://"...), host...)
	if port := x.routes.Redirect; port != "443" {
		out = append(append(out, ':'), port...)
	}
	switch {
	case q.Path[0] == '/':
		out = append(out, q.Path...)
	case q.Path[0] == '?': // of an absolute target without a path
		out = append(append(out, '/'), q.Path...)
	default: // OPTIONS *
		out = append(out, '/')
	}
	out = append(out, "\r\nContent-Length: 0\r\nCache-Control: no-store\r\n"...)
	out = append(x.appendConnection(out), crlf...)
	x.out = out
	p.deliver(x, x.dress(out))
	return false
}

// withoutPort cuts ":port" off a host that wire has found valid.
func withoutPort(host []byte) []byte {
	if i := bytes.LastIndexByte(host, ':'); i > bytes.LastIndexByte(host, ']') {
		return host[:i]
	}
	return host
}

// hstsField is what answers by TLS say (RFC 6797); nil for 0. Of two such
// fields browsers take the first, which is the upstream's own.
func hstsField(d time.Duration) []byte {
	if d <= 0 {
		return nil
	}
	return fmt.Appendf(nil, "Strict-Transport-Security: max-age=%d\r\n", int64(d.Seconds()))
}

// door is a port at which HTTP/3 is spoken, and all fields that invite those
// who came there by TLS.
type door struct {
	port   string
	fields []byte
}

// invites is what answers to a client say that came by TLS to port. By HTTP/3
// too: what browsers have learned would else run out, and they would go back.
func (p *Proxy) invites(port string) []byte {
	for i := range p.h3 {
		if p.h3[i].port == port {
			return p.h3[i].fields
		}
	}
	return p.hsts
}

// appendAltSvc returns fields with one behind them that tells of HTTP/3 (RFC
// 7838): a day is what an operator who takes it away again has to wait until
// nobody asks for it any more.
func appendAltSvc(fields []byte, port string) []byte {
	return fmt.Appendf(bytes.Clone(fields), "Alt-Svc: h3=\":%s\"; ma=86400\r\n", port)
}
