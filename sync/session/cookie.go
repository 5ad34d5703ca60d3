package session

import (
	"bytes"
	"fmt"
	"strings"
	"time"
)

// Cookie says how the client is told its token. The zero value is a good one.
type Cookie struct {
	Name   string        // "sync_sess" if empty
	Path   string        // "/" if empty
	Domain string        // the host alone that set it, if empty
	Life   time.Duration // how long the client keeps it; until it is closed if 0

	// Host puts __Host- before the name: clients then take it from this host
	// alone, by TLS, for all paths. No other host of the domain can plant one.
	Host bool

	SameSite string // "Lax" if empty; "Strict" or "None", which wants TLS

	// Header, if not empty, names a field that bears the token both ways in
	// place of a cookie, for clients that are no browsers.
	Header string
}

// jar is a Cookie made ready.
type jar struct {
	Cookie
	name    []byte
	before  []byte // what stands before the token: "Set-Cookie: sync_sess="
	after   []byte // attributes, up to Max-Age and Secure
	secure  bool   // Secure whatever the connection
	maximum int64  // Life in seconds
	field   string // Header in lower case
}

func newJar(c Cookie) (*jar, error) {
	set := func(s *string, def string) {
		if *s == "" {
			*s = def
		}
	}
	set(&c.Name, "sync_sess")
	set(&c.Path, "/")
	set(&c.SameSite, "Lax")
	if err := c.check(); err != nil {
		return nil, err
	}
	if c.Host {
		c.Name = "__Host-" + c.Name
	}
	j := &jar{Cookie: c, name: []byte(c.Name), maximum: int64(c.Life / time.Second), field: strings.ToLower(c.Header)}
	j.secure = c.Host || c.SameSite == "None" || strings.HasPrefix(c.Name, "__Secure-")
	if c.Header != "" {
		j.before = []byte(c.Header + ": ")
		return j, nil
	}
	j.before = []byte("Set-Cookie: " + c.Name + "=")
	after := "; Path=" + c.Path
	if c.Domain != "" {
		after += "; Domain=" + c.Domain
	}
	j.after = []byte(after + "; HttpOnly; SameSite=" + c.SameSite)
	return j, nil
}

func (c *Cookie) check() error {
	switch {
	case strings.IndexFunc(c.Name, notToken) >= 0:
		return fmt.Errorf("session cookie %q: want a name of letters, digits, - and _", c.Name)
	case c.Path[0] != '/' || strings.IndexFunc(c.Path, notAttribute) >= 0:
		return fmt.Errorf("session cookie's path %q: want one that begins with /, without ; and blanks", c.Path)
	case strings.IndexFunc(c.Domain, notAttribute) >= 0:
		return fmt.Errorf("session cookie's domain %q: want a host's name", c.Domain)
	case c.SameSite != "Lax" && c.SameSite != "Strict" && c.SameSite != "None":
		return fmt.Errorf("session cookie's SameSite %q: want Lax, Strict or None", c.SameSite)
	case c.Host && (c.Path != "/" || c.Domain != ""):
		return fmt.Errorf("session cookie with __Host-: it must not have a path or a domain")
	case strings.IndexFunc(c.Header, notToken) >= 0:
		return fmt.Errorf("session header %q: want a name of letters, digits, - and _", c.Header)
	case c.Header != "" && Reserved([]byte(c.Header)):
		return fmt.Errorf("session header %q: names that begin with X-Session- are between us and the backend", c.Header)
	case c.Life < 0:
		return fmt.Errorf("session cookie's life %v: want 0 or more", c.Life)
	}
	return nil
}

func notToken(r rune) bool {
	return !(r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r == '-' || r == '_')
}

func notAttribute(r rune) bool { return r <= ' ' || r >= 0x7f || r == ';' || r == ',' }

// set appends the field that gives the client a token; age is how long it keeps
// it, in seconds, 0 for the cookie's own.
func (j *jar) set(dst []byte, ring *Ring, b *Bearer, age int64, secure bool) []byte {
	dst = append(dst, j.before...)
	dst = ring.Append(dst, b)
	if j.Header != "" {
		return append(dst, "\r\n"...)
	}
	dst = append(dst, j.after...)
	if age == 0 {
		age = j.maximum
	}
	if age > 0 {
		dst = append(dst, "; Max-Age="...)
		dst = appendUint(dst, uint64(age))
	}
	return j.end(dst, secure)
}

// clear appends the field that takes the client's token away.
func (j *jar) clear(dst []byte, secure bool) []byte {
	dst = append(dst, j.before...)
	if j.Header != "" {
		return append(dst, "\r\n"...)
	}
	dst = append(dst, j.after...)
	dst = append(dst, "; Max-Age=0"...)
	return j.end(dst, secure)
}

func (j *jar) end(dst []byte, secure bool) []byte {
	if j.secure || secure {
		dst = append(dst, "; Secure"...)
	}
	return append(dst, "\r\n"...)
}

// next cuts the next pair off the value of a Cookie field.
func next(header []byte) (pair, rest []byte) {
	pair = header
	if i := bytes.IndexByte(header, ';'); i >= 0 {
		pair, rest = header[:i], header[i+1:]
	}
	for len(pair) > 0 && blank(pair[0]) {
		pair = pair[1:]
	}
	for len(pair) > 0 && blank(pair[len(pair)-1]) {
		pair = pair[:len(pair)-1]
	}
	return pair, rest
}

func blank(c byte) bool { return c == ' ' || c == '\t' }

// token is the value of a pair, if it is our cookie.
func (j *jar) token(pair []byte) (value []byte, ours bool) {
	if len(pair) <= len(j.name) || pair[len(j.name)] != '=' || !bytes.Equal(pair[:len(j.name)], j.name) {
		return nil, false
	}
	return pair[len(j.name)+1:], true
}

// strip appends the value of a Cookie field without our cookie.
func (j *jar) strip(dst, header []byte) []byte {
	start := len(dst)
	for len(header) > 0 {
		var pair []byte
		pair, header = next(header)
		if _, ours := j.token(pair); ours || len(pair) == 0 {
			continue
		}
		if len(dst) > start {
			dst = append(dst, "; "...)
		}
		dst = append(dst, pair...)
	}
	return dst
}
