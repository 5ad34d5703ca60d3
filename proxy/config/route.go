package config

import (
	"time"

	"multiserver/proxy/route"
)

// Group is upstreams with a name, and the settings that hold for them: its
// Config is the top's, with what the pool says of its own. Its own Pools and
// Routes are empty.
type Group struct {
	Name string
	*Config
}

// Route is what is done with the requests that it matches. Its Config is the
// top's, with what the route says of its own; which upstreams, only its pools
// say.
type Route struct {
	Name  string // unique
	Match route.Rule
	*Config

	Pool    string        // "" with a Split
	Split   []Share       // two or more
	Cookie  string        // keeps a client with its share; "": nothing does
	TTL     time.Duration // how long a browser keeps that, whole seconds; 0: until it is closed
	Filters []Filter      // in the order in which they see a request
}

// Share is one of the pools that a route's requests are split among.
type Share struct {
	Pool   string
	Weight int // 0: takes none; the sum of all is not 0
}

// basic is the name of the pool that --upstream fills, and of the route that
// takes all there is.
const basic = "default"

// group makes pools and routes of what was read. Without a file there is one
// of each, so that there is one way for the server to build them.
func group(c *Config, raw Raw, f *file) (mistakes Mistakes) {
	plain := *c
	b := grouping{top: &plain, raw: raw, file: f}
	if feeds(raw) || len(f.pools) == 0 {
		c.Pools = append(c.Pools, Group{basic, &plain})
	}
	for _, s := range f.pools {
		c.Pools = append(c.Pools, Group{s.name, b.pool(s)})
	}
	for _, s := range f.routes {
		c.Routes = append(c.Routes, b.route(s))
	}
	if !f.routed {
		c.Routes = []Route{{Name: basic, Config: &plain, Pool: c.Pools[0].Name}}
	}
	b.names(c)
	b.match(c)
	return append(f.wrong, b.wrong...)
}
