package cache

import (
	"bytes"

	"multiserver/cache/rule"
	"multiserver/proxy/wire"
)

// confirm brings Entry up to date by a 304 (RFC 9111 §4.3.4).
func (c *Cache) confirm(v *Visit, q *wire.Request, res *wire.Response, now int64) Outcome {
	e := &v.Entry
	if tag := res.Peek("etag"); tag != nil && len(e.ETag()) > 0 && !bytes.Equal(weak(tag), weak(e.ETag())) {
		c.forget(v.at) // it is another answer that has not changed
		v.asks, *e = false, Entry{}
		return Again
	}
	c.freshen(v, q, res, now)
	v.Tier, v.asks = Valid, false
	c.Stats.Hits[Valid].Add(1)
	return Confirmed
}

// weak is an entity tag without its mark of weakness.
func weak(tag []byte) []byte { return bytes.TrimPrefix(tag, []byte("W/")) }

// headed brings Entry up to date by the answer to a HEAD, or drops it if that
// is about something else (RFC 9111 §4.3.5).
func (c *Cache) headed(v *Visit, q *wire.Request, res *wire.Response, now int64) {
	e := &v.Entry
	if !e.There() || res.Status != 200 || e.kind() != kindAnswer {
		return
	}
	tag, modified := res.Peek("etag"), res.Peek("last-modified")
	if tag != nil && !bytes.Equal(tag, e.ETag()) || modified != nil && !bytes.Equal(modified, e.LastModified()) ||
		res.Length >= 0 && res.Length != e.Length() {
		c.drop(v.at)
		return
	}
	c.freshen(v, q, res, now)
}

// freshen stores Entry anew with the fields of res, and makes that Entry. If
// the new fields forbid storing it, it answers once more and is dropped; if the
// request does, or is who may get what others may not, nothing changes.
func (c *Cache) freshen(v *Visit, q *wire.Request, res *wire.Response, now int64) {
	old := v.Entry
	var m wire.Response
	raw := mergeHead(nil, &old, res)
	if _, err := m.Parse(raw); err != nil {
		c.drop(v.at)
		return
	}
	t := &v.terms
	c.by.Rules.JudgeAs(t, q, &m, old.Status(), v.from, now)
	if t.Why == rule.Storable {
		c.place(v, q, &m) // it may vary by more now
	}
	v.id = old.id()
	c.begin(v, t, &terms{kind: kindAnswer, status: old.Status(), reason: old.reason()}, &m, now)
	w, in := &v.write, old.inline()
	defer w.end()
	v.Stored = false
	if old.has(flagChunks) {
		setFlag(w.rec, flagChunks)
	}
	rec := append(seal(w.rec, w.fields, old.Length()), in...)
	rec = append(make([]byte, Room, Room+len(rec)), rec...)
	if fresh, ok := open(rec[Room:]); ok {
		v.found, v.Entry = rec, fresh
	}
	switch {
	case t.Why == rule.Refused, t.Why == rule.Authorization:
		return // the request forbids it, and not the answer: what is stored stays what it is
	case t.Why != rule.Storable, len(rec)-Room > maxInline:
		c.drop(v.at)
		v.land(unshared)
		return
	}
	c.put(v, v.at, rec[Room:], w.ttl)
	c.putNames(v)
	v.land(stored)
}

// mergeHead appends the head of e with the fields of res in place of its own
// (RFC 9111 §3.2). An answer without Date is of now, and not of the time that
// the stored one is of (RFC 9110 §6.6.1).
func mergeHead(dst []byte, e *Entry, res *wire.Response) []byte {
	dst = append(dst, "HTTP/1.1 200 \r\n"...)
	copy(dst[len("HTTP/1.1 "):], statusDigits(e.Status()))
	for line, name, rest := cutLine(e.Fields()); line != nil; line, name, rest = cutLine(rest) {
		if !replaces(res, name) && (res.HasDate || !wire.EqualFold(name, "date")) {
			dst = append(dst, line...)
		}
	}
	for i := range res.Fields {
		if f := &res.Fields[i]; updates(res, f) {
			dst = append(dst, res.Raw[f.At:f.End]...)
		}
	}
	return append(dst, crlf...)
}

func statusDigits(status int) []byte {
	return []byte{byte('0' + status/100), byte('0' + status/10%10), byte('0' + status%10)}
}

// replaces tells whether res has a field of that name that updates.
func replaces(res *wire.Response, name []byte) bool {
	for i := range res.Fields {
		if f := &res.Fields[i]; bytes.EqualFold(res.Name(f), name) && updates(res, f) {
			return true
		}
	}
	return false
}

// updates tells whether a field of an answer to a condition is news about the
// stored one: not those about the connection, and not those that describe the
// body, which is the stored one's.
func updates(res *wire.Response, f *wire.Field) bool {
	if f.Kind.Hop() || f.Kind == wire.ContentLength || f.Kind == wire.Other && res.Nominated(res.Name(f)) {
		return false
	}
	name := res.Name(f)
	return !wire.EqualFold(name, "content-encoding") && !wire.EqualFold(name, "content-range") &&
		!(wire.EqualFold(name, "content-type") && len(res.Value(f)) == 0)
}
