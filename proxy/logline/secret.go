package logline

import "bytes"

// What a log must not say: the keys to what it tells of. Logs are read by more
// people than may do what a token allows, kept for longer than it is valid, and
// sent to others. Not all can be known by name; --access-log-fields leaves the
// rest out.

// veil stands where a secret was. Both forms, and URLs, take it as it is.
const veil = "***"

// secretEnds is how names of what is secret end, in lower case and without
// what is between words, by their last letter: access_token, X-Api-Key,
// user[password]; AWSAccessKeyId is none.
var secretEnds = func() (ends [256][][]byte) {
	for _, word := range []string{"token", "key", "secret", "password", "passwd", "pwd", "pass", "passphrase", "signature", "sig",
		"auth", "authorization", "credential", "credentials", "session", "sessionid", "sid", "jwt", "assertion", "code", "otp", "pin",
		"cookie"} {
		last := word[len(word)-1]
		ends[last] = append(ends[last], []byte(word))
	}
	return ends
}()

// secret tells whether what has that name is. Names may be escaped by %, as
// brackets are in forms, or to hide them.
func secret(name []byte) bool {
	var buf [64]byte // of a longer one its end counts
	b := buf[:0]
	for i := 0; i < len(name); i++ {
		c := name[i]
		if c == '%' && i+2 < len(name) {
			if hi, lo := unhex(name[i+1]), unhex(name[i+2]); hi < 16 && lo < 16 {
				c, i = hi<<4|lo, i+2
			}
		}
		if c >= 'A' && c <= 'Z' {
			c |= 0x20
		}
		if c < 'a' || c > 'z' { // digits too: token2 is one
			continue
		}
		if len(b) == len(buf) {
			b = buf[:copy(buf[:], buf[len(buf)/2:])]
		}
		b = append(b, c)
	}
	if len(b) == 0 {
		return false
	}
	for _, end := range secretEnds[b[len(b)-1]] {
		if bytes.HasSuffix(b, end) {
			return true
		}
	}
	return false
}

// unhex is the value of a hexadecimal digit; 16 and more of anything else.
func unhex(c byte) byte {
	switch {
	case c >= '0' && c <= '9':
		return c - '0'
	case c|0x20 >= 'a' && c|0x20 <= 'f':
		return c | 0x20 - 'a' + 10
	}
	return 16
}

// AppendURL appends a URL, or what a request is for, with a veil over a
// password before the host and over the values of secret parameters. Fast path:
// there is nothing where any could be.
func AppendURL(dst, url []byte) []byte {
	q := bytes.IndexByte(url, '?')
	if len(url) > 0 && url[0] != '/' {
		dst, url, q = appendUserless(dst, url, q)
	}
	if q < 0 {
		if q = bytes.IndexByte(url, '#'); q < 0 {
			return append(dst, url...)
		}
	}
	dst = append(dst, url[:q+1]...)
	for rest := url[q+1:]; ; {
		end := nextParameter(rest)
		part := rest
		if end >= 0 {
			part = rest[:end]
		}
		dst = appendParameter(dst, part)
		if end < 0 {
			return dst
		}
		dst = append(dst, rest[end])
		rest = rest[end+1:]
	}
}

// nextParameter is where the first of b's parameters ends; -1: where b does.
func nextParameter(b []byte) int {
	for i, c := range b {
		switch c {
		case '&', ';', '#', '?':
			return i
		}
	}
	return -1
}

func appendParameter(dst, part []byte) []byte {
	eq := bytes.IndexByte(part, '=')
	if eq < 0 || eq+1 == len(part) || !secret(part[:eq]) {
		return append(dst, part...)
	}
	return append(append(dst, part[:eq+1]...), veil...)
}

// appendUserless appends the scheme, and a veil in place of what stands before
// an @ in the authority (RFC 3986 §3.2.1). rest is what is left of the URL, and q
// where its query begins.
func appendUserless(dst, url []byte, query int) (_, rest []byte, q int) {
	at := bytes.Index(url, []byte("://"))
	if at < 0 || query >= 0 && at > query {
		return dst, url, query
	}
	at += len("://")
	authority := url[at:]
	if end := bytes.IndexAny(authority, "/?#"); end >= 0 {
		authority = authority[:end]
	}
	user := bytes.LastIndexByte(authority, '@')
	if user < 0 {
		return dst, url, query
	}
	dst = append(append(dst, url[:at]...), veil...)
	rest = url[at+user:]
	return dst, rest, bytes.IndexByte(rest, '?')
}

// AppendHeader appends a field's value: of credentials only their scheme, of
// cookies only their names, of what has a secret name nothing.
func AppendHeader(dst []byte, name string, v []byte) []byte {
	switch name {
	case "authorization", "proxy-authorization":
		if scheme := bytes.IndexByte(v, ' '); scheme > 0 {
			dst = append(dst, v[:scheme+1]...)
		}
		return append(dst, veil...)
	case "cookie":
		return appendCookieNames(dst, v)
	case "referer":
		return AppendURL(dst, v)
	case "user-agent": // fast path
		return append(dst, v...)
	}
	if secret([]byte(name)) {
		return append(dst, veil...)
	}
	return AppendURL(dst, v)
}

func appendCookieNames(dst, v []byte) []byte {
	for i, pair := range bytes.Split(v, []byte(";")) {
		if i > 0 {
			dst = append(dst, "; "...)
		}
		cookie, _, named := bytes.Cut(bytes.TrimSpace(pair), []byte("="))
		if named {
			dst = append(append(dst, cookie...), '=')
		}
		dst = append(dst, veil...)
	}
	return dst
}
