package key

import (
	"fmt"
	"strings"
)

// Rules say what of a request's target does not tell answers apart. The zero
// value: everything does. What the origin is asked for is never changed by
// them, only the name that its answer is kept under; a parameter that does
// change the answer and is dropped here gives one client another's page.
type Rules struct {
	// DropQuery are names of query parameters to leave out, compared as they
	// are sent. A trailing * makes a prefix of it: "utm_*"; "*" is the whole
	// query.
	DropQuery []string

	// SortQuery puts parameters in the order of their names. Those of one name
	// keep their order, which often means something. Queries of more than 64
	// parameters stay as they are.
	SortQuery bool
}

// Check tells what is wrong with the rules, or nil.
func (r *Rules) Check() error {
	for _, name := range r.DropQuery {
		switch {
		case name == "":
			return fmt.Errorf("%q is no name of a query parameter, want one such as fbclid or utm_*", name)
		case strings.ContainsAny(name, "&=?#"):
			return fmt.Errorf("query parameter %q: want the name alone, without any of & = ? #", name)
		case strings.Contains(strings.TrimSuffix(name, "*"), "*"):
			return fmt.Errorf("query parameter %q: a * stands for the rest of a name, want it once and at the end", name)
		}
	}
	return nil
}

// Append appends the key of a request. host and path are those of
// wire.Request; secure and host are settled by the caller, who knows which
// peers may say what the client asked for.
//
// Fast path: without rules, or without a query, the target is copied.
func (r *Rules) Append(dst []byte, secure bool, host, path []byte) []byte {
	dst = appendOrigin(dst, secure, host)
	if len(path) == 0 || path[0] == '?' {
		dst = append(dst, '/') // RFC 9112 §3.2.1: what is sent to the origin
	}
	return r.appendTarget(dst, path)
}

func (r *Rules) appendTarget(dst, path []byte) []byte {
	if !r.SortQuery && len(r.DropQuery) == 0 {
		return append(dst, path...)
	}
	path, query := cutQuery(path)
	dst = append(dst, path...)
	if query == nil {
		return dst
	}
	return r.appendQuery(dst, query[1:])
}
