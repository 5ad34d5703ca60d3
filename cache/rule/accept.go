package rule

import "multiserver/proxy/wire"

// codingNames are those that servers choose among, sorted.
var codingNames = [...]string{"br", "deflate", "gzip", "identity", "zstd"}

const (
	gzip     = 2
	identity = 3
	codings  = 1<<len(codingNames) - 1
)

// appendCodings appends the set of content codings that are acceptable (RFC
// 9110 §12.5.3), whatever their order and weight. Not ok: there are others
// than we know, or something we do not understand; then the field has to be
// taken as it is.
func appendCodings(dst []byte, l lines) (_ []byte, ok bool) {
	var seen, yes uint
	star, rest := false, false // "*" is there; all that is not named is acceptable
	for l.next() {
		for list := l.value; len(list) > 0; {
			var m []byte
			if m, list = cut(list); len(m) == 0 {
				continue
			}
			name, q, ok := weighted(m)
			if !ok {
				return dst, false
			}
			if string(name) == "*" && !star {
				star, rest = true, q > 0
				continue
			}
			c, ok := codingOf(name)
			if !ok || seen>>c&1 != 0 {
				return dst, false
			}
			seen |= 1 << c
			if q > 0 {
				yes |= 1 << c
			}
		}
	}
	switch {
	case rest:
		yes |= codings &^ seen
	case !star:
		yes |= 1 << identity &^ seen
	}
	return appendSet(dst, yes, rest), true
}

func codingOf(name []byte) (c uint, ok bool) {
	if wire.EqualFold(name, "x-gzip") { // RFC 9110 §8.4.1.3
		return gzip, true
	}
	for c, n := range codingNames {
		if wire.EqualFold(name, n) {
			return uint(c), true
		}
	}
	return 0, false
}

func appendSet(dst []byte, set uint, rest bool) []byte {
	at := len(dst)
	for c, n := range codingNames {
		if set>>c&1 == 0 {
			continue
		}
		if len(dst) > at {
			dst = append(dst, ',')
		}
		dst = append(dst, n...)
	}
	if rest {
		dst = append(dst, '*')
	}
	return dst
}

// maxRanges is how many languages are sorted; browsers send at most ten.
const maxRanges = 16

type language struct {
	name []byte // a range, RFC 4647 §2.1, in any case
	q    int
}

// appendLanguages appends the languages in the order in which they are wanted
// (RFC 9110 §12.5.4), equals by name and with commas between them. How much
// one is wanted more than the next does not matter; whether it is not wanted
// at all does. Not ok as with appendCodings.
func appendLanguages(dst []byte, l lines) (_ []byte, ok bool) {
	var all [maxRanges]language
	n := 0
	for l.next() {
		for list := l.value; len(list) > 0; {
			var m []byte
			if m, list = cut(list); len(m) == 0 {
				continue
			}
			name, q, ok := weighted(m)
			if !ok || n == maxRanges || !isRange(name) {
				return dst, false
			}
			i := n
			for ; i > 0 && before(name, q, &all[i-1]); i-- {
				all[i] = all[i-1]
			}
			all[i] = language{name, q}
			n++
		}
	}
	for i := range n {
		switch q := all[i].q; {
		case q == 0 && (i == 0 || all[i-1].q > 0):
			dst = append(dst, '!')
		case i > 0 && all[i-1].q > q:
			dst = append(dst, '>')
		case i > 0:
			dst = append(dst, ',')
		}
		dst = appendLower(dst, all[i].name)
	}
	return dst, true
}

func before(name []byte, q int, l *language) bool {
	return q > l.q || q == l.q && compareFold(name, l.name) < 0
}

func compareFold(a, b []byte) int {
	for i := range min(len(a), len(b)) {
		if c, d := lower(a[i]), lower(b[i]); c != d {
			return int(c) - int(d)
		}
	}
	return len(a) - len(b)
}

func isRange(name []byte) bool {
	for _, c := range name {
		if !letter(c) && !digit(c) && c != '-' && c != '*' {
			return false
		}
	}
	return true
}

// weighted takes a member apart into its token and its weight in thousandths
// (RFC 9110 §12.4.2).
func weighted(m []byte) (name []byte, q int, ok bool) {
	n := tokenLen(m)
	name, m = m[:n], skipBlank(m[n:])
	if n == 0 || len(m) == 0 {
		return name, 1000, n > 0
	}
	if m[0] != ';' {
		return name, 0, false
	}
	m = skipBlank(m[1:])
	if len(m) < 3 || m[0]|0x20 != 'q' || m[1] != '=' {
		return name, 0, false
	}
	q, ok = weight(m[2:])
	return name, q, ok
}

func weight(v []byte) (q int, ok bool) {
	if len(v) > 5 || v[0] != '0' && v[0] != '1' || len(v) > 1 && v[1] != '.' {
		return 0, false
	}
	q = int(v[0]-'0') * 1000
	for i, unit := 2, 100; i < len(v); i, unit = i+1, unit/10 {
		if !digit(v[i]) {
			return 0, false
		}
		q += int(v[i]-'0') * unit
	}
	return q, q <= 1000
}
