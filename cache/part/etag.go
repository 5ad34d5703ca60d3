package part

import (
	"bytes"

	"multiserver/proxy/wire"
)

// listed tells whether tag is in the lists of entity tags on all lines of that
// name, by one of the comparisons below, or one of them is "*".
func listed(h *wire.Head, name string, tag []byte, same func(a, b []byte) bool) bool {
	for i := range h.Fields {
		f := &h.Fields[i]
		if !wire.EqualFold(h.Name(f), name) {
			continue
		}
		list := h.Value(f)
		if string(list) == "*" {
			return true
		}
		for len(list) > 0 {
			var t []byte
			if t, list = nextTag(list); len(t) > 0 && same(t, tag) {
				return true
			}
		}
	}
	return false
}

// nextTag cuts the first member off a list. A "," in quotes belongs to the
// tag. What is no entity tag ends at the next comma; it does not spoil the
// rest of the list.
func nextTag(list []byte) (tag, rest []byte) {
	for len(list) > 0 && (list[0] == ' ' || list[0] == '\t' || list[0] == ',') {
		list = list[1:]
	}
	at := flag(list)
	if at < len(list) && list[at] == '"' {
		if end := bytes.IndexByte(list[at+1:], '"'); end >= 0 {
			end += at + 2
			return list[:end], list[end:]
		}
	}
	end := bytes.IndexByte(list, ',')
	if end < 0 {
		end = len(list)
	}
	return bytes.TrimRight(list[:end], " \t"), list[end:]
}

// flag is how long the mark of weakness before a quote is: "W/", or one of
// the ways to get it wrong that origins have, "w/", "W\" and "W".
func flag(tag []byte) int {
	n := 0
	if len(tag) > 0 && tag[0]|0x20 == 'w' {
		n++
		if len(tag) > 1 && (tag[1] == '/' || tag[1] == '\\') {
			n++
		}
	}
	if n < len(tag) && tag[n] == '"' {
		return n
	}
	return 0
}

// weak is the weak comparison of RFC 9110 §8.8.3.2. It also takes tags for
// alike that differ in their quotes only: what was given out without is sent
// back with them by some clients, and the other way round. No origin tells two
// versions apart by that.
func weak(a, b []byte) bool {
	return len(b) > 0 && bytes.Equal(opaque(a), opaque(b))
}

// strong is the strong comparison; nothing but two well-formed strong tags
// passes it.
func strong(a, b []byte) bool { return strongTag(a) && bytes.Equal(a, b) }

func strongTag(tag []byte) bool {
	n := len(tag)
	return n >= 2 && tag[0] == '"' && tag[n-1] == '"' && bytes.IndexByte(tag[1:n-1], '"') < 0
}

// opaque strips a tag of its flag and its quotes.
func opaque(tag []byte) []byte {
	tag = tag[flag(tag):]
	if strongTag(tag) {
		return tag[1 : len(tag)-1]
	}
	return tag
}
