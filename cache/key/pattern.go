package key

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// Pattern is one word of the operator's about paths:
//
//	/a                    this path and no other
//	/static/*             all paths that begin so
//	~^/api/.*\.json$      all paths in which the regular expression is found
//	example.org/static/*  any of these on one host only, whatever the port
//	*.example.org/        … or on all hosts below a domain
//
// A pattern is about the path alone; the query behind it does not matter.
// Paths have large and small letters, hosts do not. The zero value matches
// nothing.
type Pattern struct {
	host   string // lower case; "" for any, ".example.org" for all below
	path   string
	prefix bool
	expr   *regexp.Regexp
}

// ParsePattern reads a pattern. The error names the word and a way out.
func ParsePattern(word string) (Pattern, error) {
	p, err := parsePattern(word)
	if err != nil {
		return Pattern{}, fmt.Errorf("pattern %q: %w", word, err)
	}
	return p, nil
}

func parsePattern(word string) (p Pattern, err error) {
	i := strings.IndexAny(word, "/~")
	if i < 0 {
		return p, errors.New("missing path, want one such as /a, /static/* or example.org/static/*, or ~ and a regular expression")
	}
	if strings.Contains(word[:i+1], ":/") {
		return p, errors.New("has a scheme, want the host and the path alone, such as example.org/static/*")
	}
	if p.host, err = patternHost(word[:i]); err != nil {
		return p, err
	}
	if word[i] == '~' {
		return p, p.compile(word[i+1:])
	}
	return p, p.literal(word[i:])
}

func patternHost(h string) (string, error) {
	name := strings.TrimPrefix(h, "*.")
	host, port := splitPort([]byte(name))
	switch {
	case h == "":
		return "", nil
	case port != nil || strings.HasSuffix(name, ":"):
		return "", fmt.Errorf("has a port, want the host alone: %s", host)
	case strings.Contains(name, "*"):
		return "", errors.New("a * stands for whole labels in front of a domain, want *.example.org or the path alone")
	case !authority([]byte(name)) || name == ".":
		return "", fmt.Errorf("%q is no host, want one such as example.org", name)
	}
	name = strings.ToLower(strings.TrimSuffix(name, "."))
	if len(h) > 2 && h[0] == '*' {
		name = "." + name
	}
	return name, nil
}

func (p *Pattern) compile(expr string) error {
	if expr == "" {
		return errors.New(`missing regular expression behind the ~, want one such as ~\.css$`)
	}
	var err error
	if p.expr, err = regexp.Compile(expr); err != nil {
		return fmt.Errorf("not a regular expression in Go's (RE2's) syntax: %w", err)
	}
	return nil
}

func (p *Pattern) literal(path string) error {
	p.path, p.prefix = strings.CutSuffix(path, "*")
	switch {
	case strings.Contains(p.path, "*"):
		return errors.New(`a * stands for the rest of the path, want it once and at the end, or a regular expression such as ~^/a/.*\.css$`)
	case strings.Contains(p.path, "?"):
		return errors.New("the query does not count, want the path alone")
	case strings.Contains(p.path, "#"):
		return errors.New("a # never comes with a request, want the path alone")
	}
	return nil
}

// onHost wants a host without its port and trailing dot.
func (p *Pattern) onHost(host []byte) bool {
	switch {
	case p.host == "":
		return true
	case p.host[0] == '.':
		return len(host) > len(p.host) && equalFold(host[len(host)-len(p.host):], p.host)
	}
	return equalFold(host, p.host)
}

func (p *Pattern) onPath(path []byte) bool {
	switch {
	case p.expr != nil:
		return p.expr.Match(path)
	case p.prefix:
		return len(path) >= len(p.path) && string(path[:len(p.path)]) == p.path
	}
	return p.path != "" && bytes.Equal(path, []byte(p.path))
}

// equalFold is not wire's, which takes "@" for "`" and "[" for "{".
func equalFold(b []byte, want string) bool {
	if len(b) != len(want) {
		return false
	}
	for i := range want {
		if lower(b[i]) != want[i] {
			return false
		}
	}
	return true
}
