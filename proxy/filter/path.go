package filter

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"

	"multiserver/proxy"
)

// stripPrefix takes segments off the front of the path.
type stripPrefix struct {
	proxy.Pass
	prefix []byte
}

func newStripPrefix(o Options) (proxy.Filter, error) {
	p, err := readPrefix(o)
	return &stripPrefix{prefix: p}, err
}

func (f *stripPrefix) Request(x *proxy.Exchange) bool {
	path := x.Path()
	rest, ok := bytes.CutPrefix(path, f.prefix)
	switch {
	case !ok:
	case len(rest) == 0:
		x.Rewrite(slash)
	case rest[0] == '/':
		x.Rewrite(rest)
	case rest[0] == '?':
		x.Rewrite(append(slash, rest...))
	}
	return true
}

var slash = []byte("/")[:1:1] // an append copies it

// addPrefix puts segments before the path.
type addPrefix struct {
	proxy.Pass
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

// rewrite makes another path of those that match a regular expression. The
// query stays.
type rewrite struct {
	proxy.Pass
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
	x.Rewrite(to)
	return true
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
