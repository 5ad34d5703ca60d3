package server

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"multiserver/cache"
	"multiserver/proxy"
	"multiserver/proxy/config"
	"multiserver/proxy/route"
)

// makeRoutes puts the operator's routes in the proxy's terms.
func (s *Server) makeRoutes(pages proxy.Pages) error {
	t, views, err := s.newRoutes(s.conf, s.groups(), pages)
	if err != nil {
		return err
	}
	t.Redirect = httpsPort(&s.conf.TLS, s.secure)
	s.reloads.routes = t
	s.setRoutes(t, views)
	return nil
}

// setRoutes tells the cache before requests come by them.
func (s *Server) setRoutes(t *proxy.Routes, views []*cache.Cache) {
	if s.cache != nil {
		s.cache.Know(views)
	}
	s.proxy.SetRoutes(t)
}

// routing is what routes are made of.
type routing struct {
	*Server
	pools map[string]*proxy.Pool
	pages map[string]proxy.Pages // by directory
	views map[keeping]*cache.Cache
	old   map[string]*proxy.Route // whose place these take
}

// heir is a filter that goes on with what the one before it knows, which goes
// on beside it for a while.
type heir interface{ Inherit(old proxy.Filter) }

// inherit has f, the i-th filter of a route, take over from that in its place.
func inherit(f proxy.Filter, before *proxy.Route, i int) {
	if h, ok := f.(heir); ok && before != nil && i < len(before.Filters) {
		h.Inherit(before.Filters[i])
	}
}

func (s *Server) newRoutes(c *config.Config, groups []*group, pages proxy.Pages) (*proxy.Routes, []*cache.Cache, error) {
	b := &routing{s, map[string]*proxy.Pool{}, map[string]proxy.Pages{c.ErrorPages: pages}, map[keeping]*cache.Cache{}, map[string]*proxy.Route{}}
	if t := s.reloads.routes; t != nil {
		for _, r := range t.All {
			b.old[r.Name] = r
		}
	}
	for _, g := range groups {
		b.pools[g.Name] = g.Pool
	}
	none := s.terms(c, pages)
	t := &proxy.Routes{None: &none}
	rules := make([]route.Rule, len(c.Routes))
	var wrong error
	for i := range c.Routes {
		r, err := b.newRoute(&c.Routes[i])
		wrong = errors.Join(wrong, err)
		t.All = append(t.All, r)
		rules[i] = c.Routes[i].Match
	}
	if wrong != nil {
		return nil, nil, wrong
	}
	views := slices.Collect(maps.Values(b.views))
	if len(rules) == 1 && everything(&rules[0]) {
		return t, views, nil
	}
	table, err := route.New(rules)
	if err != nil {
		return nil, nil, err // config has looked before: cannot be
	}
	t.Find = table
	return t, views, nil
}

func (b *routing) newRoute(of *config.Route) (*proxy.Route, error) {
	pages, err := b.pagesIn(of.ErrorPages)
	if err != nil {
		return nil, fmt.Errorf("route %s: %w", of.Name, err)
	}
	r := b.terms(of.Config, pages)
	r.Name = of.Name
	r.Cache, err = b.view(of, of.Pool)
	if len(of.Split) == 0 {
		r.Pool = b.pools[of.Pool]
	} else {
		shares, failed := b.shares(of)
		err = errors.Join(err, failed)
		r.Split = proxy.NewSplit(shares, of.Cookie, of.TTL)
	}
	before := b.old[of.Name]
	for i := range of.Filters {
		f, failed := newFilter(&of.Filters[i], b.filterOptions(fmt.Sprintf("%s/%d", of.Name, i)))
		inherit(f, before, i)
		err = errors.Join(err, failed)
		r.Filters = append(r.Filters, f)
	}
	err = errors.Join(err, b.hubRoute(&r, of))
	return &r, err
}

// pagesIn are those of a directory, read once for all routes.
func (b *routing) pagesIn(dir string) (pages proxy.Pages, err error) {
	pages, read := b.pages[dir]
	if !read {
		if pages, err = proxy.LoadPages(dir); err == nil {
			b.pages[dir] = pages
		}
	}
	return pages, err
}

// everything tells whether a rule asks for nothing.
func everything(r *route.Rule) bool {
	return len(r.Host)+len(r.Path)+len(r.Method)+len(r.Header)+len(r.Query) == 0
}

// terms are those that a Config has, without pool and filters.
func (s *Server) terms(c *config.Config, pages proxy.Pages) proxy.Route {
	r := proxy.Route{
		Pages:      pages,
		Tries:      c.Retries + 1,
		Response:   c.Response,
		Idle:       c.Idle,
		TunnelIdle: c.TunnelIdle,
		MaxBody:    c.MaxBody,
		Sessions:   s.sessions.of(c),
	}
	return r
}

func (b *routing) shares(of *config.Route) (out []proxy.Share, err error) {
	for _, sh := range of.Split {
		view, failed := b.view(of, sh.Pool)
		err = errors.Join(err, failed)
		out = append(out, proxy.Share{Pool: b.pools[sh.Pool], Weight: uint32(sh.Weight), Cache: view})
	}
	return out, err
}
