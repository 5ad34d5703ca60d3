package config

import (
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"

	"multiserver/proxy/route"
)

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
	words, at := f.words(p, true)
	s.words[p.key] = at
	return words
}

func (f *file) matchFields(p pair, s *section) (fields []route.Field) {
	for _, q := range f.pairs(p.val, p.at) {
		if words, at := f.words(q, false); len(words) == 1 { // it may be empty
			fields = append(fields, route.Field{Name: q.key, Value: words[0]})
			s.words[p.key] = append(s.words[p.key], at[0])
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
