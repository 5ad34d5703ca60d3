package session

import (
	"bytes"
	"unicode/utf16"
	"unicode/utf8"
)

// string takes a JSON string (RFC 8259 §7).
func (s *scanner) string() bool {
	if s.peek() != '"' {
		return false
	}
	for s.at++; s.at < len(s.src); {
		switch c := s.src[s.at]; {
		case c == '"':
			s.at++
			return true
		case c == '\\':
			if !s.escape() {
				return false
			}
		case c < ' ':
			return false
		case c < utf8.RuneSelf:
			s.at++
		default:
			r, n := utf8.DecodeRune(s.src[s.at:])
			if r == utf8.RuneError && n == 1 {
				return false
			}
			s.at += n
		}
	}
	return false
}

func (s *scanner) escape() bool {
	if s.at++; s.peek() == 'u' {
		if _, ok := hex4(s.src[s.at+1:]); !ok {
			return false
		}
		s.at += 5
		return true
	}
	if bytes.IndexByte([]byte(`"\/bfnrt`), s.peek()) < 0 {
		return false
	}
	s.at++
	return true
}

func hex4(b []byte) (r rune, ok bool) {
	if len(b) < 4 {
		return 0, false
	}
	for _, c := range b[:4] {
		switch {
		case c >= '0' && c <= '9':
			c -= '0'
		case c|0x20 >= 'a' && c|0x20 <= 'f':
			c = c | 0x20 - 'a' + 10
		default:
			return 0, false
		}
		r = r<<4 | rune(c)
	}
	return r, true
}

// unescape appends what a string that was scanned stands for. Half a surrogate
// pair stands for nothing.
func unescape(dst, text []byte) ([]byte, bool) {
	for i := 0; i < len(text); {
		if text[i] != '\\' {
			dst = append(dst, text[i])
			i++
			continue
		}
		if text[i+1] != 'u' {
			dst = append(dst, plain(text[i+1]))
			i += 2
			continue
		}
		r, _ := hex4(text[i+2:])
		i += 6
		if utf16.IsSurrogate(r) {
			if i+6 > len(text) || text[i] != '\\' || text[i+1] != 'u' {
				return dst, false
			}
			low, _ := hex4(text[i+2:])
			if r = utf16.DecodeRune(r, low); r == utf8.RuneError {
				return dst, false
			}
			i += 6
		}
		dst = utf8.AppendRune(dst, r)
	}
	return dst, true
}

func plain(c byte) byte {
	switch c {
	case 'b':
		return '\b'
	case 'f':
		return '\f'
	case 'n':
		return '\n'
	case 'r':
		return '\r'
	case 't':
		return '\t'
	}
	return c
}
