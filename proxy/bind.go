package proxy

import (
	"multiserver/pool/balance"
	"multiserver/proxy/wire"
	"multiserver/sync/session"
)

// bind looks for the client's session and has upstreams told of it. Requests
// without one pay for looking at their cookies.
func (p *Proxy) bind(x *Exchange) bool {
	known := x.routes.sessions
	if known == nil {
		return true // fast path
	}
	s := x.route.Sessions
	if s == nil {
		x.offer(known, nil)
		return true
	}
	x.inSession = true
	x.offer(s, s)
	var how session.Outcome
	if x.bound, how = s.Begin(&x.session, x.bound); how == session.Away {
		return p.answer(x, 503, "sessions cannot be had")
	}
	if x.session.Used() {
		x.Req.Note(wire.Personal)
	}
	return true
}

// alone is bind for a request that is made behind the client's back, and is
// nobody's.
func (x *Exchange) alone() {
	if known := x.routes.sessions; known != nil {
		x.Req.Conceal(wire.Session)
		x.offer(known, nil)
	}
}

// offer finds what the request has for a token, which no upstream is to see:
// whoever holds it is the client. to is shown it; nil: nobody is.
func (x *Exchange) offer(s, to *session.Sessions) {
	q := &x.Req
	if name := s.ByHeader(); name != "" {
		if token := q.Peek(name); token != nil {
			x.ask.Drop(name)
			if to != nil {
				to.OfferToken(&x.session, token)
			}
		}
		return
	}
	if !q.Has(wire.Guarded) {
		return // fast path: no cookies
	}
	for i := range q.Fields {
		f := &q.Fields[i]
		if f.Kind == wire.Guarded && wire.EqualFold(q.Name(f), "cookie") && x.holds(s, to, q.Value(f)) {
			f.Kind = wire.Token // and passes on no more as it is
			x.passOthers(s, q.Value(f))
		}
	}
}

// holds tells whether ours is among cookies, and shows it to to.
func (x *Exchange) holds(s, to *session.Sessions, cookies []byte) bool {
	if to == nil {
		return s.Holds(cookies)
	}
	return to.Offer(&x.session, cookies)
}

// passOthers has cookies go on without ours.
func (x *Exchange) passOthers(s *session.Sessions, cookies []byte) {
	front := len(x.bound)
	x.bound = append(x.bound, "Cookie: "...)
	value := len(x.bound)
	if x.bound = s.Strip(x.bound, cookies); len(x.bound) == value {
		x.bound = x.bound[:front]
		return
	}
	x.bound = append(x.bound, crlf...)
}

// unbind does what the backend's answer asks for, before anybody hears of it:
// the cache, or the client, which may ask again at once. Of several answers to
// one request the first that asks for something counts. false: the client has
// another answer.
func (p *Proxy) unbind(x *Exchange) bool {
	if x.routes.sessions == nil {
		return true // fast path
	}
	s, res := x.route.Sessions, &x.Res
	if !x.inSession || x.settled { // nobody waits for the answer, or for more of them
		res.Conceal(wire.Session)
		return true
	}
	if res.Has(wire.Session) {
		x.settled = true
		for i := range res.Fields {
			if f := &res.Fields[i]; f.Kind == wire.Session {
				s.Take(&x.session, res.Name(f), res.Value(f))
			}
		}
		res.Conceal(wire.Session)
	}
	return p.commit(x, s)
}

// commit has the session as the backend wants it, and the client told.
func (p *Proxy) commit(x *Exchange, s *session.Sessions) bool {
	x.session.Secure = x.secure()
	if x.pool.Affinity.By == ByPin {
		x.session.Pin(x.up.ID())
	}
	var how session.Outcome
	lines := x.tell.Value()
	lines, how = s.Finish(&x.session, lines)
	x.tell.put(lines)
	if x.session.Used() {
		x.Req.Note(wire.Personal)
	}
	switch how {
	case session.Away:
		return p.instead(x, 503, "sessions cannot be had")
	case session.Conflict:
		return p.instead(x, 409, "the session was changed by someone else")
	}
	return true
}

// instead answers in place of an upstream whose answer is there already, and of
// which the rest is not read. It returns false.
func (p *Proxy) instead(x *Exchange, status int, what string) bool {
	if x.switching {
		x.stray()
		x.Res.Close = true // it has switched
	}
	x.outBody.Begin(x.link.Conn, x.Res.Framing(x.isHead()), x.Res.Length, 0)
	p.leave(x, nil) // now: a body on its way up must have ended
	return p.answer(x, status, what)
}

// sessionKey is the same for all requests of a session, at every node, until a
// new id takes the place of its own.
func (x *Exchange) sessionKey() uint64 {
	if x.session.Record.Version == 0 {
		return 0
	}
	return balance.HashKey(x.session.ID[:])
}
