package proxy

import (
	"bytes"
	"encoding/json"
	"strconv"

	"multiserver/sync/session"
)

// Events answers requests of a route by streams without an end, of which no
// upstream knows.
type Events interface {
	// Wants tells whether a request is one. It is asked for every request of the
	// route.
	Wants(x *Exchange) bool
	// Serve answers, by x.Answer or by x.Flow and what is written then, and
	// returns when it has no more to say. The client's session is known.
	Serve(x *Exchange)
}

// attend has streams of events answered. The cache does not see them, nor do
// they take a place in the process: they last as tunnels do.
func (p *Proxy) attend(x *Exchange) bool {
	e := x.route.Events
	if e == nil || !e.Wants(x) { // fast path
		return true
	}
	if p.bind(x) {
		e.Serve(x)
	}
	return false
}

// Flow begins an answer of 200 that goes on until Serve returns; lines are whole
// header fields. What Write takes is sent at once. The connection ends with
// it. false: the client is gone.
func (x *Exchange) Flow(kind string, lines []byte) bool {
	p := x.Client.p
	x.status, x.began, x.close = 200, true, true
	out := append(x.buffer(len(lines)), "HTTP/1.1 200 OK\r\n"...)
	out = append(out, p.opt.Guard.Date()...)
	out = append(append(append(out, "Content-Type: "...), kind...), "\r\nCache-Control: no-store\r\n"...)
	out = append(out, lines...)
	if x.Req.Minor > 0 {
		out = append(out, chunkField...)
	}
	x.out = append(x.appendConnection(out), crlf...)
	return p.deliver(x, x.dress(x.out))
}

// Write sends some of an answer that Flow has begun.
func (x *Exchange) Write(b []byte) error {
	if len(b) == 0 {
		return nil
	}
	c := x.Client
	c.WriteWithin(x.route.Idle)
	head, body := []byte(nil), b
	if x.Req.Minor > 0 {
		x.out = append(strconv.AppendInt(x.out[:0], int64(len(b)), 16), crlf...)
		head, body = x.out, append(b, crlf...)
	}
	err := c.Write(head, body)
	if err != nil {
		x.broken = true
		return err
	}
	x.sent += int64(len(b))
	return nil
}

// EndFlow ends it as one that is whole.
func (x *Exchange) EndFlow() {
	if x.Req.Minor > 0 && !x.broken {
		p := x.Client.p
		p.deliver(x, lastChunk)
	}
}

var lastChunk = []byte("0\r\n\r\n")

// Origin is the upstream of the present try, by its name; "": there is none.
func (x *Exchange) Origin() string {
	if x.up == nil {
		return ""
	}
	return x.up.Name()
}

// SessionID is that of the client's session, as backends know it; "": there is
// none.
func (x *Exchange) SessionID() string {
	if !x.inSession || x.session.Record.Version == 0 {
		return ""
	}
	return x.session.ID.String()
}

// SessionText is what the session has under a key, if that is a string or a
// number; "": it is not there.
func (x *Exchange) SessionText(key string) string {
	if x.SessionID() == "" {
		return ""
	}
	return sessionText(&x.session, key)
}

func sessionText(v *session.Visit, key string) string {
	raw := bytes.TrimSpace(v.Record.Find([]byte(key)))
	if len(raw) == 0 {
		return ""
	}
	switch c := raw[0]; {
	case c == '"':
		var s string
		if json.Unmarshal(raw, &s) != nil {
			return ""
		}
		return s
	case c == '-', c >= '0' && c <= '9':
		return string(raw)
	}
	return ""
}
