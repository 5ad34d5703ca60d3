package part

import (
	"bytes"
	"math"
	"strconv"
)

// Missing tells what to ask the origin for so that a request that is
// Incomplete can be answered from the store, given its Ranges: one span, in
// front of what is held or behind it, to be asked for by a Range of
// AppendRange and an If-Range of Strong. It fails if more than that is
// missing, or if nothing says that the origin's bytes and ours are of one
// representation (RFC 9111 §3.4); then ask what the client asks.
func (s *Stored) Missing(r *Ranges, now int64) (gap Span, ok bool) {
	if r.n != 1 || s.Strong(now) == nil {
		return gap, false
	}
	want, held := r.list[0], s.held()
	switch {
	case want.From >= held.From && want.From <= held.To && want.To > held.To:
		return Span{held.To, want.To}, true
	case want.To >= held.From && want.To <= held.To && want.From < held.From:
		return Span{want.From, held.From}, true
	}
	return gap, false
}

// AppendRange appends the value of a Range for a span of s.
func (s *Stored) AppendRange(dst []byte, w Span) []byte {
	dst = strconv.AppendInt(append(dst, "bytes="...), w.From, 10)
	dst = append(dst, '-')
	if w.To == s.Length || w.To == math.MaxInt64 {
		return dst
	}
	return strconv.AppendInt(dst, w.To-1, 10)
}

// Strong is the strong validator of s, an entity tag or a Last-Modified, as an
// If-Range has it; nil if there is none.
func (s *Stored) Strong(now int64) []byte {
	if len(s.ETag) > 0 {
		if strongTag(s.ETag) {
			return s.ETag
		}
		return nil // says itself that bytes may differ
	}
	if _, ok := s.strongDate(now); ok {
		return s.LastModified
	}
	return nil
}

// Join gives what is stored once the body of t, newer than s, is put over and
// beside that of s: t with a longer Held. It fails if they leave a gap, or are
// not of one representation for sure (RFC 9110 §15.3.7.3).
func (s *Stored) Join(t *Stored, now int64) (joined Stored, ok bool) {
	a, b := s.held(), t.held()
	if a.From > b.To || b.From > a.To || !s.same(t, now) {
		return Stored{}, false
	}
	joined = *t
	joined.Length = max(s.Length, t.Length)
	joined.Held = Span{min(a.From, b.From), max(a.To, b.To)}
	return joined, joined.Length < 0 || joined.Held.To <= joined.Length
}

// same tells whether both have one strong validator and no two lengths.
func (s *Stored) same(t *Stored, now int64) bool {
	if s.Length != t.Length && s.Length >= 0 && t.Length >= 0 {
		return false
	}
	if len(s.ETag) > 0 || len(t.ETag) > 0 {
		return strong(s.ETag, t.ETag)
	}
	return s.Strong(now) != nil && t.Strong(now) != nil && bytes.Equal(s.LastModified, t.LastModified)
}
