package cache

import (
	"time"

	"multiserver/cache/purge"
	"multiserver/proxy/wire"
)

// search is what follows when memory alone has no answer: the second tier,
// another request's fetch, or one of our own.
func (c *Cache) search(v *Visit, q *wire.Request) Verdict {
	switch {
	case v.wish.OnlyIfCached:
		return c.onlyIfCached(v, q)
	case c.remembered(v):
		v.Why = ByRemembered
		return c.miss(v, q)
	case q.HasAny(partial) && !v.Entry.There():
		if c.slice(v, q) {
			return c.hit(v, Memory)
		}
		return c.miss(v, q)
	case v.wish.NoCache:
		return c.miss(v, q)
	case string(q.Method) == "HEAD", v.wish.NoStore: // whose answer fills nothing
		if c.remote(v, q) {
			return c.hit(v, Redis)
		}
		return c.miss(v, q)
	}
	return c.together(v, q)
}

func (c *Cache) onlyIfCached(v *Visit, q *wire.Request) Verdict {
	if c.remote(v, q) {
		return c.hit(v, Redis)
	}
	v.fills, v.Tier = false, 0
	return Refused
}

// remembered tells whether a recent answer here was one that is not shared.
func (c *Cache) remembered(v *Visit) bool {
	e := &v.Entry
	return e.There() && e.kind() == kindPass && v.Now < e.i64(atUntil) &&
		c.marks.Check(v.target(), nil, e.seq()) == purge.Valid
}

// rounds bounds how often a request looks again behind others' fetches: each
// round some other one was told to go, or learned what answers vary by.
const rounds = 4

// together leads a fetch, or waits for the one that is under way.
func (c *Cache) together(v *Visit, q *wire.Request) Verdict {
	end := v.Now + c.by.Wait.Milliseconds() // of all waiting, whoever is waited for
	for range rounds {
		f, lead := c.flights.join(v.at)
		if lead {
			v.fetch = f
			if c.lead(v, q) {
				v.land(stored)
				return c.hit(v, Redis)
			}
			if c.remembered(v) {
				v.Why = ByRemembered
				v.land(unshared)
			}
			return c.miss(v, q)
		}
		v.lighten()
		landed := f.wait(time.Duration(end-v.Now) * time.Millisecond)
		v.Now = c.opt.Clock()
		switch found := c.near(v, q); {
		case found && c.fits(v):
			v.Collapsed = true
			c.Stats.Collapsed.Add(1)
			return c.hit(v, Memory)
		case !landed:
			c.Stats.Lone.Add(1)
			return c.miss(v, q)
		case f.outcome == unshared:
			v.Why = ByRemembered
			return c.miss(v, q)
		}
	}
	return c.miss(v, q)
}

// lead is what the leader of a flight does before it asks the origin: somebody
// may have landed since it looked, another node may have the answer, or be
// fetching it.
func (c *Cache) lead(v *Visit, q *wire.Request) bool {
	if c.near(v, q) && c.fits(v) {
		v.Tier = max(v.Tier, Memory)
		return true
	}
	changes := c.changes.of(v.at).Load()
	return c.remote(v, q) || !c.remembered(v) && c.elsewhere(v, q, changes)
}

// miss settles how the request is forwarded.
func (c *Cache) miss(v *Visit, q *wire.Request) Verdict {
	v.leave()
	v.Tier = 0 // where it was found, to no use
	e := &v.Entry
	if e.There() && e.kind() != kindAnswer && e.kind() != kindPart {
		*e = Entry{}
	}
	if v.Why == 0 {
		v.Why = v.cause()
	}
	v.asks = e.There() && e.kind() == kindAnswer && e.validators() && c.complete(v)
	if !e.There() && !q.HasAny(partial|asking) && string(q.Method) == "GET" {
		c.continues(v)
	}
	v.lighten()
	c.Stats.Misses[v.Why].Add(1)
	return Miss
}

func (v *Visit) cause() Reason {
	switch {
	case v.Entry.There():
		return Expired
	case v.vary:
		return Variant
	}
	return Absent
}

// AppendConditions appends the fields that ask an upstream whether Entry still
// holds, or for what lacks of it.
func (v *Visit) AppendConditions(dst []byte) []byte {
	e := &v.Entry
	switch {
	case v.asks:
		if tag := e.ETag(); len(tag) > 0 {
			dst = append(append(append(dst, "If-None-Match: "...), tag...), crlf...)
		}
		if date := e.LastModified(); len(date) > 0 {
			dst = append(append(append(dst, "If-Modified-Since: "...), date...), crlf...)
		}
	case v.rest:
		dst = e.appendRest(dst, v.from)
	}
	return dst
}

// Forwards tells whether a field of that kind goes to the upstream with a
// request whose answer may be stored: nothing that is no part of the key may
// shape what others get, and where Entry is asked about, the client's own
// conditions are answered here.
func (v *Visit) Forwards(k wire.Kind) bool {
	switch k {
	case wire.Override:
		return !v.fills
	case wire.Condition, wire.Range:
		return !v.asks && !v.isBehind // behind, nobody is there who could use less than all
	}
	return true
}
