package rule

import "multiserver/proxy/wire"

// The ends of a field in a variant, and what stands before one that was too
// odd to normalise. No value has such bytes: wire refuses them.
const (
	was  = '\n'
	none = 0
	odd  = '\r'
)

// AppendVariant appends what req has in the fields of names, which is as
// AppendVary gives it: the same bytes for requests that an answer with these
// names in Vary fits equally (RFC 9111 §4.1), others for all others. A field
// that is absent is not the same as one that is empty.
//
// Hot; it does not allocate if dst is large enough.
func AppendVariant(dst, names []byte, req *wire.Request) []byte {
	for len(names) > 0 {
		var name []byte
		name, names = cut(names)
		l := lines{req: req, name: name}
		if !l.next() {
			dst = append(dst, none)
			continue
		}
		l.i = 0
		dst = append(appendField(dst, l), was)
	}
	return dst
}

// AppendPreferring is AppendVariant as if req wanted that language alone; nil
// is the one that it wants most. An answer in that language is what the origin
// would choose for it, whatever else it would take (RFC 9111 §4.1). Not ok:
// names are of other fields, or req wants no one language most.
func AppendPreferring(dst, names []byte, req *wire.Request, language []byte) (_ []byte, ok bool) {
	for len(names) > 0 {
		var name []byte
		if name, names = cut(names); string(name) != "accept-language" {
			dst = AppendVariant(dst, name, req)
			continue
		}
		at := len(dst)
		dst = AppendVariant(dst, name, req)
		if language != nil {
			dst = append(appendLower(dst[:at], language), was)
			ok = isRange(language)
			continue
		}
		end := at
		for end < len(dst) && (letter(dst[end]) || digit(dst[end]) || dst[end] == '-') {
			end++
		}
		ok = end > at && end < len(dst) && dst[end] == '>'
		dst = append(dst[:end], was)
	}
	return dst, ok
}

// lines are those of a request with one name.
type lines struct {
	req   *wire.Request
	name  []byte // in lower case
	i     int
	value []byte
}

func (l *lines) next() bool {
	for l.i < len(l.req.Fields) {
		f := &l.req.Fields[l.i]
		l.i++
		if int(f.Colon-f.At) == len(l.name) && compareLower(l.req.Name(f), l.name) == 0 {
			l.value = l.req.Value(f)
			return true
		}
	}
	return false
}

func appendField(dst []byte, l lines) []byte {
	at := len(dst)
	switch string(l.name) {
	case "accept-encoding":
		if dst, ok := appendCodings(dst, l); ok {
			return dst
		}
		dst = append(dst[:at], odd)
	case "accept-language":
		if dst, ok := appendLanguages(dst, l); ok {
			return dst
		}
		dst = append(dst[:at], odd)
	case "user-agent", "cookie", "authorization", "referer", "origin", "host":
		return appendExact(dst, l) // in these, a comma is a comma
	}
	return appendList(dst, l)
}

func appendExact(dst []byte, l lines) []byte {
	for first := true; l.next(); first = false {
		if !first {
			dst = append(dst, ", "...)
		}
		dst = append(dst, l.value...)
	}
	return dst
}

// appendList leaves out the white space around commas. In quotes there is
// none that may be left out, not even between the lines.
func appendList(dst []byte, l lines) []byte {
	at, quoted := len(dst), false
	for first := true; l.next(); first = false {
		switch {
		case first:
		case quoted:
			dst = append(dst, ", "...)
		default:
			dst = append(dst, ',')
		}
		dst, quoted = appendMembers(dst, at, l.value, quoted)
	}
	return dst
}

func appendMembers(dst []byte, at int, v []byte, quoted bool) ([]byte, bool) {
	for i := 0; i < len(v); i++ {
		c := v[i]
		switch {
		case quoted && c == '\\' && i+1 < len(v):
			dst = append(dst, c)
			i++
			c = v[i]
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == ',':
			for len(dst) > at && blank(dst[len(dst)-1]) {
				dst = dst[:len(dst)-1]
			}
			for i+1 < len(v) && blank(v[i+1]) {
				i++
			}
		}
		dst = append(dst, c)
	}
	return dst, quoted
}
