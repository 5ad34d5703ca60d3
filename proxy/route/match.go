package route

import (
	"bytes"
	"regexp"

	"multiserver/proxy/wire"
)

type expression = regexp.Regexp

// conditions are those of a rule besides host and path.
type conditions struct {
	methods []string
	header  []field
	query   []field
}

// field is a Field, read.
type field struct {
	name  string // of a header field: in lower case
	value string
	any   bool        // whatever the value is
	expr  *expression // nil: the value must be equal
}

// count is how much a rule says beyond host and path.
func (r *Rule) count() int {
	return min(len(r.Method), 1) + len(r.Header) + len(r.Query)
}

// hold tells whether the request is as they want it.
func (c *conditions) hold(q *wire.Request) bool {
	if c == nil {
		return true
	}
	return c.method(q.Method) && c.fields(q) && c.params(q.Path)
}

func (c *conditions) method(m []byte) bool {
	for _, want := range c.methods {
		if string(m) == want {
			return true
		}
	}
	return len(c.methods) == 0
}

func (c *conditions) fields(q *wire.Request) bool {
	for i := range c.header {
		if !c.header[i].amongFields(q) {
			return false
		}
	}
	return true
}

func (f *field) amongFields(q *wire.Request) bool {
	for i := range q.Fields {
		h := &q.Fields[i]
		if sameName(q.Name(h), f.name) && f.fits(q.Value(h)) {
			return true
		}
	}
	return false
}

// sameName is not wire's EqualFold, which is for names without underscores.
func sameName(name []byte, lower string) bool {
	if len(name) != len(lower) {
		return false
	}
	for i, c := range name {
		if c >= 'A' && c <= 'Z' {
			c |= 0x20
		}
		if c != lower[i] {
			return false
		}
	}
	return true
}

func (f *field) fits(value []byte) bool {
	switch {
	case f.any:
		return true
	case f.expr != nil:
		return f.expr.Match(value)
	}
	return string(value) == f.value
}

func (c *conditions) params(target []byte) bool {
	if len(c.query) == 0 {
		return true
	}
	_, query, _ := bytes.Cut(target, mark)
	for i := range c.query {
		if !c.query[i].amongParams(query) {
			return false
		}
	}
	return true
}

var (
	mark = []byte{'?'}
	amp  = []byte{'&'}
	is   = []byte{'='}
)

// amongParams decodes what it compares: a=1 and %61=%31 are one to whoever is
// asked.
func (f *field) amongParams(query []byte) bool {
	for more := len(query) > 0; more; {
		var p []byte
		p, query, more = bytes.Cut(query, amp)
		name, value, _ := bytes.Cut(p, is)
		if sameParam(name, f.name) && f.fitsParam(value) {
			return true
		}
	}
	return false
}

func (f *field) fitsParam(value []byte) bool {
	if f.any || f.expr == nil {
		return f.any || sameParam(value, f.value)
	}
	buf := buffers.Get().(*[]byte)
	defer buffers.Put(buf)
	*buf = appendParam((*buf)[:0], value)
	return f.expr.Match(*buf)
}

// sameParam compares without a copy.
func sameParam(sent []byte, want string) bool {
	n := 0
	for i := 0; i < len(sent); n++ {
		var c byte
		if c, i = paramByte(sent, i); n == len(want) || want[n] != c {
			return false
		}
	}
	return n == len(want)
}

func appendParam(dst, sent []byte) []byte {
	for i := 0; i < len(sent); {
		var c byte
		c, i = paramByte(sent, i)
		dst = append(dst, c)
	}
	return dst
}

// paramByte is the byte at b[i], decoded, and where the next one is.
func paramByte(b []byte, i int) (byte, int) {
	if b[i] == '+' {
		return ' ', i + 1
	}
	return decoded(b, i)
}
