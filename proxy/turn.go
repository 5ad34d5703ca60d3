package proxy

import (
	"bytes"

	"multiserver/pool"
	"multiserver/proxy/wire"
)

// A client whose requests are short is served where its bytes are read, in turns
// (wire.Turner), and so is the upstream's answer: in between there is no
// goroutine, and nothing waits in a turn. Whatever may have to, for a slot, a
// filter, another tier, a body that is not all there, or because something goes
// wrong, is left to a goroutine, which does as if there were no turns. What is
// left before an upstream is asked begins anew there (declined): until then
// nothing has happened.

// After usualCalm short exchanges in a row a client has turns. Each time one is
// declined it takes twice as many: who is served by turns in vain pays for a
// goroutine each time.
const (
	usualCalm = 2
	never     = 255
)

// patience is what a client begins with.
func (p *Proxy) patience() uint8 {
	switch n := p.opt.Calm; {
	case n == 0:
		return usualCalm
	case n < 0 || n >= never:
		return never
	default:
		return uint8(n)
	}
}

// tell has the client know how an exchange went.
func (c *Client) tell(x *Exchange) {
	switch {
	case !x.brief:
		c.calm = 0
	case c.calm < never-1:
		c.calm++
	}
}

// ripe tells whether it is time for turns.
func (c *Client) ripe() bool { return c.calm >= c.patience && c.over != nil }

// takesTurns has the client wait for its next turn, with no goroutine, and tells
// whether that worked.
func (c *Client) takesTurns() bool {
	if !c.Settle() {
		c.patience = never
		return false
	}
	return c.Park(c, true)
}

// upset is for a client that has turns in vain.
func (c *Client) upset() {
	c.calm = 0
	if c.patience < never/2 {
		c.patience *= 2
	}
}

// Turn serves the requests that are there whole.
func (c *Client) Turn() wire.Turned {
	x := acquireExchange(c)
	for len(c.Buffered()) > 0 && !c.Owes() {
		n, ok := c.fetch(x)
		if !ok {
			c.upset()
			break
		}
		if c.Pin(n); len(c.Buffered()) > 0 {
			c.Cork()
		}
		c.serve(x)
		switch {
		case x.detached:
			return c.post(x)
		case x.declined:
			c.Unread(n)
			c.upset()
			x.release()
			return wire.Leaves
		case x.close:
			c.x = x
			return wire.Leaves
		}
	}
	x.pass()
	if c.Uncork() != nil || len(c.Buffered()) > 0 {
		return wire.Leaves
	}
	c.ReadWithin(c.p.opt.KeepAlive)
	return wire.Stays
}

// fetch parses the next request, and tells whether it is all there and may be
// served in a turn.
func (c *Client) fetch(x *Exchange) (n int, ok bool) {
	q := &x.Req
	n, err := q.Parse(c.Buffered())
	if err != nil || n > c.p.opt.MaxHead || c.p.special(q) {
		return n, false
	}
	if here := len(c.Buffered()) - n; !x.inHand(here) {
		if q.Length <= int64(here) || q.Length > smallBody || q.Chunked || q.Continue || q.Upgrade || !c.Gather(n+int(q.Length)) {
			return n, false
		}
		_, err = q.Parse(c.Buffered())
	}
	return n, err == nil
}

var wellKnown = []byte("/.well-known/")

// special tells whether a request may be answered by us, after a wait.
func (p *Proxy) special(q *wire.Request) bool {
	return string(q.Method) == "PURGE" || p.opt.Proof != nil && bytes.HasPrefix(q.Path, wellKnown)
}

// light tells whether the steps from here on can be taken in a turn.
func (p *Proxy) light(x *Exchange) bool {
	x.lean = x.route.lean
	x.declined = !x.lean && x.Client.InTurn()
	return !x.declined
}

// glance is lookup in a turn: it answers by what is in memory, if it may.
func (p *Proxy) glance(x *Exchange) bool {
	if x.cache.Glance(&x.visit, &x.Req, x.secure(), x.host()) {
		return p.reply(x)
	}
	x.visit.End()
	x.declined = true
	return false
}

// posted is an exchange whose upstream is asked in a turn.
type posted struct{ *Exchange }

// post asks an upstream, as the last that x's turn does: it goes on in one of
// the upstream's connection, or in a goroutine.
func (c *Client) post(x *Exchange) (end wire.Turned) {
	defer c.fumble(x, &end)
	_ = c.Uncork() // if it fails, so does what follows
	x.tryAt = c.p.clock()
	if u := x.pool.TryTake(c.p.affinity(x), &x.tried); u != nil {
		x.up, x.taken = u, true
		if u.Post(c.Conn, posted{x}) {
			return wire.Busy
		}
	}
	c.calm = 0 // there is no connection where it lives, yet
	go posted{x}.Wake()
	return wire.Busy
}

// fumble is finish for a panic in post.
func (c *Client) fumble(x *Exchange, end *wire.Turned) {
	if r := recover(); r != nil {
		x.detached = false
		c.p.bug(x, r)
		c.p.finish(x)
		c.x, *end = x, wire.Leaves
	}
}

// On is told which connection is asked.
func (w posted) On(l *pool.Link) { w.link = l }

// Turn passes on an answer that is all there, and goes on with what the client
// has sent meanwhile.
func (w posted) Turn() wire.Turned {
	x, c := w.Exchange, w.Client
	if !x.link.Landed(&x.Res, x.isHead()) {
		return wire.Leaves
	}
	x.link.Rise()
	x.detached = false
	c.p.land(x)
	switch c.next(x) {
	case wire.Stays:
		c.Rest()
	case wire.Leaves:
		c.Leave()
	}
	return wire.Passed
}

// land is what is left of Serve for an answer that is all there.
func (p *Proxy) land(x *Exchange) {
	defer p.finish(x)
	p.waited(x)
	p.judge(x, nil)
}

// next ends x, and goes on with what is there.
func (c *Client) next(x *Exchange) wire.Turned {
	if x.close {
		c.x = x
		return wire.Leaves
	}
	x.release()
	c.Release()
	if len(c.Buffered()) > 0 {
		return c.Turn()
	}
	c.ReadWithin(c.p.opt.KeepAlive) // fast path
	return wire.Stays
}

// Wake goes on, in a goroutine, with an exchange that cannot be served in turns.
func (w posted) Wake() {
	x, c := w.Exchange, w.Client
	x.broken = c.Aside() != nil
	c.p.resume(x)
	c.x = x
	if !c.part() {
		c.leave()
		return
	}
	c.ReadWithin(c.p.opt.KeepAlive)
	if !c.run() {
		c.leave()
	}
}

// resume is what is left of Serve for a request that was to be posted.
func (p *Proxy) resume(x *Exchange) {
	defer p.finish(x)
	x.detached = false
	if x.link != nil {
		var f *pool.Fault
		x.link, f = x.up.Await(x.link, x.Client.Conn, x, x.idempotent(), &x.Res)
		if p.judge(x, p.final(x, f)) {
			return
		}
	}
	p.pursue(x)
}

// revive takes up, in a goroutine, what turns have left.
func (c *Client) revive() bool {
	lost := c.Aside() != nil
	if c.x != nil {
		c.x.broken = c.x.broken || lost
		return c.part()
	}
	if lost {
		_ = c.Close()
	}
	return !lost
}
