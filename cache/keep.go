package cache

import (
	"multiserver/cache/purge"
	"multiserver/cache/rule"
	"multiserver/proxy/wire"
)

// Outcome is what Answered makes of an upstream's answer.
type Outcome uint8

const (
	Relay     Outcome = iota // pass it on; give the body to Append and its end to Commit
	Confirmed                // Entry is the answer, brought up to date
	Fallback                 // Entry is a better answer than this one, although it is stale
	Again                    // the answer is of no use: ask once more, without conditions
	Gather                   // as Relay, but only for Append and Commit: then Entry is the answer; if there is none, as Again
)

// Answered tells the cache of the final answer's head before anything of it
// reaches the client, and settles what is stored.
func (c *Cache) Answered(v *Visit, q *wire.Request, res *wire.Response) Outcome {
	if !v.fills {
		return Relay
	}
	now := c.opt.Clock()
	outcome := Relay
	switch {
	case res.Status == 304 && v.asks:
		return c.confirm(v, q, res, now)
	case failing(res.Status) && v.tolerates(now):
		return Fallback
	case res.Status == 304: // to conditions of the client's own
	case string(q.Method) == "HEAD":
		c.headed(v, q, res, now)
	case res.Status == 206:
		outcome = c.part(v, q, res, now)
	case res.Status == 416 && v.rest:
		v.rest, v.Entry = false, Entry{}
		return Again
	default:
		c.store(v, q, res, now)
	}
	if outcome == Relay && !v.write.on {
		v.land(v.lesson(res))
	}
	return outcome
}

// lesson is what an answer that is not stored means to those who wait for it:
// nothing, if it is so for reasons of this request, or a failure, which the
// next one may not meet: all at once would be the end of an upstream that is ill.
func (v *Visit) lesson(res *wire.Response) outcome {
	if res.Status == 304 || res.Status >= 500 || v.terms.Why == rule.Authorization || v.terms.Why == rule.Refused {
		return failed
	}
	return unshared
}

// failing tells whether a status means that the upstream could not answer,
// which is when a stale answer may do (RFC 5861 §4).
func failing(status int) bool {
	return status == 500 || status >= 502 && status <= 504
}

// Tolerates tells whether Entry, although stale, may answer because no
// upstream does.
func (v *Visit) Tolerates() bool { return v.fills && v.tolerates(v.c.opt.Clock()) }

func (v *Visit) tolerates(now int64) bool {
	e := &v.Entry
	return e.There() && e.kind() == kindAnswer && now < e.i64(atError) && !e.has(flagStrict|flagAlways) &&
		!v.doubt && !v.wish.NoCache && v.wish.MaxAge < 0
}

// UseStale makes a Hit of a Miss whose upstreams failed.
func (v *Visit) UseStale() {
	v.Tier = Stale
	v.c.Stats.Hits[Stale].Add(1)
	v.land(unshared)
}

// store begins to store an answer if it may be.
func (c *Cache) store(v *Visit, q *wire.Request, res *wire.Response, now int64) {
	t := &v.terms
	c.by.Rules.Judge(t, q, res, v.from, now)
	if t.Why == 0 && !c.writable(res) {
		c.Stats.Long.Add(1)
		return
	}
	if t.Why != 0 {
		c.unshare(v, res, now)
		return
	}
	c.place(v, q, res)
	v.id = newID()
	c.begin(v, t, &terms{kind: kindAnswer}, res, now)
}

// writable tells whether an answer is short enough, as far as that is known.
func (c *Cache) writable(res *wire.Response) bool {
	return res.Length <= c.by.Object && len(res.Raw) <= maxHead
}

// remember is for how long an answer that may not be stored keeps others from
// waiting for the next one.
const remember = 60_000

// unshare notes that an answer may not be stored. What it replaces goes; and
// if somebody waited for it, here or on another node, the next ones need not.
func (c *Cache) unshare(v *Visit, res *wire.Response, now int64) {
	c.Stats.Unshared.Add(1)
	if v.lesson(res) == failed {
		return
	}
	if v.Entry.There() && v.Entry.kind() == kindAnswer {
		c.drop(v.at)
	}
	if v.fetch == nil || v.fetch.waiters.Load() == 0 && v.lease == nil {
		return
	}
	rec := append(appendRecord(nil, &terms{kind: kindPass, until: now + remember, seq: v.seq}), crlf...)
	c.mem.Put(v.at, rec, v.epoch)
	if c.far != nil && v.fetch.waiters.Load() > 0 {
		c.send(v.at, rec, remember)
	}
}

// place settles where the answer to q is to lie: under the key itself, or,
// once any answer there varies, under the key and what it varies by. The names
// only ever grow, so that every answer is found by what any of them named.
func (c *Cache) place(v *Visit, q *wire.Request, res *wire.Response) {
	names, _ := rule.AppendVary(v.scratch[:0], res)
	names = rule.UnionVary(nil, names, c.by.Vary)
	if v.scratch = names; len(names) == 0 && !v.vary {
		return // fast path
	}
	union := rule.UnionVary(nil, names, v.names)
	if !v.vary || string(union) != string(v.names) {
		v.names, v.gen, v.vary, v.grows = append(v.names[:0], union...), newID(), true, true
	}
	v.at = appendVariant(v.at[:0], v.key, v.gen, v.names, q)
	if language := res.Peek("content-language"); len(language) > 0 {
		if alias, ok := appendPreferring(v.alias[:0], v, q, language); ok {
			v.alias = alias
		}
	}
}

// putNames stores what answers vary by, if that is news. It comes after the
// first of those answers: other nodes look when they hear of it, and who found
// names but no answer would fetch one.
func (c *Cache) putNames(v *Visit) {
	if !v.grows {
		return // fast path
	}
	v.grows = false
	rec := append(appendRecord(nil, &terms{kind: kindVariants, id: v.gen, seq: v.seq}), v.names...)
	le.PutUint32(rec[atFields:], uint32(len(v.names)))
	c.put(v, v.key, append(rec, crlf...), day)
}

const day = 24 * 3600 * 1000

// begin starts the record of an answer, as r says and, where that does not,
// the answer itself.
func (c *Cache) begin(v *Visit, t *rule.Terms, r *terms, res *wire.Response, now int64) {
	w := &v.write
	if r.status == 0 {
		r.status, r.reason = res.Status, res.Reason
	}
	r.born, r.until, r.seq, r.id = t.Born, t.Until, v.seq, v.id
	r.while = t.Until + t.While
	switch {
	case t.Strict || t.Always:
	case t.IfError >= 0:
		r.error = t.Until + t.IfError
	default:
		r.error = t.Until + c.by.Grace.Milliseconds()
	}
	r.flags |= flagsOf(t, res)
	if r.prior == nil {
		r.prior = priorOf(res)
	}
	v.tags = tagsOf(v.tags[:0], res)
	r.tags = v.tags
	w.rec = appendRecord(w.rec[:0], r)
	w.fields = len(w.rec)
	w.rec = appendStored(w.rec, t, res, now)
	w.ttl = lifetime(r, now)
	w.part = r.kind == kindPart
	v.Stored = true
	w.begin()
}

func flagsOf(t *rule.Terms, res *wire.Response) (f flags) {
	if t.Always {
		f |= flagAlways
	}
	if t.Strict {
		f |= flagStrict
	}
	if res.Peek("content-encoding") != nil {
		f |= flagEncoded
	}
	return f
}

// lifetime is how long a record is of use, in ms: also past its time, where a
// few bytes may confirm it.
func lifetime(r *terms, now int64) int64 {
	end := max(r.until, r.while, r.error)
	return min(max(end-now, 0)+min(max(r.until-r.born, 60_000), day), 366*day)
}

// tagsOf are the tags by which an answer can be purged.
func tagsOf(dst []byte, res *wire.Response) []byte {
	for i := range res.Fields {
		f := &res.Fields[i]
		switch name := res.Name(f); {
		case f.Kind != wire.Other:
		case wire.EqualFold(name, "surrogate-key"):
			dst = purge.AppendTags(dst, res.Value(f), ' ')
		case wire.EqualFold(name, "cache-tag"):
			dst = purge.AppendTags(dst, res.Value(f), ',')
		}
	}
	return dst
}
