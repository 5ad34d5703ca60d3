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

var (
	conditions = wire.KindsOf(wire.Condition, wire.Demand)
	ranges     = wire.KindsOf(wire.Range)
)

func (a *asks) read(h *wire.Head) {
	for i := range h.Fields {
		switch f := &h.Fields[i]; f.Kind {
		case wire.Condition, wire.Demand, wire.Range:
			a.note(h.Name(f), h.Value(f))
		}
	}
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
