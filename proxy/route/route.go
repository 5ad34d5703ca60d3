package route

import (
	"bytes"

	"multiserver/proxy/wire"
)

// Rule is what a request must be to take a route. Of a list one word must fit,
// and all lists must; an empty one asks nothing.
type Rule struct {
	Host   []string // example.org, *.example.org (all below it); case, port and a dot at the end do not count
	Path   []string // /exact, /prefix/* (that and all below it), ~regexp
	Method []string // GET
	Header []Field  // each must fit
	Query  []Field  // each must fit; compared decoded
}

// Field is a header field or a query parameter, of which there may be several
// with the name: one of them must fit.
type Field struct {
	Name  string
	Value string // as it is, or ~regexp, or * for any
}

// What Find returns instead of a rule.
const (
	None    = -1 // no rule fits: 404
	Unclear = -2 // which one depends on how the upstream reads the path: 400
)

// Table is rules, compiled. It never changes, and is used by any number of
// goroutines.
type Table struct {
	hosts tree[*site] // by label, from the last
	any   *site       // for all hosts; nil: no such rule
}

// site is the paths of a host, or of all below one.
type site struct {
	paths tree[entries]
}

// Find returns the index of the rule that the request takes, or None, or
// Unclear. It keeps nothing of q.
//
// Fast path: a path that has one reading only.
func (t *Table) Find(q *wire.Request) int {
	var room [maxHost]byte
	host := appendHost(room[:0], q.Host)
	path := pathOf(q.Path)
	if plain(path) {
		return t.find(host, path, q)
	}
	return t.compare(host, path, q)
}

var root = []byte{'/'}

// pathOf cuts the query off; "?a" is "/?a".
func pathOf(target []byte) []byte {
	if i := bytes.IndexByte(target, '?'); i >= 0 {
		target = target[:i]
	}
	if len(target) == 0 {
		return root
	}
	return target
}

// find goes from what says most of the host to what says least.
func (t *Table) find(host, path []byte, q *wire.Request) int {
	at, more := &t.hosts.root, len(host) > 0
	for rest := host; more; {
		i := bytes.LastIndexByte(rest, '.')
		kid := at.kids[string(rest[i+1:])]
		if kid == nil {
			break
		}
		at, rest, more = kid, rest[:max(i, 0)], i >= 0
	}
	if whole := !more; whole {
		if at.here != nil {
			if i := at.here.find(path, q); i >= 0 {
				return i
			}
		}
		at = at.up // *.example.org is not example.org
	}
	for ; at != nil; at = at.up {
		if at.below == nil {
			continue
		}
		if i := at.below.find(path, q); i >= 0 {
			return i
		}
	}
	if t.any == nil {
		return None
	}
	return t.any.find(path, q)
}

// find goes down to what is left of the path without a name in the tree, and
// up again.
func (s *site) find(path []byte, q *wire.Request) int {
	at, rest, whole := &s.paths.root, path, false
	for len(rest) > 0 && rest[0] == '/' {
		segment := rest[1:]
		if i := bytes.IndexByte(segment, '/'); i >= 0 {
			segment = segment[:i]
		}
		kid := at.kids[string(segment)]
		if kid == nil {
			break
		}
		at, rest = kid, rest[1+len(segment):]
		whole = len(rest) == 0
	}
	if whole {
		if i := at.here.first(q); i >= 0 {
			return i
		}
	}
	if i := at.expressions(path, q); i >= 0 {
		return i
	}
	for ; at != nil; at = at.up {
		if i := at.below.first(q); i >= 0 {
			return i
		}
	}
	return None
}
