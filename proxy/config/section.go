package config

import (
	"slices"
	"strings"
	"time"

	"multiserver/proxy/route"
)

// section is a pool or a route as the file has it.
type section struct {
	name string
	at   place
	raw  Raw

	// Of a route:
	rule    route.Rule
	words   map[string][]place // where the rule's words stand
	pool    string
	poolAt  place
	split   []Share
	shareAt []place
	cookie  string
	ttl     time.Duration
	keeping []pair // what is said of the split's cookie
	filters []Filter
	broken  bool // where it goes was said, but wrongly
}

func (f *file) readPools(in pair) {
	for _, p := range f.pairs(in.val, in.at) {
		s := &section{name: p.key, at: p.at, raw: Raw{}}
		f.checkName(p.key, p.at)
		for _, q := range f.pairs(p.val, p.at) {
			f.own(q, s, PerPool, "a pool", nil)
		}
		f.pools = append(f.pools, s)
	}
	if len(f.pools) == 0 {
		f.add(in.at, "", "no pool in it, want name: and below it upstream: URL")
	}
}

// own reads a setting of a pool or of a route.
func (f *file) own(p pair, s *section, at Scope, what string, others []string) {
	row := Lookup(p.key)
	switch {
	case row != nil && row.Scope() == at:
		f.setting(p, s.raw)
	case row != nil && row.Scope() == PerPool:
		f.add(p.at, "", "is decided for each pool, want it in pools: or at the top")
	case row != nil && row.Scope() == PerRoute:
		f.add(p.at, "", "is decided for each route, want it in routes: or at the top")
	case row != nil:
		f.add(p.at, "", "is decided for all of the process, want it at the top")
	default:
		f.unknown(p, "setting of "+what, append(namesOf(at), others...))
	}
}

func namesOf(at Scope) []string {
	if at == PerPool {
		return slices.Clone(perPool)
	}
	return slices.Clone(perRoute)
}

// checkName takes what can be a metric's label, a cookie's value and a word in
// a log line.
func (f *file) checkName(name string, at place) {
	if name == "" || len(name) > 64 || strings.Trim(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-") != "" {
		f.add(at, name, "not a name, want letters, digits, -, _ and ., at most 64")
	}
}
