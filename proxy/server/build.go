package server

import (
	"multiserver/pool"
	"multiserver/proxy"
	"multiserver/proxy/edge"
)

// What the operator wrote, put in the terms of the rooms that do it.

func (s *Server) makeProxy(pages proxy.Pages) {
	c := s.conf
	s.gate = pool.NewGate(c.MaxConcurrent, pool.NewQueue(c.Queue, c.QueueTimeout))
	none := s.terms(c, pages)
	none.Cache = s.cache // which PURGE is for
	s.proxy = proxy.New(proxy.Options{
		Route:      none,
		Guard:      s.guard,
		Log:        s.log,
		Lines:      s.lines.log(),
		Timed:      c.Admin != nil, // who else could read of it
		LinesLater: c.File != "",   // what cannot be read again does not change
		Head:       c.Head,
		KeepAlive:  c.KeepAlive,
		MaxHead:    c.MaxHead,
		Gate:       s.gate,
		PurgeFrom:  c.Cache.PurgeFrom,
		Trusted:    c.TrustedProxies,
		Via:        c.Via,
		Upgrade:    c.Upgrade,
		Forwarded:  c.Forwarded,
		HSTS:       c.TLS.HSTS,
		Proof:      s.proof(),
		HTTP3:      s.http3.ports(),
		H3Port:     c.TLS.Port,
	})
	s.edge = edge.New(edge.Options{
		Proxy:     s.proxy,
		Guard:     s.guard,
		Log:       s.log,
		KeepAlive: c.KeepAlive,
		Idle:      c.Idle,
		MaxHead:   c.MaxHead,
	})
	s.crowd.most, s.crowd.log = places(c.MaxConnections, s.log), s.log
	s.front = newFront(s.crowd.most, s.proxy, s.edge, s.log)
}
