package proxy

import (
	"cmp"
	"time"

	"multiserver/cache"
	"multiserver/pool"
	"multiserver/proxy/wire"
	"multiserver/sync/session"
)

// Route is what is done with one kind of request: where it goes, and on what
// terms. It is made at start and at each reload and never edited; exchanges
// under way keep theirs to their end.
type Route struct {
	Name string // in logs and metrics

	Pool  *Pool // where requests go
	Split Split // or, with two and more: several, each with its share
	Pages Pages // answers to failures; nil: built in

	Filters []Filter // in the order in which they see a request
	Watch   Watcher  // takes part in WebSockets; nil: nobody does
	Events  Events   // answers by streams of its own; nil: nobody does

	Cache    *cache.Cache      // answers that are kept; nil: none
	Sessions *session.Sessions // that clients have; nil: none

	Tries      int           // upstreams that a request is sent to at most; 0: as many as a pool allows
	Response   time.Duration // from the request's last byte to the answer's first
	Idle       time.Duration // between two bytes of a body, either side
	TunnelIdle time.Duration // between two bytes of a tunnel, either way; 0: no limit
	MaxBody    int64         // bytes of a request's body; 0: no limit

	lean  bool   // none of its steps waits, but for upstreams
	tally *Tally // by Name; of all exchanges that come here
	coder Coder  // of Filters; nil: none
}

// Pool is upstreams to choose from, and what makes requests meet the same one
// again.
type Pool struct {
	*pool.Pool
	Name     string // in logs and metrics
	Balance  string // in traces: how it chooses
	Affinity Affinity

	waits *Tally // by Name; of all tries there
}

// Routes is a table of them, replaced as a whole by SetRoutes.
type Routes struct {
	All  []*Route
	Find Finder // whose of All a request is; nil: all are the first's
	None *Route // terms of requests that come to none of All; nil: as Options have it

	Redirect string // requests without TLS are sent to https at this port; "": they are served

	sessions *session.Sessions // those of some route: what is said of them passes to nobody, whichever they are; nil: none has any
	users    users
}

// Finder tells which of the routes a request is for: an index, NoRoute or
// Unclear. It is asked for every request and must not keep q.
type Finder interface {
	Find(q *wire.Request) int
}

// What a Finder says in place of an index.
const (
	NoRoute = -1
	Unclear = -2 // it depends on how an upstream reads the path
)

// SetRoutes has requests from here on go by t, which was not given to it before.
// Those under way go on as they began.
func (p *Proxy) SetRoutes(t *Routes) {
	for _, r := range t.All {
		if r.Sessions != nil {
			t.sessions = r.Sessions
		}
		if c := coderOf(r.Filters); c != r.coder { // it may be in use already
			r.coder = c
		}
		if lean := promptly(r.Filters) && r.Events == nil && r.Sessions == nil; lean != r.lean { // the same
			r.lean = lean
		}
		r.tally = p.Stats.Routes.of(r.Name)
		for _, sh := range r.Split.shares {
			sh.Pool.waits = p.Stats.Pools.of(sh.Pool.Name)
		}
		if r.Pool != nil {
			r.Pool.waits = p.Stats.Pools.of(r.Pool.Name)
		}
	}
	if t.None == nil {
		t.None = &p.opt.Route
	}
	t.None.tally = p.Stats.Routes.of(t.None.Name)
	p.routes.Store(t)
}

// route finds where the request goes, and holds it against what may go there.
func (p *Proxy) route(x *Exchange) bool {
	t, i := x.routes, 0
	if t.Find != nil {
		i = t.Find.Find(&x.Req)
	}
	switch i {
	case NoRoute:
		return p.answer(x, 404, "no route for this host and path")
	case Unclear: // one route would guard it, and another serve it
		return p.answer(x, 400, "path can be read in two ways")
	}
	r := t.All[i]
	x.route, x.pool, x.cache = r, r.Pool, r.Cache
	if len(r.Split.shares) > 0 {
		sh := r.Split.choose(x)
		x.pool, x.cache = sh.Pool, cmp.Or(sh.Cache, r.Cache)
	}
	if r.MaxBody > 0 && x.Req.Length > r.MaxBody {
		return p.answer(x, 413, "body too large")
	}
	x.inBody.Limit(r.MaxBody)
	return true
}

// Within is how long the upstream may take for the first byte of its answer.
func (x *Exchange) Within() time.Duration { return x.route.Response }
