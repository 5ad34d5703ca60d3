package filter

import (
	"bytes"

	"multiserver/proxy/wire"
)

// choose is the coding that the client likes most (RFC 9110 §12.5.3), and of
// those that it likes the same the one that we do; nil: none.
//
// The cache tells clients apart by what they accept and not by how much they
// like it: from there one may get the second of what it likes.
func (f *compress) choose(q *wire.Request) *codec {
	best, most := (*codec)(nil), 0
	var a accepts
	if !a.read(q) {
		return nil
	}
	for _, c := range f.codings {
		if w := a.weight(c); w > most {
			best, most = c, w
		}
	}
	if most < a.identity {
		return nil
	}
	return best
}

// accepts are the weights of an Accept-Encoding, in thousandths.
type accepts struct {
	of       [len(codecs)]int // -1: not named
	star     int              // of those not named
	identity int              // 0: not named, and so less than any other
}

// read tells whether there is one that can be understood.
func (a *accepts) read(q *wire.Request) (ok bool) {
	for i := range a.of {
		a.of[i] = -1
	}
	for i := range q.Fields {
		if f := &q.Fields[i]; wire.EqualFold(q.Name(f), "accept-encoding") {
			ok = true
			for rest, more := q.Value(f), true; more; {
				var m []byte
				m, rest, more = bytes.Cut(rest, comma)
				if m = bytes.TrimSpace(m); len(m) > 0 && !a.add(m) {
					return false
				}
			}
		}
	}
	return ok
}

var comma, semicolon = []byte(","), []byte(";")

func (a *accepts) add(m []byte) bool {
	name, param, weighted := bytes.Cut(m, semicolon)
	w, ok := 1000, true
	if weighted {
		w, ok = parseWeight(bytes.TrimSpace(param))
	}
	name = bytes.TrimSpace(name)
	switch {
	case !ok:
		return false
	case len(name) == 1 && name[0] == '*':
		a.star = w
	case wire.EqualFold(name, "identity"):
		a.identity = w
	case wire.EqualFold(name, "x-gzip"): // RFC 9110 §8.4.1.3
		name = name[2:]
	}
	for i := range codecs {
		if wire.EqualFold(name, codecs[i].name) {
			a.of[i] = w
		}
	}
	return true
}

func (a *accepts) weight(c *codec) int {
	if w := a.of[c.index]; w >= 0 {
		return w
	}
	return a.star
}

// parseWeight reads q=0.5 as 500 (RFC 9110 §12.4.2).
func parseWeight(p []byte) (w int, ok bool) {
	if len(p) < 3 || p[0]|0x20 != 'q' || p[1] != '=' || len(p) > len("q=0.000") {
		return 0, false
	}
	v := p[2:]
	if v[0] != '0' && v[0] != '1' || len(v) > 1 && v[1] != '.' {
		return 0, false
	}
	w = int(v[0]-'0') * 1000
	for i, unit := 2, 100; i < len(v); i, unit = i+1, unit/10 {
		if v[i] < '0' || v[i] > '9' {
			return 0, false
		}
		w += int(v[i]-'0') * unit
	}
	return w, w <= 1000
}
