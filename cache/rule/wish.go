package rule

import "multiserver/proxy/wire"

// Wish is what a request's Cache-Control asks for (RFC 9111 §5.2.1). The
// numbers are ms, -1 where there is none.
type Wish struct {
	NoCache      bool // only what an upstream has just confirmed
	NoStore      bool // nothing of this exchange may be stored; what is stored already may be used
	OnlyIfCached bool // from the cache, or 504

	MaxAge, MinFresh, MaxStale int64
}

// NoWish is that of a request which says nothing.
var NoWish = Wish{MaxAge: -1, MinFresh: -1, MaxStale: -1}

var controls = wire.KindsOf(wire.CacheControl, wire.Pragma)

// Read makes w what req wishes. A max-age that cannot be read is 0, as with
// answers; other members that cannot be read are ignored.
func (w *Wish) Read(req *wire.Request) {
	*w = NoWish
	if !req.HasAny(controls) {
		return // fast path: nearly all requests
	}
	controlled := false
	for i := range req.Fields {
		f := &req.Fields[i]
		if f.Kind == wire.CacheControl {
			controlled = true
			w.line(req.Value(f))
		}
	}
	if !controlled {
		w.pragma(req)
	}
}

func (w *Wish) line(v []byte) {
	var m member
	for l := (lexer{v}); l.next(&m); {
		if m.form == broken {
			continue
		}
		switch {
		case wire.EqualFold(m.name, "no-cache"):
			w.NoCache = true
		case wire.EqualFold(m.name, "no-store"):
			w.NoStore = true
		case wire.EqualFold(m.name, "only-if-cached"):
			w.OnlyIfCached = true
		case wire.EqualFold(m.name, "max-age"):
			n, _ := delta(m.arg)
			first(&w.MaxAge, n)
		case wire.EqualFold(m.name, "min-fresh"):
			if n, ok := delta(m.arg); ok {
				first(&w.MinFresh, n)
			}
		case wire.EqualFold(m.name, "max-stale"):
			if m.form == bare {
				first(&w.MaxStale, never)
			} else if n, ok := delta(m.arg); ok {
				first(&w.MaxStale, n)
			}
		}
	}
}

func first(to *int64, seconds int64) {
	if *to < 0 {
		*to = seconds * 1000
	}
}

// pragma is how HTTP/1.0 said no-cache; beside Cache-Control it does not count
// (RFC 9111 §5.4).
func (w *Wish) pragma(req *wire.Request) {
	for i := range req.Fields {
		f := &req.Fields[i]
		if f.Kind != wire.Pragma {
			continue
		}
		var m member
		for l := (lexer{req.Value(f)}); l.next(&m); {
			w.NoCache = w.NoCache || m.form == bare && wire.EqualFold(m.name, "no-cache")
		}
	}
}

// Takes tells whether a stored answer may be used without asking an upstream.
// grace is for how many ms past until it may be used stale for reasons of the
// answer's, 0 if there are none; -1: it must never be, whatever the request
// would take (Terms.Strict).
func (w *Wish) Takes(born, until, grace, now int64) bool {
	left := until - now
	switch {
	case w.NoCache, w.MaxAge == 0, w.MaxAge > 0 && now-born > w.MaxAge, w.MinFresh > max(left, 0):
		return false
	case left > 0:
		return true
	case grace < 0:
		return false
	case w.MaxAge >= 0: // RFC 9111 §5.2.1.1: then only max-stale makes stale answers welcome
		grace = 0
	}
	return -left < max(grace, w.MaxStale)
}

// asksNoStore is Wish.Read for one directive.
func asksNoStore(req *wire.Request) bool {
	if !req.HasAny(controls) {
		return false
	}
	var m member
	for i := range req.Fields {
		f := &req.Fields[i]
		if f.Kind != wire.CacheControl {
			continue
		}
		for l := (lexer{req.Value(f)}); l.next(&m); {
			if m.form != broken && wire.EqualFold(m.name, "no-store") {
				return true
			}
		}
	}
	return false
}
