package proxy

import (
	"bytes"
	"time"

	"multiserver/pool"
	"multiserver/proxy/wire"
)

// upgrade carries a WebSocket handshake, and the tunnel behind it. No other
// protocol may be switched to: what a client and an upstream agree on behind
// our back (h2c above all) would be requests that nobody checks.
func (p *Proxy) upgrade(x *Exchange) bool {
	q := &x.Req
	if !q.Upgrade || string(q.Method) != "GET" || q.Framing() != wire.None || !wire.EqualFold(q.Find(wire.Upgrade), "websocket") {
		return true
	}
	for {
		if !p.take(x) {
			return p.fail(x)
		}
		f := p.shake(x, x.up)
		if f == nil && x.Res.Status == 101 {
			f = p.tunnel(x)
		} else if f == nil {
			x.close = x.close || len(x.Client.Buffered()) > 0 // it is no request that stands there
			f = p.relay(x)
		}
		if p.done(x, f) {
			return false
		}
		if !p.again(x) {
			return p.fail(x)
		}
	}
}

// shake sends the handshake and reads the answer's head.
func (p *Proxy) shake(x *Exchange, u *pool.Upstream) (f *pool.Fault) {
	x.switching = true
	x.link, f = u.Ask(x.Client.Conn, x, true, &x.Res)
	for f == nil && x.Res.Status < 200 && !x.switches() {
		f = p.interim(x)
	}
	return f
}

// switches tells whether the answer is a 101 to what was asked for.
func (x *Exchange) switches() bool {
	r := &x.Res
	return r.Status == 101 && r.Upgrade && wire.EqualFold(r.Find(wire.Upgrade), "websocket")
}

// tunnel passes the 101 on, then bytes both ways until both ends are closed.
// It has no limit on silence: a WebSocket may be silent for days, and a dead
// peer is found by TCP's keep-alive.
func (p *Proxy) tunnel(x *Exchange) *pool.Fault {
	x.status, x.began, x.close = 101, true, true
	x.outBody.Begin(x.link.Conn, wire.None, 0, 0)
	x.out = append(x.appendAnswerHead(x.buffer(len(x.Res.Raw))), crlf...)
	c, l := x.Client, x.link
	c.WriteWithin(p.opt.Idle)
	if err := c.Write(x.out, nil); err != nil {
		return x.gone(err)
	}
	x.give(nil) // from here on it is a connection and no request
	x.exit()
	p.Stats.Upgraded.Add(1)
	defer p.Stats.Upgraded.Add(-1)
	x.settleRequest()
	c.Unpin()
	l.Unpin()
	l.Serve(nil) // the client's end is found by reading it
	up := make(chan struct{})
	go func() {
		defer close(up)
		p.pour(l.Conn, c.Conn)
	}()
	x.sent = p.pour(c.Conn, l.Conn)
	<-up
	x.Res.Close = true
	return nil
}

// settleRequest makes the request its own copy, for the log's sake: the
// client's buffer goes to whoever needs one next.
func (x *Exchange) settleRequest() {
	raw := bytes.Clone(x.Req.Raw)
	if x.Client.p.opt.Lines == nil {
		raw = nil
	}
	_, _ = x.Req.Parse(raw)
}

// appendAnswerHead is the head of a 101.
func (x *Exchange) appendAnswerHead(dst []byte) []byte {
	dst = append(dst, "HTTP/1.1 101 Switching Protocols\r\n"...)
	dst = x.appendCookie(x.appendAnswerFields(dst, wire.None))
	return append(dst, wsField...)
}

// halfOpen is how long one direction of a tunnel may stay silent once the
// other has ended.
const halfOpen = 30 * time.Second

// pour passes bytes on until src ends, then ends dst. It holds a buffer only
// while there are bytes.
func (p *Proxy) pour(dst, src *wire.Conn) (n int64) {
	src.ReadWithin(0)
	for {
		if src.Await(false) != nil {
			break
		}
		b := src.Buffered()
		dst.WriteWithin(p.opt.Idle)
		if dst.Write(b, nil) != nil {
			break
		}
		n += int64(len(b))
		src.Skip(len(b))
		src.Release()
	}
	half, ok := dst.NetConn().(interface{ CloseWrite() error })
	if !ok || half.CloseWrite() != nil {
		dst.Interrupt()
		return n
	}
	dst.EndWithin(halfOpen)
	return n
}
