package proxy

import (
	"net/netip"
)

// Filter is something that a route adds to the way of its requests. It is used
// by many exchanges at once, and keeps nothing of any of them. Embed Pass to
// write only the half you need.
type Filter interface {
	// Request sees the request before the cache does. It may change what an
	// upstream is sent, by x.Ask and x.Rewrite, and what the client is
	// answered, by x.Tell. false: it has answered itself, by x.Answer or
	// x.Say, and nobody else is asked.
	Request(x *Exchange) bool
	// Response sees the head of the final answer, whoever gives it, before the
	// client does, and may change it by x.Tell. What is stored is not changed
	// by that. It is called in reverse order.
	Response(x *Exchange)
}

// Pass is a Filter that does nothing.
type Pass struct{}

func (Pass) Request(*Exchange) bool { return true }
func (Pass) Response(*Exchange)     {}

// Prompt is Pass for a filter that waits for nothing, takes little time, and
// changes nothing but the exchange: it may be asked in a turn, and then once more.
type Prompt struct{ Pass }

func (Prompt) prompt() {}

// promptly tells whether all filters are of that kind.
func promptly(filters []Filter) bool {
	for _, f := range filters {
		if _, ok := f.(interface{ prompt() }); !ok {
			return false
		}
	}
	return true
}

// filter lets the route's filters see the request, in their order. Answers
// from the cache pass them as well: who may not see an answer may not see it
// from there.
func (p *Proxy) filter(x *Exchange) bool {
	for _, f := range x.route.Filters {
		if !f.Request(x) {
			return false
		}
	}
	return true
}

// Ask are edits of the request that an upstream gets.
func (x *Exchange) Ask() *Edits { return &x.ask }

// Tell are edits of the answer that the client gets.
func (x *Exchange) Tell() *Edits { return &x.tell }

// Rewrite has upstreams asked for path, which begins with "/" and is copied. The
// cache goes by what the client has asked for.
func (x *Exchange) Rewrite(path []byte) { x.path = append(x.path[:0], path...) }

// Path is what upstreams are asked for: path and query. It is borrowed until
// the next Rewrite.
func (x *Exchange) Path() []byte {
	if len(x.path) > 0 {
		return x.path
	}
	return x.Req.Path
}

// Addr is the client's address, as far as those tell whom we trust; not valid
// on a Unix socket.
func (x *Exchange) Addr() netip.Addr {
	if x.Client.trusted {
		if a := x.said(); a.IsValid() {
			return a
		}
	}
	return x.Client.addr
}

// Cookie is the value of the first cookie of that name, borrowed until the
// exchange ends; nil: there is none.
func (x *Exchange) Cookie(name string) []byte { return x.cookie(name) }

// Secure tells whether the client came by TLS, as far as those tell whom we
// trust.
func (x *Exchange) Secure() bool { return x.secure() }

// Status is the final answer's; 0: there is none yet.
func (x *Exchange) Status() int { return x.status }

// Answer answers with a page of our own; what is for people, a few words that
// never change. It returns false, so that Request can end with it.
func (x *Exchange) Answer(status int, what string) bool { return x.Client.p.answer(x, status, what) }

// Say is Answer with a body of its own, of that media type; "": there is none.
func (x *Exchange) Say(status int, kind string, body []byte) bool {
	return x.Client.p.say(x, status, kind, body)
}

// dress makes the front of an answer, which begins with its head, as filters
// want it. It is borrowed until the next buffer of x's.
func (x *Exchange) dress(front []byte) []byte {
	if len(x.route.Filters) == 0 && !x.tell.any() { // fast path
		return front
	}
	x.asked.copy(&x.tell)
	for i := len(x.route.Filters) - 1; i >= 0; i-- {
		x.route.Filters[i].Response(x)
	}
	if x.tell.any() {
		x.dressed = x.tell.append(x.dressed[:0], front)
		front = x.dressed
	}
	x.tell, x.asked = x.asked, x.tell // another answer may yet take the place of this one
	return front
}

// dressOut is dress for x.out.
func (x *Exchange) dressOut() {
	if front := x.dress(x.out); &front[0] != &x.out[0] {
		x.out = append(x.out[:0], front...)
	}
}
