package config

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"multiserver/proxy/route"
)

// grouping makes pools and routes of what the file says of them.
type grouping struct {
	top   *Config
	raw   Raw
	file  *file
	wrong Mistakes
}

// pool is the top with the pool's own settings.
func (b *grouping) pool(s *section) *Config {
	if !feeds(s.raw) {
		b.file.add(s.at, "", "no upstream, want at least one, such as upstream: http://127.0.0.1:3000")
	}
	c, raw, add := b.derive(s)
	c.Cache, c.Session = b.top.Cache, b.top.Session
	c.checkSpawn(add, s.raw)
	c.checkUpstreams(add, s.raw)
	c.checkUpstreamTLS(add, raw)
	c.checkBalance(add, raw)
	c.checkBound(add, raw)
	c.checkHealth(add, raw)
	return c
}

// routeConfig is the top with the route's own settings.
func (b *grouping) routeConfig(s *section) *Config {
	if len(s.raw) == 0 {
		return b.top // as most of 10,000 are
	}
	c, raw, add := b.derive(s)
	c.UpstreamTLS, c.Health = b.top.UpstreamTLS, b.top.Health
	c.Upstreams, c.Spawn = b.top.Upstreams, b.top.Spawn
	c.checkRouteHub(add, raw, &b.top.Hub)
	c.ownSession(b.top, add, raw)
	c.checkCache(add, raw)
	return c
}

// derive reads the table anew with what the section says in front of what the
// top says. Complaints about what the top says have been made there.
func (b *grouping) derive(s *section) (*Config, Raw, func(name, value, why string, args ...any)) {
	raw := maps.Clone(b.raw)
	for _, own := range []string{"upstream", "spawn", "spawn-command"} {
		delete(raw, own)
	}
	maps.Copy(raw, s.raw)
	c := new(Config)
	for i := range Settings {
		name := Settings[i].Name
		mistakes := Settings[i].parse(c, raw)
		if _, own := s.raw[name]; own {
			b.wrong = append(b.wrong, mistakes...)
		}
	}
	c.Listen, c.TLS = b.top.Listen, b.top.TLS
	return c, raw, func(name, value, why string, args ...any) {
		if g, own := s.raw[name]; own {
			b.wrong = append(b.wrong, Mistake{From: g.From, Value: value, Why: fmt.Sprintf(why, args...)})
		}
	}
}

// names holds the routes' words about pools against the pools that there are.
func (b *grouping) names(c *Config) {
	var names []string
	there, used := map[string]bool{}, map[string]bool{}
	for i, p := range c.Pools {
		if there[p.Name] { // two in the file have been found there
			b.file.add(b.file.pools[i-1].at, "", "is the name of the pool that the top fills, want another")
		}
		names, there[p.Name] = append(names, p.Name), true
	}
	known := func(name string, at place) {
		if used[name] = true; !there[name] {
			b.unknown(name, at, names)
		}
	}
	for i, s := range b.file.routes {
		r := &c.Routes[i]
		if s.pool == "" && len(r.Split) == 0 && !s.broken {
			r.Pool = b.only(s, names)
		}
		used[r.Pool] = true
		if s.pool != "" {
			known(r.Pool, s.poolAt)
		}
		for j, share := range r.Split {
			known(share.Pool, s.shareAt[j])
		}
	}
	if !b.file.routed {
		used[c.Routes[0].Pool] = len(names) == 1
	}
	b.unused(c, used)
}

// only is the pool of a route that names none.
func (b *grouping) only(s *section, names []string) string {
	switch {
	case slices.Contains(names, basic):
		return basic
	case len(names) == 1:
		return names[0]
	}
	b.file.add(s.at, "", "no pool, want pool: and one of %s", listed(names))
	return ""
}

func (b *grouping) unknown(name string, at place, names []string) {
	if near := nearest(name, names); near != "" {
		b.file.add(at, name, "no such pool, did you mean %s?", near)
		return
	}
	b.file.add(at, name, "no such pool, want one of %s", listed(names))
}

// unused finds pools that nothing can come to, which were meant otherwise.
func (b *grouping) unused(c *Config, used map[string]bool) {
	lead := 0
	if given := feeds(b.raw); given || len(b.file.pools) == 0 {
		lead = 1
		g, ok := b.raw["upstream"]
		if !ok {
			g = b.raw["spawn"]
		}
		if given && !used[basic] {
			b.wrong = append(b.wrong, Mistake{From: g.From, Why: "no route leads there, want one with pool: " + basic + ", or these upstreams in a pool of the file"})
		}
	}
	for i, s := range b.file.pools {
		if name := c.Pools[lead+i].Name; !used[name] {
			b.file.add(s.at, "", "no route leads there, want one with pool: %s, or the pool left out", name)
		}
	}
}

func listed(names []string) string {
	if len(names) > 10 {
		return fmt.Sprintf("%d that there are", len(names))
	}
	return strings.Join(names, ", ")
}

// match holds the routes against each other.
func (b *grouping) match(c *Config) {
	rules := make([]route.Rule, len(b.file.routes))
	for i := range rules {
		rules[i] = c.Routes[i].Match
	}
	_, err := route.New(rules)
	errs, _ := err.(route.Errors)
	for _, e := range errs {
		s := b.file.routes[e.Rule]
		if e.Part == "" {
			other := b.file.routes[e.Other]
			b.file.add(s.at, e.Word, "is taken by %s (line %d), with the same conditions: want it in one of them, or a condition more", other.at.path, other.at.line)
			continue
		}
		b.file.add(s.words[e.Part][e.At], e.Word, "%s", e.Why)
	}
}
