package rule

import "time"

// Age is the age in seconds, as the Age field has it, of what was born then.
func Age(now, born int64) int64 {
	return min(max(now-born, 0)/1000, never)
}

// born is when the answer's age was 0 (RFC 9111 §4.2.3): the earlier of what
// Date says, and of what Age says as of when the request was sent.
func (h *head) born(asked, now int64) int64 {
	born := min(asked, now)
	if seconds, ok := parseAge(h.age); ok {
		born -= seconds * 1000
	}
	if date, ok := ParseDate(h.date, now/1000); ok {
		// Date is cut to seconds: an answer of this moment must not lose the
		// one second that it is good for.
		born = min(born, date*1000+999)
	}
	return born
}

// parseAge takes the first of several values (RFC 9111 §5.1). With parameters,
// which the field does not have, a number is still a number, and too old is
// the better mistake.
func parseAge(v []byte) (seconds int64, ok bool) {
	for i, c := range v {
		if c == ',' || c == ';' {
			v = trim(v[:i])
			break
		}
	}
	return delta(v)
}

// life is for how long an answer is fresh.
type life struct {
	ms       int64 // at most 0: stale from the beginning
	known    bool  // someone said, or we guess
	explicit bool  // the answer said
	never    bool  // RFC 9111 §3 does not let it be stored, not even to be validated
}

// life is RFC 9111 §4.2.1 for a shared cache.
func (r *Rules) life(h *head, status int, now int64) life {
	switch {
	case h.has(sMaxAge):
		return life{ms: h.seconds[sMaxAge] * 1000, known: true, explicit: true}
	case h.has(maxAge):
		return life{ms: h.seconds[maxAge] * 1000, known: true, explicit: true}
	case h.there&hasExpires != 0 && !h.targeted:
		return life{ms: h.untilExpires(now), known: true, explicit: true}
	case !heuristic(status) && !h.has(public):
		return life{never: true}
	}
	if ms, ok := r.guess(h, now); ok {
		return life{ms: ms, known: true}
	}
	return life{ms: r.Default.Milliseconds(), known: r.Default > 0}
}

// untilExpires is Expires less Date. A Date that cannot be read is now; an
// Expires that cannot be read has passed (RFC 9111 §5.3).
func (h *head) untilExpires(now int64) int64 {
	expires, ok := ParseDate(h.expires, now/1000)
	if !ok {
		return 0
	}
	if date, ok := ParseDate(h.date, now/1000); ok {
		now = date * 1000
	}
	return min(expires*1000-now, never*1000)
}

// guess is a tenth of the time that the answer has not changed for (RFC 9111
// §4.2.2).
func (r *Rules) guess(h *head, now int64) (ms int64, ok bool) {
	modified, ok := ParseDate(h.modified, now/1000)
	if !ok || r.Heuristic < 0 {
		return 0, false
	}
	if date, ok := ParseDate(h.date, now/1000); ok {
		now = date * 1000
	}
	bound := r.Heuristic
	if bound == 0 {
		bound = 24 * time.Hour
	}
	ms = min((now-modified*1000)/10, bound.Milliseconds())
	return ms, ms > 0
}

// stale fills in what t says of uses past Until. s-maxage has the meaning of
// proxy-revalidate (RFC 9111 §5.2.2.10).
func (h *head) stale(t *Terms, shared bool) {
	asked := h.said&(1<<staleWhile|1<<staleIfError) != 0
	t.Always = h.has(noCache)
	t.Strict = h.said&(1<<mustRevalidate|1<<proxyRevalidate) != 0 || h.has(sMaxAge) && !(shared && asked)
	if t.Always || t.Strict {
		t.IfError = 0
		return
	}
	t.While = h.seconds[staleWhile] * 1000
	if h.has(staleIfError) {
		t.IfError = h.seconds[staleIfError] * 1000
	}
}
