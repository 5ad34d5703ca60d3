package proxy

import (
	"multiserver/pool/balance"
	"multiserver/proxy/wire"
	"multiserver/sync/session"
)

// bind looks for the client's session and has upstreams told of it. Requests
// without one pay for looking at their cookies.
func (p *Proxy) bind(x *Exchange) bool {
	s := x.route.Sessions
	if s == nil {
		return true
	}
	x.inSession = true
	x.offer(s)
	var how session.Outcome
	if x.bound, how = s.Begin(&x.session, x.bound); how == session.Away {
		return p.answer(x, 503, "sessions cannot be had")
	}
	if x.session.Used() {
		x.Req.Note(wire.Personal)
	}
	return true
}

// offer shows s what the request has for a token. Cookies go on to upstreams
// without ours.
func (x *Exchange) offer(s *session.Sessions) {
	q := &x.Req
	if name := s.ByHeader(); name != "" {
		if token := q.Peek(name); token != nil {
			s.OfferToken(&x.session, token)
			x.ask.Drop(name)
		}
		return
	}
	for i := range q.Fields {
		f := &q.Fields[i]
		if f.Kind != wire.Guarded || !wire.EqualFold(q.Name(f), "cookie") || !s.Holds(q.Value(f)) {
			continue
		}
		f.Kind = wire.Token // and passes on no more as it is
		s.Offer(&x.session, q.Value(f))
		front := len(x.bound)
		x.bound = append(x.bound, "Cookie: "...)
		value := len(x.bound)
		if x.bound = s.Strip(x.bound, q.Value(f)); len(x.bound) == value {
			x.bound = x.bound[:front]
			continue
		}
		x.bound = append(x.bound, crlf...)
	}
}

// unbind does what the backend's answer asks for, before anybody hears of it:
// the cache, or the client, which may ask again at once. false: the client has
// another answer.
func (p *Proxy) unbind(x *Exchange) bool {
	if !x.routes.sessions {
		return true // fast path
	}
	s, res := x.route.Sessions, &x.Res
	if s == nil || !x.inSession { // or nobody waits for the answer
		res.Conceal(wire.Session)
		return true
	}
	if res.Has(wire.Session) {
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

// instead answers in place of an upstream whose answer is there already. It
// returns false.
func (p *Proxy) instead(x *Exchange, status int, what string) bool {
	x.outBody.Begin(x.link.Conn, x.Res.Framing(x.isHead()), x.Res.Length, 0) // not to be read: the link goes
	return p.answer(x, status, what)
}

// sessionKey is the same for all requests of a session, at every node.
func (x *Exchange) sessionKey() uint64 {
	if x.session.Record.Version == 0 {
		return 0
	}
	return balance.HashKey(x.session.ID[:])
}
