package rule

// lexer reads the members of a Cache-Control line: token [ "=" ( token /
// quoted-string ) ] (RFC 9111 §5.2).
type lexer struct{ rest []byte }

// form is how a member's argument was written.
type form uint8

const (
	bare   form = iota
	plain       // name=argument
	quoted      // name="argument", escapes left in
	broken      // none of these: nobody can say what was meant
)

type member struct {
	name, arg []byte // borrowed from the line
	form      form
}

// next reads one member into m; empty ones are left out. An argument may be
// more than a token, since extensions have been seen with URLs in it; what
// follows it may not, so that "max-age=9 no-store" is not read for half.
func (l *lexer) next(m *member) bool {
	b := l.rest
	for len(b) > 0 && (b[0] == ',' || blank(b[0])) {
		b = b[1:]
	}
	if len(b) == 0 {
		return false
	}
	n := tokenLen(b)
	*m = member{name: b[:n]}
	if b = b[n:]; n == 0 {
		m.form = broken
	} else if len(b) > 0 && b[0] == '=' {
		b = m.argument(b[1:])
	}
	if b = skipBlank(b); len(b) > 0 && b[0] != ',' {
		m.form = broken
		for len(b) > 0 && b[0] != ',' {
			b = b[1:]
		}
	}
	l.rest = b
	return true
}

func (m *member) argument(b []byte) (rest []byte) {
	m.form = plain
	if len(b) > 0 && b[0] == '"' {
		return m.quoted(b[1:])
	}
	n := 0
	for n < len(b) && b[n] != ',' && b[n] != '"' && !blank(b[n]) {
		n++
	}
	m.arg = b[:n]
	return b[n:]
}

// quoted reads up to the closing quote; without one the line has no more
// members, as all that follows may be meant as text.
func (m *member) quoted(b []byte) (rest []byte) {
	for i := 0; i < len(b); i++ {
		switch b[i] {
		case '\\':
			i++
		case '"':
			m.form, m.arg = quoted, b[:i]
			return b[i+1:]
		}
	}
	m.form = broken
	return nil
}

// never is a number of seconds no one lives to see the end of, at which
// RFC 9111 §1.2.2 lets all others end: 2^31.
const never = 1 << 31

// delta reads delta-seconds: digits and nothing else.
func delta(v []byte) (seconds int64, ok bool) {
	for _, c := range v {
		if !digit(c) {
			return 0, false
		}
		seconds = min(seconds*10+int64(c-'0'), never)
	}
	return seconds, len(v) > 0
}

// validNames tells whether list is a comma-separated list of at least one
// field name and nothing else.
func validNames(list []byte) bool {
	n := 0
	for len(list) > 0 {
		var name []byte
		if name, list = cut(list); len(name) > 0 {
			if tokenLen(name) < len(name) {
				return false
			}
			n++
		}
	}
	return n > 0
}

// cut takes a member off the front of a comma-separated list, without the
// white space around it.
func cut(list []byte) (name, rest []byte) {
	i := 0
	for i < len(list) && list[i] != ',' {
		i++
	}
	return trim(list[:i]), list[min(i+1, len(list)):]
}

func trim(b []byte) []byte {
	b = skipBlank(b)
	for len(b) > 0 && blank(b[len(b)-1]) {
		b = b[:len(b)-1]
	}
	return b
}

func skipBlank(b []byte) []byte {
	for len(b) > 0 && blank(b[0]) {
		b = b[1:]
	}
	return b
}

func blank(c byte) bool { return c == ' ' || c == '\t' }

func lower(c byte) byte {
	if c >= 'A' && c <= 'Z' {
		return c | 0x20
	}
	return c
}

// tokenLen counts the tchars (RFC 9110 §5.6.2) at the front of b.
func tokenLen(b []byte) int {
	for i, c := range b {
		if tchar[c/64]>>(c%64)&1 == 0 {
			return i
		}
	}
	return len(b)
}

var tchar = func() (t [4]uint64) {
	for c := range byte(128) {
		if digit(c) || letter(c) {
			t[c/64] |= 1 << (c % 64)
		}
	}
	for _, c := range []byte("!#$%&'*+-.^_`|~") {
		t[c/64] |= 1 << (c % 64)
	}
	return t
}()
