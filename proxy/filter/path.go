package filter

import (
	"bytes"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"multiserver/proxy"
)

// stripPrefix takes segments off the front of the path, however they are
// spelled: routes take /%61pi for /api, and so do apps. What is left begins
// with one slash: apps that redirect to what they were asked for would send
// browsers to another host by //host.
type stripPrefix struct {
	proxy.Prompt
	prefix []byte
}

func newStripPrefix(o Options) (proxy.Filter, error) {
	p, err := readPrefix(o)
	return &stripPrefix{prefix: p}, err
}

func (f *stripPrefix) Request(x *proxy.Exchange) bool {
	rest, ok := cutSpelled(x.Path(), f.prefix)
	switch {
	case !ok:
	case len(rest) == 0:
		x.Rewrite(slash)
	case rest[0] == '/':
		for len(rest) > 1 && rest[1] == '/' {
			rest = rest[1:]
		}
		x.Rewrite(rest)
	case rest[0] == '?':
		x.Rewrite(append(slash, rest...))
	}
	return true
}

var slash = []byte("/")[:1:1] // an append copies it

// cutSpelled is bytes.CutPrefix where "%61" is "a". "%2F" is no slash.
func cutSpelled(path, prefix []byte) (rest []byte, ok bool) {
	if rest, ok = bytes.CutPrefix(path, prefix); ok {
		return rest, true // fast path
	}
	for len(prefix) > 0 {
		if len(path) == 0 {
			return nil, false
		}
		want, n := spelled(prefix)
		got, m := spelled(path)
		if got != want || (got == '/' && n != m) {
			return nil, false
		}
		prefix, path = prefix[n:], path[m:]
	}
	return path, true
}

// spelled is the first character of p, and how long its spelling is.
func spelled(p []byte) (c byte, n int) {
	if len(p) > 2 && p[0] == '%' && isHex(p[1]) && isHex(p[2]) {
		return unhex(p[1])<<4 | unhex(p[2]), 3
	}
	return p[0], 1
}

func isHex(c byte) bool { return '0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'f' }

func unhex(c byte) byte {
	if c <= '9' {
		return c - '0'
	}
	return c&^0x20 - 'A' + 10
}

// addPrefix puts segments before the path.
type addPrefix struct {
	proxy.Prompt
	prefix []byte
}

func newAddPrefix(o Options) (proxy.Filter, error) {
	p, err := readPrefix(o)
	return &addPrefix{prefix: p}, err
}

func (f *addPrefix) Request(x *proxy.Exchange) bool {
	switch path := x.Path(); path[0] {
	case '/':
		x.Rewrite(append(f.prefix[:len(f.prefix):len(f.prefix)], path...))
	case '?':
		x.Rewrite(append(append(f.prefix[:len(f.prefix):len(f.prefix)], '/'), path...))
	}
	return true
}

func readPrefix(o Options) ([]byte, error) {
	var said struct {
		Prefix string `yaml:"prefix"`
	}
	if err := o.Decode(&said); err != nil {
		return nil, err
	}
	p := strings.TrimRight(said.Prefix, "/")
	if !strings.HasPrefix(p, "/") {
		return nil, fmt.Errorf("prefix %q: want one or more whole segments, such as /api", said.Prefix)
	}
	return []byte(p), checkPath(p)
}

// rewrite makes another path of those that match a regular expression, which
// sees them as they were sent: /%6fld is not /old. The query stays.
type rewrite struct {
	proxy.Prompt
	match *regexp.Regexp
	to    []byte
}

func newRewrite(o Options) (proxy.Filter, error) {
	var said struct {
		Match string `yaml:"match"`
		To    string `yaml:"to"`
	}
	if err := o.Decode(&said); err != nil {
		return nil, err
	}
	re, err := regexp.Compile(said.Match)
	if err != nil || said.Match == "" {
		return nil, fmt.Errorf("match %q: want a regular expression such as ^/old/(.*)$: %v", said.Match, err)
	}
	if !strings.HasPrefix(said.To, "/") && !strings.HasPrefix(said.To, "$") {
		return nil, fmt.Errorf("to %q: want a path, such as /new/$1", said.To)
	}
	if err := checkGroups(re, said.To); err != nil {
		return nil, err
	}
	return &rewrite{match: re, to: []byte(said.To)}, checkPath(said.To)
}

func (f *rewrite) Request(x *proxy.Exchange) bool {
	path, query, found := bytes.Cut(x.Path(), question)
	at := f.match.FindSubmatchIndex(path)
	if at == nil {
		return true
	}
	to := f.match.Expand(append([]byte(nil), path[:at[0]]...), f.to, path, at)
	to = append(to, path[at[1]:]...)
	if len(to) == 0 || to[0] != '/' {
		to = append([]byte("/"), to...)
	}
	if found {
		to = append(append(to, '?'), query...)
	}
	if !sendable(to) {
		return x.Answer(400, "path cannot be rewritten")
	}
	x.Rewrite(to)
	return true
}

// mostPath is what a request line may hold of it: groups may stand in it twice.
const mostPath = 16 << 10

// sendable tells whether a path can stand in a request line. Its parts could;
// but where they were cut or joined half an escape may be left.
func sendable(path []byte) bool {
	for i, c := range path {
		if c == '%' && (i+2 >= len(path) || !isHex(path[i+1]) || !isHex(path[i+2])) {
			return false
		}
	}
	return len(path) <= mostPath
}

var groups = regexp.MustCompile(`\$(\$|\w+|\{\w+\})`)

// checkGroups finds those that match does not have: they would be nothing,
// as $1x is, where ${1}x is meant.
func checkGroups(match *regexp.Regexp, to string) error {
	for _, m := range groups.FindAllStringSubmatch(to, -1) {
		name := strings.Trim(m[1], "{}")
		n, err := strconv.Atoi(name)
		if name != "$" && (err != nil || n > match.NumSubexp()) && match.SubexpIndex(name) < 0 {
			return fmt.Errorf("to %q: match has no group %s, want ${1} for the first", to, name)
		}
	}
	return nil
}

// checkPath refuses what a request line cannot hold.
func checkPath(s string) error {
	for i := range len(s) {
		if c := s[i]; c <= ' ' || c >= 0x7f || c == '#' || c == '?' {
			return fmt.Errorf("%q: a path cannot hold %q, write it as %%%02X", s, c, c)
		}
	}
	return nil
}
