package server

import (
	"errors"
	"fmt"

	"multiserver/proxy"
	"multiserver/proxy/config"
	"multiserver/proxy/filter"
	"multiserver/proxy/route"
)

// makeRoutes puts the operator's routes in the proxy's terms.
func (s *Server) makeRoutes() error {
	t, err := s.newRoutes(s.conf)
	if err != nil {
		return err
	}
	s.proxy.SetRoutes(t)
	return nil
}

func (s *Server) newRoutes(c *config.Config) (*proxy.Routes, error) {
	t := &proxy.Routes{}
	rules := make([]route.Rule, len(c.Routes))
	var wrong error
	for i := range c.Routes {
		r, err := s.newRoute(&c.Routes[i])
		wrong = errors.Join(wrong, err)
		t.All = append(t.All, r)
		rules[i] = c.Routes[i].Match
	}
	if wrong != nil {
		return nil, wrong
	}
	if len(rules) == 1 && everything(&rules[0]) {
		return t, nil
	}
	table, err := route.New(rules)
	if err != nil {
		return nil, err // config has looked before: cannot be
	}
	t.Find = table
	return t, nil
}

func (s *Server) newRoute(of *config.Route) (*proxy.Route, error) {
	pages, err := proxy.LoadPages(of.ErrorPages)
	if err != nil {
		return nil, fmt.Errorf("route %s: %w", of.Name, err)
	}
	r := s.terms(of.Config, pages)
	r.Name = of.Name
	if len(of.Split) == 0 {
		r.Pool = s.poolOf(of.Pool)
	} else {
		r.Split = proxy.NewSplit(s.shares(of.Split), of.Cookie, of.TTL)
	}
	for i := range of.Filters {
		f, failed := s.newFilter(of, i)
		err = errors.Join(err, failed)
		r.Filters = append(r.Filters, f)
	}
	return &r, err
}

// everything tells whether a rule asks for nothing.
func everything(r *route.Rule) bool {
	return len(r.Host)+len(r.Path)+len(r.Method)+len(r.Header)+len(r.Query) == 0
}

// terms are those that a Config has, without pool and filters.
func (s *Server) terms(c *config.Config, pages proxy.Pages) proxy.Route {
	r := proxy.Route{
		Pages:      pages,
		Response:   c.Response,
		Idle:       c.Idle,
		TunnelIdle: c.TunnelIdle,
		MaxBody:    c.MaxBody,
		Sessions:   s.sessions.of(c),
	}
	if c.Cache.Memory > 0 {
		r.Cache = s.cache
	}
	return r
}

// poolOf is the pool of that name, which config has seen to that there is.
func (s *Server) poolOf(name string) *proxy.Pool {
	for _, g := range s.groups {
		if g.Name == name {
			return g.Pool
		}
	}
	return nil
}

func (s *Server) shares(of []config.Share) (out []proxy.Share) {
	for _, sh := range of {
		out = append(out, proxy.Share{Pool: s.poolOf(sh.Pool), Weight: uint32(sh.Weight)})
	}
	return out
}

func (s *Server) newFilter(of *config.Route, i int) (proxy.Filter, error) {
	c := &of.Filters[i]
	f, err := filter.New(c.Name, filter.Options{
		Decode: c.Decode,
		Key:    fmt.Sprintf("%s/%d", of.Name, i),
		Log:    s.log,
	})
	var said config.Mistakes
	if err == nil || errors.As(err, &said) {
		return f, err
	}
	return nil, c.Mistake("", err.Error())
}
