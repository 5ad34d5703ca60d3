package part

import "multiserver/proxy/wire"

// condition judges the preconditions in the order of RFC 9110 §13.2.2.
//
// If-Match and If-Unmodified-Since are for the origin: a cache must not answer
// 412 by them, since its copy may be older than what the client has seen (RFC
// 9111 §4.3.2). If they hold for the copy, then to ignore them, as a cache
// may, and to ask the origin come to the same. If they do not, it is asked.
// All of them are for GET and HEAD here; what else would be done with a stored
// answer is the origin's to do.
func (a *asks) condition(req *wire.Request, s *Stored, now int64) Verdict {
	switch {
	case !req.HasAny(conditions):
		return Whole
	case !reads(req):
		return Pass
	case a.ifMatch:
		if !listed(&req.Head, ifMatch, s.ETag, strong) {
			return Pass
		}
	case a.unmodified.count > 0:
		if !s.unmodified(a.unmodified.one(), now) {
			return Pass
		}
	}
	switch {
	case a.ifNoneMatch:
		if listed(&req.Head, ifNoneMatch, s.ETag, weak) {
			return NotModified
		}
	case a.since.count > 0:
		if s.notSince(a.since.one(), now) {
			return NotModified
		}
	}
	return Whole
}

// unmodified takes a date that is none, or that there is nothing to compare
// with, for no condition (RFC 9110 §13.1.4).
func (s *Stored) unmodified(v []byte, now int64) bool {
	t, ok := date(v, now)
	modified, known := date(s.LastModified, now)
	return !ok || !known || modified <= t
}

// notSince judges If-Modified-Since. An answer that does not say when it was
// modified was so when it was made, for all that a cache knows (RFC 9111
// §4.3.2).
func (s *Stored) notSince(v []byte, now int64) bool {
	t, ok := date(v, now)
	if !ok {
		return false
	}
	modified, ok := date(s.LastModified, now)
	if !ok {
		modified, ok = date(s.Date, now)
	}
	return ok && modified <= t
}

// sameRange tells whether a Range counts, given the value of If-Range (RFC
// 9110 §13.1.5): by an equal strong entity tag or date, and nothing less.
func (s *Stored) sameRange(v []byte, now int64) bool {
	if len(v) == 0 {
		return false
	}
	if strongTag(v) {
		return strong(v, s.ETag)
	}
	t, ok := date(v, now)
	modified, dated := s.strongDate(now)
	return ok && dated && t == modified
}

// strongDate gives Last-Modified if it is a strong validator: at least a
// second before Date, so that nothing was changed in the same second after it
// was sent (RFC 9110 §8.8.2.2).
func (s *Stored) strongDate(now int64) (modified int64, ok bool) {
	modified, ok = date(s.LastModified, now)
	if !ok {
		return 0, false
	}
	sent, ok := date(s.Date, now)
	return modified, ok && sent > modified
}
