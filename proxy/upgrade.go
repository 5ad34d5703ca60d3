package proxy

import (
	"bytes"

	"multiserver/pool"
	"multiserver/proxy/wire"
)

// upgrade carries a WebSocket handshake, and the tunnel behind it, or that of
// another protocol that the operator has named. No others may be switched to:
// what a client and an upstream agree on behind our back (h2c above all) would
// be requests that nobody checks.
func (p *Proxy) upgrade(x *Exchange) bool {
	if !x.asksForSwitch() {
		return true
	}
	if x.webSocket() {
		if !p.fits(x) {
			return false
		}
		x.watched()
	}
	for {
		if !p.take(x) {
			return p.fail(x)
		}
		f := p.shake(x, x.up)
		if f == nil && x.Res.Status == 101 {
			f = p.tunnel(x)
			if x.detached {
				return false
			}
		} else if f == nil {
			x.stray()
			f = p.relay(x)
		}
		if p.done(x, f) {
			return false
		}
		if !p.again(x) {
			x.stray()
			return p.fail(x)
		}
	}
}

// asksForSwitch tells whether a protocol is asked for that the operator lets
// through; another one is asked for in vain (RFC 9110 §7.8).
func (x *Exchange) asksForSwitch() bool {
	q := &x.Req
	if !q.Upgrade || q.Framing() != wire.None {
		return false
	}
	if x.webSocket() {
		return string(q.Method) == "GET"
	}
	for _, name := range x.Client.p.opt.Upgrade {
		if wire.EqualFold(q.Find(wire.Upgrade), name) {
			return true
		}
	}
	return false
}

func (x *Exchange) webSocket() bool { return wire.EqualFold(x.Req.Find(wire.Upgrade), "websocket") }

// appendSwitch names the protocol that is asked for, in one request or answer.
func (x *Exchange) appendSwitch(dst []byte) []byte {
	if x.webSocket() { // fast path
		return append(dst, wsField...)
	}
	dst = append(append(dst, "Connection: Upgrade\r\nUpgrade: "...), x.Req.Find(wire.Upgrade)...)
	return append(dst, crlf...)
}

// shake sends the handshake and reads the answer's head.
func (p *Proxy) shake(x *Exchange, u *pool.Upstream) (f *pool.Fault) {
	x.switching = true
	x.tryAt = p.clock()
	x.link, f = u.Ask(x.Client.Conn, x, true, &x.Res)
	for f == nil && x.Res.Status < 200 && !x.switches() {
		f = p.interim(x)
	}
	p.waited(x)
	if f == nil && x.Res.Status == 101 && x.webSocket() && !x.accepted() {
		return p.refuses()
	}
	return f
}

// switches tells whether the answer is a 101 to what was asked for.
func (x *Exchange) switches() bool {
	r := &x.Res
	return r.Status == 101 && r.Upgrade && bytes.EqualFold(r.Find(wire.Upgrade), x.Req.Find(wire.Upgrade))
}

// tunnel passes the 101 on, then bytes both ways until both ends are closed.
func (p *Proxy) tunnel(x *Exchange) *pool.Fault {
	if !p.unbind(x) {
		return nil
	}
	x.status, x.began, x.close = 101, true, true
	x.outBody.Begin(x.link.Conn, wire.None, 0, 0)
	c, l, t := x.Client, x.link, x.tunnel
	if t == nil {
		t = &Tunnel{}
	}
	t.join(x)
	if !x.webSocket() { // there are no frames to stand between
		t.up.frames.lost, t.down.frames.lost = true, true
	}
	if t.posts != nil {
		t.begin(x)
	}
	x.out = append(x.appendAnswerHead(x.buffer(len(x.Res.Raw))), crlf...)
	x.dressOut()
	c.WriteWithin(x.route.Idle)
	if err := c.Write(x.out, nil); err != nil {
		if t.posts != nil {
			t.close()
		}
		return x.gone(err)
	}
	x.settle()
	p.Stats.Upgraded.Add(1)
	c.Release()
	l.Release()
	l.Serve(nil) // the client's end is found by reading it
	if c.over != nil && wire.CanSplice(c.Conn, l.Conn) {
		t.client, t.link = c, l
		x.tunnel, x.detached = t, true // goes on from Client.run
		return nil
	}
	t.carry()
	p.Stats.Upgraded.Add(-1)
	x.sent = t.down.passed
	x.Res.Close = true
	return nil
}

// settle gives back what only a request holds: its places, and its buffers,
// which would be most of what an idle tunnel costs. For the log's sake the
// request becomes its own copy.
func (x *Exchange) settle() {
	x.give(nil) // from here on it is a connection and no request
	x.exit()
	wire.ReleaseBuffer(x.out)
	x.out = nil
	raw := bytes.Clone(x.Req.Raw)
	if x.Client.p.lines.Load() == nil {
		raw = nil
	}
	_, _ = x.Req.Parse(raw)
}

// appendAnswerHead is the head of a 101.
func (x *Exchange) appendAnswerHead(dst []byte) []byte {
	dst = append(dst, "HTTP/1.1 101 Switching Protocols\r\n"...)
	dst = x.appendPlace(x.appendCookie(x.appendAnswerFields(dst, wire.None)))
	return x.appendSwitch(dst)
}
