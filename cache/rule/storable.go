package rule

import "multiserver/proxy/wire"

// head is what an answer's fields say that matters here; the first of several
// lines counts, where only one is allowed. Values are borrowed.
type head struct {
	directives
	targeted bool // the directives are a targeted field's: Expires does not count

	age, date, expires, modified []byte
	there                        present
	varies                       int // names in Vary
	unreadable                   bool
}

type present uint8

const (
	hasAge present = 1 << iota
	hasExpires
	hasModified
	hasETag
	hasCookie
)

// read takes in all fields but those with directives.
func (h *head) read(res *wire.Response) {
	for i := range res.Fields {
		f := &res.Fields[i]
		name := res.Name(f)
		switch len(name) { // fast path: most fields are none of these, and their length says so
		case 3:
			h.first(res, f, name, "age", hasAge, &h.age)
		case 4:
			switch {
			case f.Kind == wire.Date && h.date == nil:
				h.date = res.Value(f)
			case wire.EqualFold(name, "vary"):
				n, ok := countNames(res.Value(f))
				h.varies += n
				h.unreadable = h.unreadable || !ok
			case wire.EqualFold(name, "etag") && f.To > f.From:
				h.there |= hasETag
			}
		case 7:
			h.first(res, f, name, "expires", hasExpires, &h.expires)
		case 10:
			if wire.EqualFold(name, "set-cookie") {
				h.there |= hasCookie
			}
		case 13:
			h.first(res, f, name, "last-modified", hasModified, &h.modified)
		}
	}
}

func (h *head) first(res *wire.Response, f *wire.Field, name []byte, lower string, bit present, to *[]byte) {
	if h.there&bit == 0 && wire.EqualFold(name, lower) {
		h.there |= bit
		*to = res.Value(f)
	}
}

// readDirectives reads the first target that is there, not empty and valid,
// or else Cache-Control.
func (h *head) readDirectives(targets []string, res *wire.Response, t *Terms) {
	for _, name := range targets {
		if h.targeted = h.readTarget(name, res, t); h.targeted {
			break
		}
		h.directives, t.Drop = directives{}, t.Drop[:0]
	}
	if !h.targeted {
		for i := range res.Fields {
			f := &res.Fields[i]
			if f.Kind == wire.CacheControl {
				h.directives.read(res.Value(f), t)
			}
		}
	}
	if t.Drops(etag) {
		h.there &^= hasETag
	}
	if t.Drops(lastModified) {
		h.there &^= hasModified
	}
}

var (
	etag         = []byte("etag")
	lastModified = []byte("last-modified")
	setCookie    = []byte("set-cookie")
)

func (h *head) readTarget(name string, res *wire.Response, t *Terms) (found bool) {
	for i := range res.Fields {
		f := &res.Fields[i]
		if f.From == f.To || !wire.EqualFold(res.Name(f), name) {
			continue
		}
		if !h.target(res.Value(f), t) {
			return false
		}
		found = true
	}
	return found
}

// refusal is RFC 9111 §3 without freshness.
func (r *Rules) refusal(h *head, req *wire.Request, status int) Reason {
	understood := h.has(mustUnderstand)
	switch {
	case understood && !known(status):
		return Status
	case !r.Ignore && asksNoStore(req):
		return Refused
	case h.broken:
		return Malformed
	case h.has(noStore) && !understood: // RFC 9111 §5.2.2.3
		return NoStore
	case h.has(private):
		return Private
	case !h.shared() && req.Find(wire.Authorization) != nil:
		return Authorization
	case req.Has(wire.Personal) && !h.has(public):
		return Session
	case h.unreadable || h.varies > maxNames:
		return VaryAny
	}
	return Storable
}

// shared tells whether the answer may be given to others than the one who
// proved who he is (RFC 9111 §3.5).
func (h *head) shared() bool { return h.said&(1<<public|1<<mustRevalidate|1<<sMaxAge) != 0 }

// worth tells whether an answer that may be stored is ever of use.
func (r *Rules) worth(h *head, t *Terms, life life, now int64) Reason {
	validator := h.there&(hasETag|hasModified) != 0
	switch {
	case h.there&hasCookie != 0 && (r.RefuseCookies || !t.Drops(setCookie) && (!life.explicit || life.ms <= 0 || t.Always)):
		// One that is validated at each use sends the same cookie to everyone
		// whose 304 brings none.
		return Cookie
	case life.never, !life.known && !t.Always:
		return NoFreshness
	case t.Always && !validator:
		return NoValidator
	case validator, t.Until > now, t.Until+max(t.While, t.IfError) > now:
		return Storable
	case life.explicit && life.ms > 0 && !t.Strict: // it was fresh elsewhere: for requests with max-stale, and failing upstreams
		return Storable
	}
	return NoFreshness
}

// known tells whether the status is one whose meaning for caches we know
// (RFC 9110 §15): all that are registered there.
func known(status int) bool {
	switch {
	case status >= 200 && status <= 206, status >= 300 && status <= 305, status == 307, status == 308:
		return true
	case status >= 400 && status <= 417, status == 421, status == 422, status == 426, status >= 500 && status <= 505:
		return true
	}
	return false
}

// heuristic tells whether an answer with that status may be taken for fresh
// though it does not say so (RFC 9110 §15.1).
func heuristic(status int) bool {
	switch status {
	case 200, 203, 204, 300, 301, 308, 404, 405, 410, 414, 501:
		return true
	}
	return false
}
