package proxy

import (
	"errors"

	"multiserver/pool"
	"multiserver/proxy/wire"
)

// Bounds of forward.
const (
	// maxResent is how often a request is sent again that an upstream may
	// already have read.
	maxResent = 2
	// maxInterim bounds the 1xx answers before the final one.
	maxInterim = 32
)

// forward asks upstreams until one answers, or it is not safe to ask another.
func (p *Proxy) forward(x *Exchange) bool {
	if !p.collect(x) {
		return false
	}
	if x.Client.InTurn() {
		x.detached = true // it is posted as the turn's last act
		return true
	}
	return p.pursue(x)
}

// pursue is forward for a request that is collected.
func (p *Proxy) pursue(x *Exchange) bool {
	for {
		if !x.taken && !p.take(x) {
			return p.fail(x)
		}
		if ended := p.judge(x, p.try(x, x.up)); ended {
			return x.fault == nil
		}
	}
}

// judge passes on what a try has brought, and tells whether the client has its
// answer by that; else another upstream may be asked.
func (p *Proxy) judge(x *Exchange, f *pool.Fault) (ended bool) {
	if f == nil && p.doubts(x) {
		f = pool.StatusFault()
	}
	if f == nil {
		f = p.relay(x)
	}
	if p.done(x, f) {
		return true
	}
	if !p.again(x) {
		p.fail(x)
		return true
	}
	return false
}

// doubts tells whether a bad answer is not worth passing on: it comes from an
// upstream that keeps giving such answers, or is on probation for it, and
// another one may be asked: then the retry is paid. Else the return of one that
// is still ill would cost a request each time.
func (p *Proxy) doubts(x *Exchange) bool {
	return x.up.Doubtful(x.Res.Status) && x.idempotent() && !x.informed && !x.upload.began &&
		x.resent < maxResent && x.left() && p.pay(x.pool.MayRetry())
}

// MayMove tells whether x may leave an upstream that hangs for another one.
func (x *Exchange) MayMove() bool {
	p := x.Client.p
	return x.idempotent() && !x.informed && x.resent < maxResent && x.left() && p.pay(x.pool.MayMove())
}

// left tells whether there is an upstream that x may be sent to yet.
func (x *Exchange) left() bool {
	most := x.route.Tries
	return (most == 0 || x.tried.Count() < most) && x.pool.Left(&x.tried)
}

// MayShare tells whether x may be asked on a connection with others. A HEAD may
// not: the body that must not follow its answer would be read as the next one.
func (x *Exchange) MayShare() bool {
	return string(x.Req.Method) == "GET" && len(x.body) == 0 && !x.switching && !x.Req.Continue
}

// pay counts a retry that the budget has refused.
func (p *Proxy) pay(granted bool) bool {
	if !granted {
		p.Stats.Spent.Add(1)
	}
	return granted
}

// take picks the upstream of the next try and takes a slot there.
func (p *Proxy) take(x *Exchange) bool {
	u, f := x.pool.Take(x.Client.Conn, p.affinity(x), &x.tried)
	if u == nil {
		if x.fault == nil { // what the last upstream did says more than that there is no other
			x.fault = f
		}
		return false
	}
	x.up, x.taken = u, true
	return true
}

// done ends a try, and tells whether it went well.
func (p *Proxy) done(x *Exchange, f *pool.Fault) bool {
	p.leave(x, f)
	x.give(f)
	x.fault = f
	return f == nil
}

// give gives the slot back, once.
func (x *Exchange) give(f *pool.Fault) {
	if x.taken {
		x.taken = false
		x.up.Done(f, x.Res.Status)
	}
}

// again tells whether another upstream may be asked: if that is safe, and not
// too many requests are asked again already.
func (p *Proxy) again(x *Exchange) bool {
	if !x.mayRetry() || !x.left() {
		return false
	}
	paid := x.fault.Reason == pool.BadStatus || x.fault.Reason == pool.Hung // by doubts, by MayMove
	if !paid && !p.pay(x.pool.MayRetry()) {
		return false
	}
	x.after = x.fault.Reason.String()
	p.Stats.Retries[x.fault.Reason].Add(1)
	return true
}

// try sends the request to u and reads the head of its final answer.
func (p *Proxy) try(x *Exchange, u *pool.Upstream) (f *pool.Fault) {
	x.tryAt = p.clock()
	if !x.flowsOn() { // fast path
		x.link, f = u.Ask(x.Client.Conn, x, x.idempotent(), &x.Res)
	} else {
		f = p.stream(x, u)
	}
	return p.final(x, f)
}

// final goes on to the head of the final answer.
func (p *Proxy) final(x *Exchange, f *pool.Fault) *pool.Fault {
	for f == nil && x.Res.Status < 200 {
		f = p.interim(x)
	}
	p.waited(x)
	return f
}

// interim passes a 1xx on to a client that knows them (RFC 9110 §15.2), and
// reads the next answer. 100 is for the client only if it asked for it.
func (p *Proxy) interim(x *Exchange) *pool.Fault {
	if x.up1xx++; x.up1xx > maxInterim || x.Res.Status == 101 {
		return &pool.Fault{Sent: true, Reason: pool.BadAnswer, Err: errInterim}
	}
	if x.Req.Minor == 1 && (x.Res.Status != 100 || x.Req.Continue) {
		if x.routes.sessions != nil {
			x.Res.Conceal(wire.Session) // which counts in the final answer only
		}
		x.out = x.appendResponse(x.buffer(len(x.Res.Raw)), wire.None)
		x.Client.WriteWithin(x.route.Idle)
		if err := x.Client.Write(x.out, nil); err != nil {
			return x.gone(err)
		}
		x.informed = true
		x.goAhead = x.goAhead || x.Res.Status == 100
	}
	return p.answered(x)
}

var errInterim = errors.New("101 that was not asked for, or too many interim answers")

// gone is the fault when the client cannot be written to.
func (x *Exchange) gone(err error) *pool.Fault {
	x.broken = true
	return &pool.Fault{Side: pool.Client, Sent: true, Reason: pool.Left, Err: err}
}

// mayRetry tells whether asking another upstream is safe: nothing has reached
// the client, the whole request is still here, and no upstream can have acted
// on it, or acting twice is the same as once.
func (x *Exchange) mayRetry() bool {
	f := x.fault
	if f.Side == pool.Client || x.began || x.informed || x.upload.began {
		return false
	}
	switch {
	case !f.Sent:
		return true
	case (f.Reason == pool.Broken || f.Reason == pool.BadStatus || f.Reason == pool.Hung) && x.idempotent() && x.resent < maxResent:
		x.resent++
		return true
	}
	return false
}

// leave parts with the upstream's connection: it is kept if both messages
// ended as they should, and the answer allows it.
func (p *Proxy) leave(x *Exchange, f *pool.Fault) {
	whole := x.endUpload(f)
	l := x.link
	if x.link = nil; l == nil {
		return
	}
	announced := x.outBody.Framing() == wire.None && (x.Res.Length > 0 || x.Res.Chunked || x.code.announced)
	x.code.reset()
	if f != nil || !whole || announced || !x.Res.Persists() || !x.outBody.Ended() {
		l.Drop() // announced: HEAD, 204 or 304 whose body may yet come
		return
	}
	if x.brief {
		l.Settle(x.Client.Conn)
	}
	l.Keep()
}

// fail answers for the last fault, as far as an answer is still possible.
func (p *Proxy) fail(x *Exchange) bool {
	f := x.fault
	switch {
	case x.upload.err != nil && !x.began:
		return p.clientFault(x, x.upload.err)
	case f.Side == pool.Client:
		x.broken = true
		x.status = max(x.status, 499) // what nginx logs it as; nobody gets it
		return false
	}
	p.complain(x)
	if x.began {
		x.broken = true
		return false
	}
	x.cut = false
	if x.visit.Tolerates() {
		x.visit.UseStale()
		return p.reply(x)
	}
	return p.answer(x, f.Status(), f.Reason.String())
}

// complain logs the last fault. Refusals are only counted: under overload
// there would be one for every request.
func (p *Proxy) complain(x *Exchange) {
	f, name := x.fault, "-"
	if f.Side == pool.Self {
		return
	}
	swallowed, ok := p.grumble.allow(p.opt.Guard.Now())
	if !ok {
		return
	}
	if x.up != nil {
		name = x.up.Name()
	}
	p.opt.Log.Warn("request failed", "upstream", name, "reason", f.Reason.String(),
		"try", x.tried.Count(), "sent", f.Sent, "cause", f.Err, "swallowed", swallowed)
}

// clientFault answers for a request body that did not come as announced.
func (p *Proxy) clientFault(x *Exchange, err error) bool {
	x.close, x.unread = true, true
	var bad *wire.Bad
	switch {
	case errors.As(err, &bad):
		return p.answer(x, bad.Status, bad.What)
	case err == wire.ErrTime:
		return p.answer(x, 408, "request body not complete in time")
	}
	return p.answer(x, 400, "request body cut short")
}
