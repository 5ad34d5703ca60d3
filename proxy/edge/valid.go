package edge

// What bytes may stand where (RFC 9113 §8.2.1, RFC 9110 §5.6.2).
const (
	inName   = 1 << iota // a token without capitals
	inToken              // a token
	inTarget             // visible, and no beginning of a fragment
	inValue              // no control but HTAB
)

var bytesOf = func() (t [256]uint8) {
	for i := range t {
		c := byte(i)
		switch {
		case c >= '0' && c <= '9', c >= 'a' && c <= 'z', contains("!#$%&'*+-.^_`|~", c):
			t[i] |= inName | inToken
		case c >= 'A' && c <= 'Z':
			t[i] |= inToken
		}
		if c > ' ' && c < 0x7f && c != '#' {
			t[i] |= inTarget
		}
		if c >= ' ' && c != 0x7f || c == '\t' {
			t[i] |= inValue
		}
	}
	return t
}()

func contains(s string, c byte) bool {
	for i := range len(s) {
		if s[i] == c {
			return true
		}
	}
	return false
}

func all(s string, class uint8) bool {
	for i := range len(s) {
		if bytesOf[s[i]]&class == 0 {
			return false
		}
	}
	return true
}

func validName(s string) bool   { return s != "" && all(s, inName) }
func validToken(s string) bool  { return s != "" && all(s, inToken) }
func validTarget(s string) bool { return s != "" && all(s, inTarget) }

// validValue: white space around a value is no part of it in HTTP/1.1, and here
// it may not be there.
func validValue(s string) bool {
	return s == "" || all(s, inValue) && !blank(s[0]) && !blank(s[len(s)-1])
}

func blank(c byte) bool { return c == ' ' || c == '\t' }
