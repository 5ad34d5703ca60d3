package cache

import (
	"encoding/binary"

	"multiserver/cache/purge"
	"multiserver/cache/rule"
	"multiserver/proxy/wire"
)

// maxKey is the longest key there is; what would have a longer one passes.
const maxKey = 4 << 10

var (
	special = wire.KindsOf(wire.CacheControl, wire.Pragma, wire.Demand)
	partial = wire.KindsOf(wire.Range)
	asking  = wire.KindsOf(wire.Condition)
)

// Find looks for a stored answer to q, which asked for host, by TLS or not, and
// settles what is to be done if there is none that may be used. It may wait,
// for another request's fetch of the same thing and for the second tier; a hit
// in memory never does.
func (c *Cache) Find(v *Visit, q *wire.Request, secure bool, host []byte) Verdict {
	if c.by.Off {
		return Pass // and no visit
	}
	v.c = c
	if !c.admits(v, q, secure, host) {
		c.Stats.Passes[v.Why].Add(1)
		return Pass
	}
	v.Now = c.opt.Clock()
	if c.near(v, q) && c.fits(v) { // fast path
		return c.hit(v, Memory)
	}
	return c.search(v, q)
}

// Glance is Find for who may not wait: it tells whether what is in memory, all in
// one piece and fresh, answers q. If not, nothing has happened but that the visit
// is to End.
func (c *Cache) Glance(v *Visit, q *wire.Request, secure bool, host []byte) bool {
	v.c = c
	if c.by.Off || !c.admits(v, q, secure, host) {
		return false
	}
	v.Now = c.opt.Clock()
	if !c.near(v, q) || !c.fits(v) || v.Refresh || v.Entry.has(flagChunks) {
		return false
	}
	c.hit(v, Memory)
	return true
}

func (c *Cache) hit(v *Visit, t Tier) Verdict {
	if v.Tier == 0 {
		v.Tier = t
	}
	c.Stats.Hits[v.Tier].Add(1)
	return Hit
}

// admits tells whether q may be answered from the cache at all, and makes its
// key.
func (c *Cache) admits(v *Visit, q *wire.Request, secure bool, host []byte) bool {
	switch {
	case string(q.Method) != "GET" && string(q.Method) != "HEAD":
		return v.pass(ByMethod)
	case q.Length > 0 || q.Chunked: // RFC 9110 §9.3.1: it has no meaning, but who knows
		return v.pass(ByBody)
	case host == nil || q.Path[0] == '*' || q.Upgrade:
		return v.pass(ByRequest)
	case !c.by.Filter.Allows(host, q.Path):
		return v.pass(ByRule)
	}
	v.key = c.by.Keys.Append(v.key[:0], secure, host, q.Path)
	v.bare = len(v.key)
	if v.key = append(v.key, c.by.Apart...); len(v.key) > maxKey {
		return v.pass(ByRequest)
	}
	v.wish = rule.NoWish
	if q.HasAny(special) {
		if q.Has(wire.Demand) {
			return v.pass(ByRequest) // only the origin knows whether to act
		}
		if !c.by.Rules.Ignore {
			v.wish.Read(q)
		}
	}
	v.fills = true
	return true
}

// target is the key that purges name.
func (v *Visit) target() []byte { return v.key[:v.bare] }

func (v *Visit) pass(why Reason) bool {
	v.Why = why
	return false
}

// near looks into memory and tells whether something is there for q. It
// settles where q's answer lies as far as that is known.
func (c *Cache) near(v *Visit, q *wire.Request) bool {
	if v.buf == nil {
		v.buf = wire.AcquireBuffer(wire.SmallBuffer)
	}
	v.at, v.vary, v.doubt = append(v.at[:0], v.key...), false, false
	if !c.read(v, v.at) {
		return false
	}
	if v.Entry.kind() != kindVariants {
		return true // fast path
	}
	v.variant(q)
	return c.read(v, v.at) || v.prefers(q) && c.read(v, v.scratch)
}

// prefers makes the key of an answer in the language that q wants most.
func (v *Visit) prefers(q *wire.Request) (ok bool) {
	v.scratch, ok = appendPreferring(v.scratch[:0], v, q, nil)
	return ok
}

// read fetches the record under key from memory into Entry.
func (c *Cache) read(v *Visit, key []byte) bool {
	rec, epoch, ok := c.mem.Find(v.buf[:Room], key)
	if v.Entry = (Entry{}); !ok {
		return false
	}
	e, ok := open(rec[Room:])
	if !ok {
		c.Stats.Corrupt.Add(1)
		return false
	}
	v.found, v.Entry = rec, e
	v.doubt = v.doubt || c.far != nil && epoch != c.far.Epoch() && c.far.Up()
	return true
}

// variant moves on from a record that says what answers vary by to where q's
// answer lies.
func (v *Visit) variant(q *wire.Request) {
	v.names = append(v.names[:0], v.Entry.Fields()...)
	v.gen, v.vary = v.Entry.id(), true
	v.at = appendVariant(v.at[:0], v.key, v.gen, v.names, q)
}

// appendPreferring appends the key of the variant in a language.
func appendPreferring(dst []byte, v *Visit, q *wire.Request, language []byte) ([]byte, bool) {
	dst = appendVariant(dst, v.key, v.gen, nil, q)
	return rule.AppendPreferring(dst, v.names, q, language)
}

// appendVariant appends the key of q's variant. A generation ends all
// variants at once, by being forgotten.
func appendVariant(dst, key []byte, gen uint64, names []byte, q *wire.Request) []byte {
	dst = append(append(dst, key...), 0)
	dst = binary.BigEndian.AppendUint64(dst, gen)
	return rule.AppendVariant(dst, names, q)
}

// fits tells whether Entry may answer now without asking anyone.
func (c *Cache) fits(v *Visit) bool {
	e := &v.Entry
	if e.kind() != kindAnswer || v.doubt {
		return false
	}
	switch c.marks.Check(v.target(), e.tags(), e.seq()) {
	case purge.Gone:
		v.Entry = Entry{}
		return false
	case purge.Soft:
		return false
	}
	return c.fresh(v, e) && c.complete(v)
}

// complete tells whether Entry's body is all there; if not, there is no Entry.
func (c *Cache) complete(v *Visit) bool {
	e := &v.Entry
	if !e.has(flagChunks) || c.mem.HasChunks(e.id(), uint32((e.Length()+chunk-1)/chunk)) {
		return true // fast path
	}
	c.Stats.Torn.Add(1)
	*e = Entry{}
	return false
}

// fresh is fits for an entry that nobody has purged.
func (c *Cache) fresh(v *Visit, e *Entry) bool {
	until, while := e.i64(atUntil), e.i64(atWhile)
	switch {
	case e.has(flagAlways):
		return false
	case v.wish != rule.NoWish:
		if !v.wish.Takes(e.i64(atBorn), until, e.grace(), v.Now) {
			v.Why = Wished
			return false
		}
	case v.Now >= max(until, while):
		return false
	}
	if v.Now >= until {
		v.Tier, v.Refresh = Stale, v.Now < while
	}
	return true
}

// grace is for how many ms an entry may be used stale, -1 for never.
func (e *Entry) grace() int64 {
	if e.has(flagStrict) {
		return -1
	}
	return max(e.i64(atWhile)-e.i64(atUntil), 0)
}
