package config

import (
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"

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
	filters []Filter
	broken  bool // where it goes was said, but wrongly
}

// splitCookie is the name of the cookie that keeps a client with its share,
// unless another is said.
const splitCookie = "multiserver-split"

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

// routeKeys are a route's own, beside the settings that it may have.
var routeKeys = []string{"name", "match", "pool", "split", "split-cookie", "split-ttl", "filters"}

func (f *file) readRoutes(in pair) {
	f.routed = true
	n := behind(in.val)
	if n.Kind != yaml.SequenceNode {
		f.add(in.at, "", "%s, want a list: a - before each route", kindName(n))
		return
	}
	names := map[string]int{}
	for i, item := range n.Content {
		s := f.readRoute(item, in.at.item(i, item.Line))
		if s.name == "" {
			s.name = "route-" + strconv.Itoa(i+1)
		}
		if line, twice := names[s.name]; twice {
			f.add(s.at, s.name, "is the name of another route (line %d), want one of its own", line)
		}
		names[s.name] = s.at.line
		f.routes = append(f.routes, s)
	}
	if len(f.routes) == 0 {
		f.add(in.at, "", "no route in it, so that every request would be answered 404; want one such as - pool: NAME, or routes: left out")
	}
}

func (f *file) readRoute(n *yaml.Node, at place) *section {
	s := &section{at: at, raw: Raw{}, cookie: splitCookie, words: map[string][]place{}}
	for _, p := range f.pairs(n, at) {
		switch p.key {
		case "name":
			s.name = f.one(p)
			f.checkName(s.name, p.at)
		case "match":
			f.readMatch(p, s)
		case "pool":
			s.pool, s.poolAt = f.one(p), p.at
			s.broken = s.broken || s.pool == ""
		case "split":
			f.readSplit(p, s)
		case "split-cookie":
			f.readCookie(p, s)
		case "split-ttl":
			f.readTTL(p, s)
		case "filters":
			f.readFilters(p, s)
		case "cache":
			f.readCache(p, s)
		default:
			f.own(p, s, PerRoute, "a route", routeKeys)
		}
	}
	f.checkSplit(s)
	return s
}

// one is a single word; "" if there is none, which is no word that anything of
// a route could have.
func (f *file) one(p pair) string {
	words, _ := f.words(p, false)
	switch {
	case len(words) == 0:
		return ""
	case words[0] == "":
		f.add(p.at, "", "empty, want a value, or the line left out")
	}
	return strings.Join(words, "")
}

// readCache takes on and off: how large it is, is of the process.
func (f *file) readCache(p pair, s *section) {
	switch word := f.one(p); {
	case word == "":
	case word == off || word == "false":
		s.raw["cache"] = Given{From: p.at.String(), Words: []string{off}}
	case word != "on" && word != "true":
		f.add(p.at, word, "want on or off; its size is decided at the top")
	}
}

func (f *file) readSplit(p pair, s *section) {
	sum, before := 0, len(f.wrong)
	for _, q := range f.pairs(p.val, p.at) {
		word := f.one(q)
		weight, err := strconv.Atoi(word)
		switch {
		case word == "":
			continue
		case err != nil || weight < 0 || weight > maxWeight:
			f.add(q.at, word, "not a share, want a whole number from 0 to %d, such as 90", maxWeight)
			continue
		}
		sum += weight
		s.split, s.shareAt = append(s.split, Share{q.key, weight}), append(s.shareAt, q.at)
	}
	s.broken = s.broken || len(f.wrong) > before
	switch {
	case s.broken:
	case len(s.split) < 2:
		f.add(p.at, "", "has fewer than two pools, want two or more, such as split: {stable: 90, canary: 10}, or pool: NAME")
		s.broken = true
	case sum == 0:
		f.add(p.at, "", "all shares are 0, want one that is not")
	}
}

// checkSplit finds what was said in vain, or twice.
func (f *file) checkSplit(s *section) {
	if s.pool != "" && s.split != nil {
		f.add(s.at, "", "has both a pool and a split, want one of them")
	}
}

func (f *file) readCookie(p pair, s *section) {
	switch word := f.one(p); {
	case word == "":
	case word == none:
		s.cookie = ""
	case !isToken(word):
		f.add(p.at, word, "no cookie can be called that")
	default:
		s.cookie = word
	}
}

func (f *file) readTTL(p pair, s *section) {
	word := f.one(p)
	if word == "" {
		return
	}
	d, err := durationIn(0, longest, word)
	if err == nil && d%time.Second != 0 {
		err = errors.New("cookies count whole seconds")
	}
	if err != nil {
		f.add(p.at, word, "%s", err)
	}
	s.ttl = d
}

// readMatch reads the rule; what its words mean is for package route.
func (f *file) readMatch(in pair, s *section) {
	for _, p := range f.pairs(in.val, in.at) {
		switch p.key {
		case "host":
			s.rule.Host = f.matchWords(p, s)
		case "path":
			s.rule.Path = f.matchWords(p, s)
		case "method":
			s.rule.Method = f.matchWords(p, s)
		case "header":
			s.rule.Header = f.matchFields(p, s)
		case "query":
			s.rule.Query = f.matchFields(p, s)
		default:
			f.unknown(p, "condition", []string{"host", "path", "method", "header", "query"})
		}
	}
}

func (f *file) matchWords(p pair, s *section) []string {
	n := behind(p.val)
	words, _ := f.words(p, true)
	for i, item := range items(n) {
		at := p.at
		if n.Kind == yaml.SequenceNode {
			at = at.item(i, item.Line)
		}
		s.words[p.key] = append(s.words[p.key], at)
	}
	return words
}

func (f *file) matchFields(p pair, s *section) (fields []route.Field) {
	for _, q := range f.pairs(p.val, p.at) {
		if words, _ := f.words(q, false); len(words) == 1 { // it may be empty
			fields = append(fields, route.Field{Name: q.key, Value: words[0]})
			s.words[p.key] = append(s.words[p.key], q.at)
		}
	}
	return fields
}

// route is the section as a Route.
func (b *grouping) route(s *section) Route {
	r := Route{Name: s.name, Match: s.rule, Config: b.routeConfig(s), Pool: s.pool, Split: s.split, Filters: s.filters}
	if len(s.split) > 0 {
		r.Cookie, r.TTL = s.cookie, s.ttl
	}
	return r
}
