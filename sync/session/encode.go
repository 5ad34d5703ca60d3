package session

import (
	"unicode/utf16"
	"unicode/utf8"
)

// AppendJSON appends the values as one JSON object in printable ASCII, for a
// header field, which may hold nothing else in every server and language. Keys
// of our own are left out.
func (r *Record) AppendJSON(dst []byte) []byte {
	dst = append(dst, '{')
	start := len(dst)
	for i := range r.Values {
		if key := r.Values[i].Key; len(key) > 0 && key[0] == own {
			continue
		}
		if len(dst) > start {
			dst = append(dst, ',')
		}
		dst = appendString(dst, r.Values[i].Key)
		dst = append(dst, ':')
		dst = appendASCII(dst, r.Values[i].Raw)
	}
	return append(dst, '}')
}

// AppendPatch appends changes as X-Session-Set has them.
func AppendPatch(dst []byte, changes []Change) []byte {
	dst = append(dst, '{')
	for i := range changes {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendString(dst, changes[i].Key)
		dst = append(dst, ':')
		if changes[i].Value == nil {
			dst = append(dst, "null"...)
		} else {
			dst = appendASCII(dst, changes[i].Value)
		}
	}
	return append(dst, '}')
}

// appendASCII appends JSON with all that is not printable ASCII written as
// \uXXXX. Outside of strings JSON has no such bytes but line breaks and tabs.
func appendASCII(dst, json []byte) []byte {
	for i := 0; i < len(json); {
		c := json[i]
		if c >= ' ' && c < 0x7f { // fast path
			dst = append(dst, c)
			i++
			continue
		}
		if c < ' ' {
			dst = append(dst, ' ')
			i++
			continue
		}
		r, n := utf8.DecodeRune(json[i:])
		dst = appendRune(dst, r)
		i += n
	}
	return dst
}

// appendString appends text as a JSON string in printable ASCII.
func appendString(dst, text []byte) []byte {
	dst = append(dst, '"')
	for i := 0; i < len(text); {
		c := text[i]
		if c >= ' ' && c < 0x7f { // fast path
			if c == '"' || c == '\\' {
				dst = append(dst, '\\')
			}
			dst = append(dst, c)
			i++
			continue
		}
		r, n := utf8.DecodeRune(text[i:])
		dst = appendRune(dst, r)
		i += n
	}
	return append(dst, '"')
}

func appendRune(dst []byte, r rune) []byte {
	if r >= 0x10000 {
		high, low := utf16.EncodeRune(r)
		return appendUnit(appendUnit(dst, high), low)
	}
	return appendUnit(dst, r)
}

func appendUnit(dst []byte, u rune) []byte {
	const hex = "0123456789abcdef"
	return append(dst, '\\', 'u', hex[u>>12&15], hex[u>>8&15], hex[u>>4&15], hex[u&15])
}
