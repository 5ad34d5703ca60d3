package proxy

import (
	"strconv"

	"multiserver/pool"
	"multiserver/proxy/wire"
)

// admit answers what no upstream is asked for.
func (p *Proxy) admit(x *Exchange) bool {
	x.close = p.last(x)
	q := &x.Req
	if x.routes.sessions != nil {
		q.Conceal(wire.Session) // a client's own: they would be believed
	}
	if p.opt.Proof != nil && p.prove(x) {
		return false
	}
	if x.routes.Redirect != "" && !x.secure() && string(q.Method) != "CONNECT" {
		return p.redirect(x)
	}
	switch string(q.Method) {
	case "GET", "HEAD", "POST": // fast path
	case "CONNECT":
		x.close, x.unread = true, true // what follows is not HTTP
		return p.answer(x, 405, "CONNECT is for forward proxies")
	case "TRACE": // would hand a script the credentials it may not read
		return p.answer(x, 405, "TRACE is not allowed")
	case "PURGE":
		if p.opt.Cache != nil {
			return p.purge(x)
		}
	case "OPTIONS":
		if n, ok := x.maxForwards(); ok && n == 0 {
			return p.answer(x, 200, "") // RFC 9110 §7.6.2: we are the last
		}
	}
	return true
}

// enter takes a place in the process, waiting for one if need be.
func (p *Proxy) enter(x *Exchange) bool {
	if x.Client.InTurn() {
		x.in = p.opt.Gate.TryEnter()
		x.declined = !x.in
		return x.in
	}
	if err := p.opt.Gate.Enter(x.Client.Conn); err != nil {
		x.fault = pool.QueueFault(err)
		return p.fail(x)
	}
	x.in = true
	return true
}

// exit gives the place back, once.
func (x *Exchange) exit() {
	if x.in {
		x.in = false
		x.Client.p.opt.Gate.Leave()
	}
}

// last tells whether this request is to be its connection's last, as far as
// its head and we are concerned.
func (p *Proxy) last(x *Exchange) bool {
	h := &x.Req.Head
	return h.Close || h.Minor == 0 && !h.KeepAlive || x.Client.ends()
}

// maxForwards is the Max-Forwards field of an OPTIONS request; it means
// nothing elsewhere.
func (x *Exchange) maxForwards() (n uint64, ok bool) {
	v := x.Req.Peek("max-forwards")
	if v == nil || string(x.Req.Method) != "OPTIONS" {
		return 0, false
	}
	n, err := strconv.ParseUint(string(v), 10, 32)
	return n, err == nil
}
