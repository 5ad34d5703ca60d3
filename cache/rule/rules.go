package rule

import (
	"time"

	"multiserver/proxy/wire"
)

// Rules are what the operator decided. The zero value is RFC 9111.
type Rules struct {
	Default       time.Duration // fresh for so long where an answer says nothing at all; 0: not stored
	Heuristic     time.Duration // the most that a tenth of the time since Last-Modified may come to; 0: a day; below: no heuristics
	RefuseCookies bool          // nothing with Set-Cookie is stored; else what is explicitly fresh
	SharedStale   bool          // s-maxage does not forbid the stale uses that stand beside it (as CDNs have it, against RFC 9111 §5.2.2.10)
	Ignore        bool          // a request's no-store does not count
	Targets       []string      // fields that take Cache-Control's place (RFC 9213), in lower case, the first valid one counts
}

// Terms are on what terms an answer may be stored and used.
type Terms struct {
	Why      Reason // Storable, or else only Explicit, Born and Until count
	Always   bool   // every use must be validated
	Strict   bool   // never used stale
	Explicit bool   // the answer said itself how long it is fresh

	Born    int64 // Unix ms at which its age was 0
	Until   int64 // Unix ms at which it is no longer fresh
	While   int64 // ms from Until on during which it may be used while it is refreshed; 0: none
	IfError int64 // ms from Until on during which it may be used if an upstream fails; 0: none; -1: not said

	Drop [][]byte // lists of fields that must not be stored; borrowed from the answer; see Drops
}

func (t *Terms) reset() { *t = Terms{Drop: t.Drop[:0], IfError: -1} }

// Drops tells whether the field with that name must not be stored, as
// no-cache="name" or private="name" says.
func (t *Terms) Drops(name []byte) bool {
	for _, list := range t.Drop {
		for len(list) > 0 {
			var n []byte
			if n, list = cut(list); equalFold(n, name) {
				return true
			}
		}
	}
	return false
}

// Judge says in t whether the answer res to req may be stored, and on what
// terms. asked and now are when the request was sent and when the head came,
// in Unix ms. t may be used again and again; it borrows from res.
func (r *Rules) Judge(t *Terms, req *wire.Request, res *wire.Response, asked, now int64) {
	t.reset()
	switch {
	case string(req.Method) != "GET":
		t.Why = Method
	case res.Status == 206, res.Status == 416: // to a Range, which is no part of the key
		t.Why = Range
	case res.Status < 200 || res.Status == 304:
		t.Why = Status
	default:
		r.JudgeAs(t, req, res, res.Status, asked, now)
	}
}

// JudgeAs is Judge where the answer is only a part of one with that status: a
// 206, a stored head that a 304 brought up to date, the answer to a HEAD. The
// request's method does not count.
func (r *Rules) JudgeAs(t *Terms, req *wire.Request, res *wire.Response, status int, asked, now int64) {
	t.reset()
	var h head
	h.read(res)
	h.readDirectives(r.Targets, res, t)
	t.Born = h.born(asked, now)
	life := r.life(&h, status, now)
	t.Explicit = life.explicit
	t.Until = t.Born + max(life.ms, 0)
	if t.Why = r.refusal(&h, req, status); t.Why != Storable {
		return
	}
	h.stale(t, r.SharedStale)
	t.Why = r.worth(&h, t, life, now)
}

func equalFold(a, b []byte) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if lower(a[i]) != lower(b[i]) {
			return false
		}
	}
	return true
}
