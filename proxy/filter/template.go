package filter

import (
	"bytes"
	"fmt"
	"strings"

	"multiserver/proxy"
	"multiserver/proxy/wire"
)

// template is words of the operator in which parts of a request may stand.
type template []piece

// piece is a part of the request behind fixed words.
type piece struct {
	words string
	part  func(dst []byte, x *proxy.Exchange) []byte // nil: none
	name  string
}

var parts = []struct {
	name   string
	append func(dst []byte, x *proxy.Exchange) []byte
}{
	{"client", func(dst []byte, x *proxy.Exchange) []byte {
		if a := x.Addr(); a.IsValid() {
			return a.AppendTo(dst)
		}
		return dst
	}},
	{"scheme", func(dst []byte, x *proxy.Exchange) []byte {
		if x.Secure() {
			return append(dst, "https"...)
		}
		return append(dst, "http"...)
	}},
	{"method", func(dst []byte, x *proxy.Exchange) []byte { return append(dst, x.Req.Method...) }},
	{"host", func(dst []byte, x *proxy.Exchange) []byte { return append(dst, x.Req.Host...) }},
	{"uri", func(dst []byte, x *proxy.Exchange) []byte { return append(dst, x.Req.Path...) }},
	{"path", func(dst []byte, x *proxy.Exchange) []byte {
		path, _, _ := bytes.Cut(x.Req.Path, question)
		return append(dst, path...)
	}},
	{"query", func(dst []byte, x *proxy.Exchange) []byte {
		_, query, _ := bytes.Cut(x.Req.Path, question)
		return append(dst, query...)
	}},
}

var question = []byte("?")

// parseTemplate reads words with parts such as {host}; "{{" stands for "{".
func parseTemplate(s string) (t template, err error) {
	if err := checkValue(s); err != nil {
		return nil, err
	}
	var words strings.Builder
	for s != "" {
		before, rest, found := strings.Cut(s, "{")
		words.WriteString(before)
		if s = rest; !found {
			break
		}
		if s, found = strings.CutPrefix(s, "{"); found {
			words.WriteByte('{')
			continue
		}
		name, rest, closed := strings.Cut(s, "}")
		part, ok := findPart(name)
		if !closed || !ok {
			return nil, fmt.Errorf("%q: no {%s}, want %s, or {{ for {", s, name, partNames())
		}
		t = append(t, piece{words.String(), part, name})
		words.Reset()
		s = rest
	}
	return append(t, piece{words: words.String()}), nil
}

func findPart(name string) (func([]byte, *proxy.Exchange) []byte, bool) {
	for _, p := range parts {
		if p.name == name {
			return p.append, true
		}
	}
	if field, ok := strings.CutPrefix(name, "header:"); ok && field != "" {
		lower := strings.ToLower(field)
		return func(dst []byte, x *proxy.Exchange) []byte { return append(dst, x.Req.Peek(lower)...) }, true
	}
	return nil, false
}

func partNames() string {
	var b strings.Builder
	for _, p := range parts {
		b.WriteString("{" + p.name + "}, ")
	}
	return b.String() + "{header:Name}"
}

// append appends the words as they are for x.
func (t template) append(dst []byte, x *proxy.Exchange) []byte {
	for i := range t {
		dst = append(dst, t[i].words...)
		if t[i].part != nil {
			dst = t[i].part(dst, x)
		}
	}
	return dst
}

// fixed tells whether the words are the same for all.
func (t template) fixed() (string, bool) { return t[0].words, len(t) == 1 }

// checkValue refuses what no field value may hold (RFC 9110 §5.5). What comes
// from a request has been checked when that was read.
func checkValue(s string) error {
	for i := range len(s) {
		if c := s[i]; c < ' ' && c != '\t' || c == 0x7f {
			return fmt.Errorf("%q: a field cannot hold that character", s)
		}
	}
	return nil
}

// checkName refuses what is no name of a field, and those that say how messages
// are framed, which are the proxy's alone.
func checkName(s string) error {
	for i := range len(s) {
		if c := s[i]; !('a' <= c|0x20 && c|0x20 <= 'z' || '0' <= c && c <= '9' || strings.IndexByte("!#$%&'+-.^_`|~", c) >= 0) {
			return fmt.Errorf("%q: not the name of a field", s)
		}
	}
	switch k := wire.KindOf([]byte(s)); {
	case s == "":
		return fmt.Errorf("a field without a name")
	case k.Hop(), k == wire.ContentLength, k == wire.Expect:
		return fmt.Errorf("%s: is the proxy's alone, for it frames messages", s)
	}
	return nil
}
