package proxy

import (
	"cmp"
	"log/slog"
	"net/netip"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"multiserver/pool"
	"multiserver/proxy/wire"
)

// Proxy carries requests to the upstreams of a pool. All its decisions are
// made in New; it is used by any number of goroutines.
type Proxy struct {
	opt      Options
	routes   atomic.Pointer[Routes]
	lines    atomic.Pointer[Log] // nil: no access log
	hsts     []byte              // nil: none
	h3       []door              // none: no HTTP/3
	timed    bool                // the time that exchanges take is logged, or counted
	draining atomic.Bool
	behind   sync.WaitGroup // refreshes that nobody waits for
	grumble  throttle       // of complain
	audit    throttle       // of purges that were done,
	barred   throttle       // and of those that were refused: these must not hide them
	tunnels  tunnels        // that may be told to end

	Stats Stats
}

// Options are fixed for the life of a Proxy.
type Options struct {
	// Route is the terms of requests that come to none, and of all requests as
	// long as there are no others. Its Cache is the one that is purged.
	Route

	Guard *wire.Guard // ends the waits
	Log   *slog.Logger
	Lines *Log // the access log, until SetLines; nil: none
	Timed bool // exchanges are counted by the time they take

	LinesLater bool // there may be an access log, if there is none yet

	Head      time.Duration // for a request's head, from its first byte
	KeepAlive time.Duration // between two requests of a connection

	MaxHead int // bytes of a request's head

	Calm int // short exchanges in a row after which a client has turns; 0: as we think best; less: never

	Upgrade []string // protocols that may be switched to besides websocket; never h2c

	Gate *pool.Gate // bounds the exchanges under way; nil: no bound

	PurgeFrom []netip.Prefix // who may send PURGE, which is for Cache; none: nobody
	Trusted   []netip.Prefix // whose X-Forwarded-* and Forwarded are believed
	Via       bool           // add Via, both ways
	Forwarded bool           // add Forwarded (RFC 7239) to requests

	Redirect string        // that of Routes, as long as there are no others
	Proof    Proof         // that a name is ours, for who issues certificates; nil: none
	HSTS     time.Duration // told in answers by TLS, whole seconds; 0: not
	HTTP3    []string      // ports at which it is spoken beside TLS, which answers there tell
	H3Port   string        // the port to tell of instead, where clients see another; "": that of HTTP3
}

// New returns a Proxy.
func New(o Options) *Proxy {
	p := &Proxy{opt: o, hsts: hstsField(o.HSTS), timed: o.Timed || o.Lines != nil || o.LinesLater}
	p.lines.Store(o.Lines)
	p.SetRoutes(&Routes{All: []*Route{&p.opt.Route}, Redirect: o.Redirect})
	for _, port := range o.HTTP3 {
		p.h3 = append(p.h3, door{port, appendAltSvc(p.hsts, cmp.Or(o.H3Port, port))})
	}
	return p
}

// Drain makes every answer from here on its connection's last.
func (p *Proxy) Drain() { p.draining.Store(true) }

// Wait waits for what goes on behind answers already given, which the timeouts
// of upstreams bound.
func (p *Proxy) Wait() { p.behind.Wait() }

// Serve takes one request all its way. Each step returns true to go on; false
// means that the client has its answer, or that there is no client any more.
func (p *Proxy) Serve(x *Exchange) {
	defer p.finish(x) // the only way out: log, counters, release

	_ = p.admit(x) && // what is refused or answered here: 405, PURGE
		p.route(x) && // host, path and more → Route: 404, 413
		p.light(x) && // in a turn: who may have to wait leaves it, and begins anew
		p.filter(x) && // what this route adds: limits, auth, rewrites
		p.attend(x) && // events, as long as the client likes
		p.lookup(x) && // a fresh copy, or a tolerably stale one, answers here
		p.enter(x) && // a place in the process: 503
		p.bind(x) && // the client's session, for the backend: 503
		p.upgrade(x) && // WebSocket leaves here, to its tunnel
		p.forward(x) // pick, reach, send, judge, store; again if that is safe
}

// finish ends an exchange. A panic is a bug of ours and costs this exchange
// and its connection, nothing else.
func (p *Proxy) finish(x *Exchange) {
	if r := recover(); r != nil {
		p.bug(x, r)
	}
	switch {
	case x.detached:
		return
	case x.declined:
		p.undo(x)
		return
	}
	x.exit()
	if x.broken {
		x.close = true
	}
	p.Stats.count(x.status)
	p.Stats.Spoken[x.Client.protocol].Add(1)
	if p.timed { // before the visit ends: it has what the cache did
		p.record(x)
	}
	x.visit.End()
}

func (p *Proxy) bug(x *Exchange, cause any) {
	p.Stats.Panics.Add(1)
	p.opt.Log.Error("BUG: panic", "cause", cause, "stack", string(debug.Stack()))
	x.wreck()
}
