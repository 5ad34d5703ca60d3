package cache

import (
	"bytes"
	"strconv"
	"time"

	"multiserver/cache/rule"
	"multiserver/proxy/wire"
)

// appendStored appends the fields of an answer that are stored: what goes to
// every client, whatever its connection. Content-Length is added when it is
// known, Age when it is asked for.
func appendStored(dst []byte, t *rule.Terms, res *wire.Response, now int64) []byte {
	for i := range res.Fields {
		f := &res.Fields[i]
		if keeps(t, res, f) {
			dst = append(dst, res.Raw[f.At:f.End]...)
		}
	}
	if !res.HasDate { // RFC 9110 §6.6.1
		dst = time.UnixMilli(now).UTC().AppendFormat(append(dst, "Date: "...), "Mon, 02 Jan 2006 15:04:05 GMT")
		dst = append(dst, crlf...)
	}
	return dst
}

func keeps(t *rule.Terms, res *wire.Response, f *wire.Field) bool {
	if f.Kind.Hop() || f.Kind == wire.ContentLength {
		return false
	}
	name := res.Name(f)
	if f.Kind == wire.Other && res.Nominated(name) {
		return false
	}
	switch len(name) {
	case len("age"):
		return !wire.EqualFold(name, "age")
	case len("cache-status"):
		if wire.EqualFold(name, "cache-status") {
			return false
		}
	}
	return len(t.Drop) == 0 || !t.Drops(name)
}

// priorOf is what caches behind us said in Cache-Status, as one list.
func priorOf(res *wire.Response) (list []byte) {
	for i := range res.Fields {
		f := &res.Fields[i]
		if f.Kind == wire.Other && f.From < f.To && wire.EqualFold(res.Name(f), "cache-status") {
			list = append(append(list, res.Value(f)...), ", "...)
		}
	}
	return list
}

// Front writes, backwards into the room before e's fields, what only this
// answer says: the status line, Age, Cache-Status, and extra lines. It returns
// front, fields and, if it is inline, the body as one piece. What was written
// over is Entry's: Body has to be taken before, and Entry is none any more.
//
// Fast path: nothing else of the answer is touched.
func (v *Visit) Front(extra []byte) []byte {
	e := &v.Entry
	var buf [Room]byte
	b := append(buf[:0], "HTTP/1.1 "...)
	b = strconv.AppendInt(b, int64(e.Status()), 10)
	b = append(append(append(b, ' '), e.reason()...), crlf...)
	b = v.AppendOwn(b)
	b = append(b, extra...)
	whole := v.found
	at := Room + e.at - len(b)
	copy(whole[at:], b)
	return whole[at:]
}

// AppendOwn appends the fields that are said anew with each use: Age and
// Cache-Status.
func (v *Visit) AppendOwn(dst []byte) []byte {
	e := &v.Entry
	dst = strconv.AppendInt(append(dst, "Age: "...), rule.Age(v.Now, e.i64(atBorn)), 10)
	dst = append(dst, "\r\nCache-Status: "...)
	if e.kind() != kindPart {
		dst = append(dst, e.prior()...)
	}
	return append(v.AppendStatus(dst), crlf...)
}

// AppendStatus appends our member of Cache-Status (RFC 9211).
func (v *Visit) AppendStatus(dst []byte) []byte {
	dst = append(dst, "multiserver"...)
	if v.Tier != 0 {
		dst = v.appendHit(dst)
	} else {
		dst = append(append(dst, "; fwd="...), v.Why.forwarded()...)
		if v.Stored {
			dst = append(dst, "; stored"...)
		}
	}
	if v.Collapsed {
		dst = append(dst, "; collapsed"...)
	}
	return dst
}

func (v *Visit) appendHit(dst []byte) []byte {
	if v.Tier == Valid {
		dst = append(dst, "; fwd=stale; fwd-status=304"...)
	} else {
		dst = append(dst, "; hit"...)
	}
	left := (v.Entry.i64(atUntil) - v.Now) / 1000
	dst = strconv.AppendInt(append(dst, "; ttl="...), left, 10)
	return append(append(dst, "; detail="...), v.Tier.String()...)
}

// AppendFields appends Entry's fields but those with the names, in lower case.
func (v *Visit) AppendFields(dst []byte, but []string) []byte {
	for line, name, rest := cutLine(v.Entry.Fields()); line != nil; line, name, rest = cutLine(rest) {
		if !named(name, but) {
			dst = append(dst, line...)
		}
	}
	return dst
}

// cutLine takes the first line, with its CRLF, off stored fields; nil at their
// end.
func cutLine(fields []byte) (line, name, rest []byte) {
	if len(fields) == 0 {
		return nil, nil, nil
	}
	line = fields
	if end := bytes.IndexByte(fields, '\n') + 1; end > 0 {
		line, rest = fields[:end], fields[end:]
	}
	name, _, _ = bytes.Cut(line, colon)
	return line, name, rest
}

var colon = []byte(":")

func named(name []byte, list []string) bool {
	for _, n := range list {
		if wire.EqualFold(name, n) {
			return true
		}
	}
	return false
}
