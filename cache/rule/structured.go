package rule

import (
	"unicode/utf8"
)

// structured parses the items of RFC 9651 §4.2 off the front of rest, to the
// letter, and keeps of them what directives can have.
type structured struct{ rest []byte }

type valueKind uint8

const (
	other valueKind = iota // decimals, bytes, dates, inner lists, …: well-formed, of no use here
	integer
	boolean
	text
	token
)

type value struct {
	kind valueKind
	n    int64  // of integer; 0 or 1 of boolean
	text []byte // borrowed; escapes left in
}

func (s *structured) eat(c byte) bool {
	if len(s.rest) == 0 || s.rest[0] != c {
		return false
	}
	s.rest = s.rest[1:]
	return true
}

func (s *structured) take(n int) []byte {
	b := s.rest[:n]
	s.rest = s.rest[n:]
	return b
}

func (s *structured) key() ([]byte, bool) {
	n := 0
	for n < len(s.rest) && keyByte(s.rest[n], n == 0) {
		n++
	}
	return s.take(n), n > 0
}

func keyByte(c byte, first bool) bool {
	return c >= 'a' && c <= 'z' || c == '*' || !first && (digit(c) || c == '_' || c == '-' || c == '.')
}

// parameters are read and forgotten: no directive has any.
func (s *structured) parameters() bool {
	for s.eat(';') {
		s.spaces()
		if _, ok := s.key(); !ok {
			return false
		}
		if s.eat('=') {
			if _, ok := s.item(); !ok {
				return false
			}
		}
	}
	return true
}

func (s *structured) spaces() (n int) {
	for s.eat(' ') {
		n++
	}
	return n
}

// value is an item or an inner list.
func (s *structured) value() (v value, ok bool) {
	if !s.eat('(') {
		return s.item()
	}
	for first := true; ; first = false {
		n := s.spaces()
		if s.eat(')') {
			return v, true
		}
		if !first && n == 0 {
			return v, false
		}
		if _, ok = s.item(); !ok || !s.parameters() {
			return v, false
		}
	}
}

// item is a bare item.
func (s *structured) item() (v value, ok bool) {
	if len(s.rest) == 0 {
		return v, false
	}
	switch c := s.rest[0]; {
	case digit(c), c == '-':
		return s.number()
	case c == '"':
		return s.text()
	case c == '*', letter(c):
		return value{kind: token, text: s.take(s.tokenLen())}, true
	case c == '?':
		return s.boolean()
	case c == ':':
		return v, s.bytes()
	case c == '@':
		s.rest = s.rest[1:]
		v, ok = s.number()
		return value{}, ok && v.kind == integer
	case c == '%':
		return v, s.display()
	}
	return v, false
}

// number is an integer of up to 15 digits, or a decimal of up to 12 and 3.
func (s *structured) number() (v value, ok bool) {
	negative := s.eat('-')
	n := s.digits()
	if n == 0 || n > 15 {
		return v, false
	}
	v = value{kind: integer, n: int64(number(s.take(n)))}
	if negative {
		v.n = -v.n
	}
	if s.eat('.') {
		after := s.digits()
		s.take(after)
		return value{}, n <= 12 && after > 0 && after <= 3
	}
	return v, true
}

func (s *structured) digits() (n int) {
	for n < len(s.rest) && digit(s.rest[n]) {
		n++
	}
	return n
}

func (s *structured) tokenLen() (n int) {
	for n < len(s.rest) && (tokenLen(s.rest[n:n+1]) == 1 || s.rest[n] == ':' || s.rest[n] == '/') {
		n++
	}
	return n
}

func (s *structured) text() (v value, ok bool) {
	for i := 1; i < len(s.rest); i++ {
		switch c := s.rest[i]; {
		case c == '\\':
			if i++; i == len(s.rest) || s.rest[i] != '"' && s.rest[i] != '\\' {
				return v, false
			}
		case c == '"':
			b := s.take(i + 1)
			return value{kind: text, text: b[1:i]}, true
		case c < ' ' || c > '~':
			return v, false
		}
	}
	return v, false
}

func (s *structured) boolean() (v value, ok bool) {
	if len(s.rest) < 2 || s.rest[1] != '0' && s.rest[1] != '1' {
		return v, false
	}
	return value{kind: boolean, n: int64(s.take(2)[1] - '0')}, true
}

// bytes is ":base64:"; what it holds does not matter, so its padding may be
// as careless as RFC 9651 §4.2.7 puts up with.
func (s *structured) bytes() bool {
	for i := 1; i < len(s.rest); i++ {
		if c := s.rest[i]; c == ':' {
			s.take(i + 1)
			return true
		} else if !digit(c) && !letter(c) && c != '+' && c != '/' && c != '=' {
			return false
		}
	}
	return false
}

// display is %"text" in UTF-8 with %xx in lower case.
func (s *structured) display() bool {
	if len(s.rest) < 2 || s.rest[1] != '"' {
		return false
	}
	var pending [utf8.UTFMax]byte
	n := 0
	for i := 2; i < len(s.rest); i++ {
		c := s.rest[i]
		if c == '"' {
			s.take(i + 1)
			return n == 0
		}
		if c < ' ' || c > '~' {
			return false
		}
		if c == '%' {
			if i+2 >= len(s.rest) || !hex(s.rest[i+1]) || !hex(s.rest[i+2]) {
				return false
			}
			c = unhex(s.rest[i+1])<<4 | unhex(s.rest[i+2])
			i += 2
		}
		pending[n] = c
		n++
		switch r, size := utf8.DecodeRune(pending[:n]); {
		case r != utf8.RuneError || size > 1:
			n = 0
		case utf8.FullRune(pending[:n]):
			return false
		}
	}
	return false
}

func hex(c byte) bool { return digit(c) || c >= 'a' && c <= 'f' }

func unhex(c byte) byte {
	if digit(c) {
		return c - '0'
	}
	return c - 'a' + 10
}
