package proxy

import (
	"io"

	"multiserver/cache"
	"multiserver/pool"
	"multiserver/proxy/wire"
)

// lookup answers from the cache if it may. A hit takes no place in the
// process: it costs less than to refuse it.
func (p *Proxy) lookup(x *Exchange) bool {
	c := x.cache
	if c == nil {
		return true
	}
	if x.Client.InTurn() {
		return p.glance(x)
	}
	switch c.Find(&x.visit, &x.Req, x.secure(), x.host()) {
	case cache.Hit:
		if x.visit.Refresh {
			p.refresh(x)
		}
		before := x.Client.Wrote()
		p.reply(x)
		return x.torn && x.Client.Wrote() == before && x.anew()
	case cache.Refused:
		return p.answer(x, 504, "not stored, and the request forbids to ask an upstream")
	}
	return true
}

// anew has x go on as if nothing were stored: what was found is gone, for others
// needed the room, before the client had a byte of it.
func (x *Exchange) anew() bool {
	x.visit.End()
	x.torn, x.broken, x.began = false, false, false
	x.status, x.sent = 0, 0
	return true
}

// secure tells whether the client came by TLS, as far as those say whom we
// trust.
func (x *Exchange) secure() bool {
	if x.Client.trusted && x.Req.Asserts {
		if proto := x.Req.Find(wire.ForwardedProto); proto != nil {
			return wire.EqualFold(proto, "https")
		}
	}
	return x.Client.secure
}

// host is what the client asked for: whatever shapes an answer has to be a
// part of its key.
func (x *Exchange) host() []byte {
	if x.Client.trusted && x.Req.Asserts {
		if host := x.Req.Find(wire.ForwardedHost); host != nil {
			return host
		}
	}
	return x.Req.Host
}

// learn shows the final answer's head to the cache before any of it reaches
// the client. done: the client has another answer in its place.
func (p *Proxy) learn(x *Exchange) (done bool, f *pool.Fault) {
	c := x.cache
	if !x.visit.Active() {
		c.Changed(&x.visit, &x.Req, x.secure(), x.host(), &x.Res)
		return false, nil
	}
	x.beginBody()
	switch c.Answered(&x.visit, &x.Req, &x.Res) {
	case cache.Confirmed:
		p.reply(x)
		return true, nil
	case cache.Fallback:
		x.visit.UseStale()
		p.reply(x)
		return true, nil
	case cache.Gather:
		if f := p.gatherRest(x); f != nil {
			return true, f
		}
		if x.visit.Entry.There() {
			p.reply(x)
			return true, nil
		}
		return p.askAgain(x)
	case cache.Again:
		return p.askAgain(x)
	}
	if x.visit.Storing() {
		x.link.Serve(nil) // others wait for it as well: it goes on if this client leaves
	}
	return false, nil
}

// askAgain asks the same upstream once more, without the conditions whose answer
// was of no use.
func (p *Proxy) askAgain(x *Exchange) (done bool, f *pool.Fault) {
	p.leave(x, nil)
	if f := p.try(x, x.up); f != nil {
		return true, f
	}
	p.encode(x)
	if !p.unbind(x) {
		return true, nil
	}
	return p.learn(x)
}

// gatherRest stores what lacked of a stored part.
func (p *Proxy) gatherRest(x *Exchange) *pool.Fault {
	for x.link.Unpin(); ; { // its head has been copied
		piece, err := x.outBody.Take()
		switch {
		case err == nil:
			x.visit.Append(piece)
			continue
		case err == io.EOF:
			x.visit.Commit()
			return nil
		case err != wire.ErrMore:
			return pool.BodyFault(err)
		}
		x.link.ReadWithin(x.route.Idle)
		if err := x.outBody.Fill(); err != nil {
			return pool.BodyFault(err)
		}
	}
}

// keep is who stores the answer's body, nil if nobody does.
func (x *Exchange) keep() *cache.Visit {
	if x.visit.Storing() {
		return &x.visit
	}
	return nil
}
