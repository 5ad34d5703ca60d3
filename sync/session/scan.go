package session

import "bytes"

// maxDepth is how deep values may nest: who reads them does so by recursion.
const maxDepth = 64

// scanner reads JSON (RFC 8259) without building anything, and is strict: what
// it takes every parser takes, in the same way. No lone surrogates in keys,
// no invalid UTF-8, no blanks but JSON's.
type scanner struct {
	src []byte
	at  int
}

// Changes appends what a merge patch says (RFC 7396, of top-level keys alone)
// to list; of a key that is there more than once the last holds. Keys are
// appended to buf where they are written with escapes; else they and the values
// point into src. ok is false if src is not one JSON object, or of too many
// members; then the changes are not to be used.
func Changes(list []Change, buf, src []byte) (changes []Change, keys []byte, ok bool) {
	s := scanner{src: src}
	if !s.skip('{') {
		return list, buf, false
	}
	if !s.skip('}') {
		for {
			if list, buf, ok = s.member(list, buf); !ok {
				return list, buf, false
			}
			if s.skip('}') {
				break
			}
			if !s.skip(',') {
				return list, buf, false
			}
		}
	}
	if s.blanks(); s.at != len(src) {
		return list, buf, false
	}
	return list, buf, true
}

func (s *scanner) member(list []Change, buf []byte) ([]Change, []byte, bool) {
	s.blanks()
	start := s.at
	if !s.string() {
		return list, buf, false
	}
	key := s.src[start+1 : s.at-1]
	if bytes.IndexByte(key, '\\') >= 0 {
		from, ok := len(buf), false
		if buf, ok = unescape(buf, key); !ok {
			return list, buf, false
		}
		key = buf[from:len(buf):len(buf)]
	}
	if !s.skip(':') {
		return list, buf, false
	}
	s.blanks()
	start = s.at
	if !s.value(0) {
		return list, buf, false
	}
	c := Change{Key: key, Value: s.src[start:s.at:s.at]}
	if string(c.Value) == "null" {
		c.Value = nil
	}
	for i := range list {
		if bytes.Equal(list[i].Key, key) {
			list[i] = c
			return list, buf, true
		}
	}
	if len(list) == maxMembers {
		return list, buf, false
	}
	return append(list, c), buf, true
}

// maxMembers: a patch may replace all keys of a session by as many others.
const maxMembers = 2 * MaxKeys

func (s *scanner) blanks() {
	for s.at < len(s.src) {
		switch s.src[s.at] {
		case ' ', '\t', '\r', '\n':
			s.at++
		default:
			return
		}
	}
}

// skip takes c, and blanks before it.
func (s *scanner) skip(c byte) bool {
	s.blanks()
	if s.peek() != c {
		return false
	}
	s.at++
	return true
}

// peek is the next byte; 0, which no JSON has, at the end.
func (s *scanner) peek() byte {
	if s.at < len(s.src) {
		return s.src[s.at]
	}
	return 0
}

func (s *scanner) value(depth int) bool {
	switch c := s.peek(); {
	case c == '"':
		return s.string()
	case c == '{' || c == '[':
		return depth < maxDepth && s.nested(c, depth+1)
	case c == 't':
		return s.word("true")
	case c == 'f':
		return s.word("false")
	case c == 'n':
		return s.word("null")
	}
	return s.number()
}

func (s *scanner) word(w string) bool {
	if !bytes.HasPrefix(s.src[s.at:], []byte(w)) {
		return false
	}
	s.at += len(w)
	return true
}

func (s *scanner) nested(open byte, depth int) bool {
	end := open + 2 // ASCII: {|} [\]
	s.at++
	if s.skip(end) {
		return true
	}
	for {
		if s.blanks(); open == '{' && (!s.string() || !s.skip(':')) {
			return false
		}
		if s.blanks(); !s.value(depth) {
			return false
		}
		if s.skip(end) {
			return true
		}
		if !s.skip(',') {
			return false
		}
	}
}

func (s *scanner) number() bool {
	if s.peek() == '-' {
		s.at++
	}
	if s.peek() == '0' {
		s.at++
	} else if !s.digits() {
		return false
	}
	if s.peek() == '.' {
		if s.at++; !s.digits() {
			return false
		}
	}
	if c := s.peek(); c == 'e' || c == 'E' {
		s.at++
		if c := s.peek(); c == '+' || c == '-' {
			s.at++
		}
		return s.digits()
	}
	return true
}

func (s *scanner) digits() bool {
	start := s.at
	for c := s.peek(); c >= '0' && c <= '9'; c = s.peek() {
		s.at++
	}
	return s.at > start
}
