package part

import (
	"bytes"
	"math"

	"multiserver/proxy/wire"
)

// maxRanges bounds the parts of an answer. A list of more is ignored and all
// is sent, which is less work than what it asks for (RFC 9110 §14.2, §17.15):
// a list that fits into a request head can ask for thousands of parts, each
// with a head many times as long as itself.
const maxRanges = 16

// Ranges are the spans that a request gets, in the order in which it asked for
// them. The zero value is ready; one may be used again.
type Ranges struct {
	list [maxRanges]Span
	n    int
}

// Spans are borrowed until the next use.
func (r *Ranges) Spans() []Span { return r.list[:r.n] }

// spans judges Range and If-Range. A Range that is not understood, or not
// worth its trouble, is ignored; so is one on anything but GET (RFC 9110
// §14.2).
//
// Fast path: no Range.
func (a *asks) spans(req *wire.Request, s *Stored, now int64, r *Ranges) Verdict {
	if a.ranges.count != 1 || string(req.Method) != "GET" ||
		a.ifRange.count > 0 && !s.sameRange(a.ifRange.one(), now) ||
		!r.parse(a.ranges.value, s.Length) || !r.coalesce() {
		return s.whole(req, r)
	}
	switch {
	case r.n == 0 && s.Length < 0:
		return Pass
	case r.n == 0 && s.Length == 0:
		return Whole // some clients ask for a range only to bound what they get
	case r.n == 0:
		return Unsatisfiable
	case !s.holds(r.Spans()):
		return Incomplete
	case r.n == 1:
		return Partial
	}
	return Multipart
}

func (s *Stored) whole(req *wire.Request, r *Ranges) Verdict {
	r.n = 0
	switch {
	case s.Complete():
		return Whole
	case string(req.Method) != "GET":
		return Pass
	}
	r.list[0], r.n = s.all(), 1
	return Incomplete
}

// parse reads "bytes=" and a list, keeping what is satisfiable with that
// length, and tells whether the Range is to be heeded at all.
func (r *Ranges) parse(v []byte, length int64) bool {
	const unit = "bytes="
	if len(v) < len(unit) || !wire.EqualFold(v[:5], unit[:5]) || v[5] != '=' {
		return false
	}
	list := v[len(unit):]
	specs := 0
	r.n = 0
	for len(list) > 0 {
		var spec []byte
		if spec, list = nextSpec(list); len(spec) == 0 {
			continue // RFC 9110 §5.6.1.2
		}
		w, ok := parseSpec(spec, length)
		if specs++; !ok || specs > maxRanges {
			return false
		}
		if w.Len() > 0 {
			r.list[r.n] = w
			r.n++
		}
	}
	return specs > 0
}

func nextSpec(list []byte) (spec, rest []byte) {
	if i := bytes.IndexByte(list, ','); i >= 0 {
		list, rest = list[:i], list[i+1:]
	}
	return bytes.Trim(list, " \t"), rest
}

// parseSpec reads "a-b", "a-" or "-n". An empty span is unsatisfiable. Where
// the length is not known the end of a span may be past it; such a span is not
// held, whatever it is (see holds).
func parseSpec(spec []byte, length int64) (w Span, ok bool) {
	i := bytes.IndexByte(spec, '-')
	if i < 0 || len(spec) == 1 {
		return w, false
	}
	if length < 0 {
		length = math.MaxInt64
	}
	first, ok1 := number(spec[:i])
	last, ok2 := number(spec[i+1:])
	switch {
	case !ok1 || !ok2:
		return w, false
	case i == 0:
		return Span{max(length-last, 0), length}, true
	case i == len(spec)-1:
		last = math.MaxInt64 - 1
	case last < first:
		return w, false
	}
	if first >= length {
		return w, true
	}
	return Span{first, min(last+1, length)}, true
}

// number reads digits; what no int64 holds is the largest that can still be
// counted up. No digits are 0.
func number(b []byte) (n int64, ok bool) {
	const most = math.MaxInt64 - 1
	for _, c := range b {
		if c < '0' || c > '9' {
			return 0, false
		}
		if d := int64(c - '0'); n > (most-d)/10 {
			n = most
		} else {
			n = n*10 + d
		}
	}
	return n, true
}

// coalesce joins neighbours in the list that touch or overlap in ascending
// order; no other order would be left as it was asked for (RFC 9110
// §15.3.7.2). It tells whether no byte would then be sent twice, which nobody
// has a use for.
func (r *Ranges) coalesce() bool {
	n := 0
	for _, w := range r.Spans() {
		if n > 0 && w.From >= r.list[n-1].From && w.From <= r.list[n-1].To {
			r.list[n-1].To = max(r.list[n-1].To, w.To)
			continue
		}
		r.list[n] = w
		n++
	}
	r.n = n
	for i, w := range r.Spans() {
		for _, p := range r.list[:i] {
			if w.From < p.To && p.From < w.To {
				return false
			}
		}
	}
	return true
}
