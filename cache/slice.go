package cache

import (
	"bytes"
	"strconv"

	"multiserver/cache/part"
	"multiserver/cache/purge"
	"multiserver/cache/rule"
	"multiserver/proxy/wire"
)

// A part of an answer, from a 206, lies beside where the whole would, in
// memory only: the latest one. It answers the same Range again, ranges within
// it, and is the beginning of the whole.

// partKey is where a part lies; no variant's key is like it, for those are
// longer.
func partKey(dst, at []byte) []byte { return append(append(dst, at...), 0, 'p') }

// Range is the request's Range that a stored part has answered; nil for a
// whole answer.
func (e *Entry) Range() []byte {
	if e.kind() != kindPart {
		return nil
	}
	return e.prior()
}

func (e *Entry) held() part.Span {
	first := e.i64(atFirst)
	return part.Span{From: first, To: first + e.Length()}
}

// slice tells whether a stored part answers q's Range, and makes it Entry.
func (c *Cache) slice(v *Visit, q *wire.Request) bool {
	if c.freshPart(v) && v.Entry.answersPart(q, v.Now) {
		return true
	}
	v.Entry = Entry{}
	return false
}

// freshPart reads the part, if there is one and it is as good as new.
func (c *Cache) freshPart(v *Visit) bool {
	v.scratch = partKey(v.scratch[:0], v.at)
	if !c.read(v, v.scratch) {
		return false
	}
	e := &v.Entry
	return e.kind() == kindPart && !e.has(flagAlways) && v.Now < e.i64(atUntil) && v.wish == rule.NoWish &&
		c.marks.Check(v.target(), e.tags(), e.seq()) == purge.Valid
}

func (e *Entry) answersPart(q *wire.Request, now int64) bool {
	if q.HasAny(asking) {
		return false
	}
	if e.verbatim(q) {
		return true
	}
	if !e.has(flagMeasured) {
		return false
	}
	s, r := e.Stored(), part.Ranges{}
	verdict := part.Of(q, &s, now/1000, &r)
	return verdict == part.Partial || verdict == part.Multipart
}

// continues makes a fresh part that begins the whole Entry, so that only the
// rest is asked for.
func (c *Cache) continues(v *Visit) {
	ok := c.freshPart(v)
	e := &v.Entry
	if v.rest = ok && e.has(flagMeasured) && e.i64(atFirst) == 0 && e.i64(atTotal) > e.Length(); v.rest {
		v.Why = Lacking
	} else {
		*e = Entry{}
	}
}

// appendRest appends the fields that ask for what lacks of a part.
func (e *Entry) appendRest(dst []byte, now int64) []byte {
	dst = strconv.AppendInt(append(dst, "Range: bytes="...), e.Length(), 10)
	dst = append(dst, "-\r\n"...)
	s := e.Stored()
	if tag := s.Strong(now / 1000); tag != nil {
		dst = append(append(append(dst, "If-Range: "...), tag...), crlf...)
	}
	return dst
}

// part settles what becomes of a 206: it is stored as a part, or completes
// one.
func (c *Cache) part(v *Visit, q *wire.Request, res *wire.Response, now int64) Outcome {
	if v.rest {
		return c.join(v, q, res, now)
	}
	t := &v.terms
	c.by.Rules.JudgeAs(t, q, res, 200, v.from, now)
	asked := q.Peek("range")
	if asked == nil || len(asked) > maxPrior || t.Why != rule.Storable || !c.writable(res) || v.wish.NoStore {
		return Relay
	}
	c.place(v, q, res)
	v.at = partKey(v.at[:0], bytes.Clone(v.at))
	v.id = newID()
	r := terms{kind: kindPart, prior: asked}
	if s, ok := part.Read(res, res.Length); ok {
		r.flags, r.first, r.total = flagMeasured, s.Held.From, s.Length
	}
	c.begin(v, t, &r, res, now)
	return Relay
}

// join begins a whole answer with the part that is there, if the one that
// came goes on where that ends.
func (c *Cache) join(v *Visit, q *wire.Request, res *wire.Response, now int64) Outcome {
	old, t := v.Entry.Stored(), &v.terms
	v.rest = false
	late, ok := part.Read(res, res.Length)
	joined, fits := old.Join(&late, now/1000)
	c.by.Rules.JudgeAs(t, q, res, 200, v.from, now)
	if !ok || !fits || joined.Held != (part.Span{To: joined.Length}) || late.Held.From != old.Held.To || t.Why != rule.Storable {
		c.drop(partKey(nil, v.at))
		v.Entry = Entry{}
		return Again
	}
	c.place(v, q, res)
	v.id = newID()
	t.Drop = append(t.Drop, []byte("content-range"))
	first := v.Entry
	c.begin(v, t, &terms{kind: kindAnswer, status: 200, reason: []byte("OK")}, res, now)
	if !v.appendEntry(&first) {
		v.giveUp(failed)
		v.Entry = Entry{}
		return Again
	}
	v.write.whole = true
	return Gather
}

// appendEntry appends the body of a stored entry to the one being stored.
func (v *Visit) appendEntry(e *Entry) bool {
	if !e.has(flagChunks) {
		v.Append(e.inline())
		return v.Storing()
	}
	buf := wire.AcquireBuffer(wire.LargeBuffer)
	defer wire.ReleaseBuffer(buf)
	for n := uint32(0); int64(n)*chunk < e.Length(); n++ {
		p, ok := v.c.mem.Chunk(buf[:0], e.id(), n)
		if !ok {
			return false
		}
		v.Append(p)
	}
	return v.Storing()
}

// Verbatim tells whether Entry is a part that q gets as it came: it asks for
// the very Range that the part answered.
func (v *Visit) Verbatim(q *wire.Request) bool { return v.Entry.verbatim(q) }

func (e *Entry) verbatim(q *wire.Request) bool {
	asked := e.Range()
	return asked != nil && q.Peek("if-range") == nil && bytes.Equal(q.Peek("range"), asked)
}
