package proxy

import "sync/atomic"

// users counts the exchanges that go by some Routes, so that what these lead to
// can be closed behind the last of them. It costs an exchange two additions to
// memory that other cores rarely touch.
type users [shards]struct {
	n atomic.Int64
	_ [56]byte
}

// Idle tells whether no exchange goes by t. Once SetRoutes has put others in
// its place, that stays so. It looks twice for the sake of joinBeside: an
// exchange may have come where it has looked already, and the one that it came
// with gone where it has not yet.
func (t *Routes) Idle() bool {
	for range 2 {
		for i := range t.users {
			if t.users[i].n.Load() > 0 {
				return false
			}
		}
	}
	return true
}

// join has x go by the routes of this moment, up to part. It looks twice: who
// asks whether t is idle, behind SetRoutes, either sees x, or x sees that t is
// over.
func (x *Exchange) join(p *Proxy) {
	for {
		t := p.routes.Load()
		t.users[x.shard].n.Add(1)
		if p.routes.Load() == t {
			x.routes, x.route = t, t.None
			return
		}
		t.users[x.shard].n.Add(-1)
	}
}

// joinBeside has x go by the same as y, which has joined.
func (x *Exchange) joinBeside(y *Exchange) {
	x.routes, x.route = y.routes, y.route
	x.routes.users[x.shard].n.Add(1)
}

// part ends that; it may be called again.
func (x *Exchange) part() {
	if t := x.routes; t != nil {
		x.routes = nil
		t.users[x.shard].n.Add(-1)
	}
}
