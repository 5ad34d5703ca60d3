package part

import (
	"math"

	"multiserver/proxy/wire"
)

// Stored is what has to be known of a stored answer, a 200 or a 206. The
// slices are borrowed, and nil for fields that it has not.
type Stored struct {
	ETag, LastModified, Date []byte

	Length int64 // bytes of the whole representation; -1: not known, of a 206
	Held   Span  // what of them is stored, of a 206; zero: all
}

// Span is the bytes [From, To) of a representation.
type Span struct{ From, To int64 }

// Len is how many bytes a span has.
func (s Span) Len() int64 { return s.To - s.From }

func (s Span) within(t Span) bool { return s.From >= t.From && s.To <= t.To }

// Complete tells whether all of the representation is stored.
func (s *Stored) Complete() bool { return s.Length >= 0 && s.all().within(s.held()) }

// all is the whole representation, or more if its length is not known.
func (s *Stored) all() Span {
	if s.Length < 0 {
		return Span{0, math.MaxInt64}
	}
	return Span{0, s.Length}
}

func (s *Stored) held() Span {
	if s.Held == (Span{}) {
		return Span{0, s.Length}
	}
	return s.Held
}

func (s *Stored) holds(list []Span) bool {
	for _, w := range list {
		if !w.within(s.held()) {
			return false
		}
	}
	return true
}

// Verdict is what a request gets.
type Verdict uint8

// The verdicts.
const (
	Whole         Verdict = iota // 200: all of it
	NotModified                  // 304
	Partial                      // 206 with the one span of Ranges
	Multipart                    // 206 of type multipart/byteranges, with all spans of Ranges
	Unsatisfiable                // 416 with AppendUnsatisfied as its Content-Range
	Incomplete                   // the span of Ranges, or one of them, is not stored: see Missing
	Pass                         // the origin has to be asked what the client asks
)

// Of tells what of s a request gets, and keeps the spans in r. now, in Unix
// seconds, tells the century of dates that leave it out. The order is that of
// RFC 9110 §13.2.2.
//
// s answers with 200 or 206. To answers of any other status neither conditions
// nor ranges apply (RFC 9110 §13.2.1, §14.2).
//
// Fast path: no conditions, no range.
func Of(req *wire.Request, s *Stored, now int64, r *Ranges) Verdict {
	r.n = 0
	if !req.HasAny(conditions | ranges) {
		return s.whole(req, r)
	}
	var a asks
	a.read(&req.Head)
	if v := a.condition(req, s, now); v != Whole {
		return v
	}
	return a.spans(req, s, now, r)
}

// Condition is Of without ranges: Whole, NotModified or Pass.
func Condition(req *wire.Request, s *Stored, now int64) Verdict {
	var a asks
	a.read(&req.Head)
	return a.condition(req, s, now)
}
