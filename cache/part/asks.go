package part

import (
	"multiserver/cache/rule"
	"multiserver/proxy/wire"
)

// asks are the fields of a request that are looked at here. Those that may
// stand on several lines are walked again when they matter.
type asks struct {
	ifMatch, ifNoneMatch bool
	since, unmodified    line
	ifRange, ranges      line
	any                  bool // any of the preconditions of RFC 9110 §13.1.1 to §13.1.4
}

// line is the value of a field that may stand on one line only.
type line struct {
	value []byte
	count int
}

func (l *line) add(v []byte) {
	l.value = v
	l.count++
}

// one gives the value, or nil if there is none or more than one.
func (l *line) one() []byte {
	if l.count == 1 {
		return l.value
	}
	return nil
}

func (a *asks) read(h *wire.Head) {
	for i := range h.Fields {
		f := &h.Fields[i]
		if c := h.Raw[f.At] | 0x20; c == 'i' || c == 'r' {
			a.note(h.Name(f), h.Value(f))
		}
	}
	a.any = a.ifMatch || a.ifNoneMatch || a.since.count > 0 || a.unmodified.count > 0
}

func (a *asks) note(name, v []byte) {
	switch {
	case wire.EqualFold(name, "range"):
		a.ranges.add(v)
	case wire.EqualFold(name, ifRange):
		a.ifRange.add(v)
	case wire.EqualFold(name, ifMatch):
		a.ifMatch = true
	case wire.EqualFold(name, ifNoneMatch):
		a.ifNoneMatch = true
	case wire.EqualFold(name, "if-modified-since"):
		a.since.add(v)
	case wire.EqualFold(name, "if-unmodified-since"):
		a.unmodified.add(v)
	}
}

const (
	ifMatch     = "if-match"
	ifNoneMatch = "if-none-match"
	ifRange     = "if-range"
)

func date(v []byte, now int64) (seconds int64, ok bool) { return rule.ParseDate(v, now) }

func reads(req *wire.Request) bool {
	return string(req.Method) == "GET" || string(req.Method) == "HEAD"
}
