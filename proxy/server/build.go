package server

import (
	"context"
	"crypto/rand"

	"multiserver/pool"
	"multiserver/pool/balance"
	"multiserver/pool/discover"
	"multiserver/proxy"
	"multiserver/proxy/config"
	"multiserver/proxy/edge"
)

// What the operator wrote, put in the terms of the rooms that do it.

// makePool looks every upstream's name up once, so that a mistyped one is
// known at start and not with the first request.
func (s *Server) makePool(ctx context.Context) (err error) {
	s.members, err = discover.New(ctx, specs(s.conf.Upstreams), discover.Options{
		Resolver: s.resolver(),
		Interval: s.conf.Resolve,
		Log:      s.log,
	})
	if err != nil {
		return err
	}
	s.pool = pool.New(s.poolOptions())
	s.pool.Set(s.members.Targets())
	return nil
}

func specs(targets []config.Target) []discover.Spec {
	out := make([]discover.Spec, len(targets))
	for i, t := range targets {
		out[i] = discover.Spec{
			URL:    t.URL,
			Scheme: t.Scheme,
			Host:   t.Host,
			Port:   t.Port,
			Each:   pool.Target{Weight: t.Weight, Max: t.Max, Backup: t.Backup, SendProxy: t.SendProxy, H2: t.H2},
		}
	}
	return out
}

func (s *Server) poolOptions() pool.Options {
	c, h := s.conf, &s.conf.Health
	return pool.Options{
		Balance:      balance.Find(c.Balance).Build,
		Guard:        s.guard,
		Connect:      c.Connect,
		Response:     c.Response,
		TLS:          s.https,
		MaxHead:      c.MaxHead,
		MaxIdle:      c.Pool.MaxIdle,
		IdleAge:      c.Pool.IdleAge,
		MaxAge:       c.Pool.MaxAge,
		Queue:        c.Queue,
		QueueTimeout: c.QueueTimeout,
		MaxFails:     h.MaxFails,
		EjectFor:     h.FailTimeout,
		Check:        pool.Check{Path: h.Path, Interval: h.Interval, Timeout: h.Timeout, Rise: h.Rise, Fall: h.Fall},
		SlowStart:    h.SlowStart,
		Clock:        c.Balance == "least-latency" || c.Balance == "p2c",
		Log:          s.log,
	}
}

func (s *Server) makeProxy(pages proxy.Pages) {
	c := s.conf
	s.gate = pool.NewGate(c.MaxConcurrent, pool.NewQueue(c.Queue, c.QueueTimeout))
	s.proxy = proxy.New(proxy.Options{
		Route: proxy.Route{
			Pool:       &proxy.Pool{Pool: s.pool, Balance: c.Balance, Affinity: s.affinity()},
			Pages:      pages,
			Cache:      s.cache,
			Response:   c.Response,
			Idle:       c.Idle,
			TunnelIdle: c.TunnelIdle,
			MaxBody:    c.MaxBody,
		},
		Guard:     s.guard,
		Log:       s.log,
		Lines:     s.lines,
		Timed:     c.Admin != nil, // who else could read of it
		Head:      c.Head,
		KeepAlive: c.KeepAlive,
		MaxHead:   c.MaxHead,
		Gate:      s.gate,
		PurgeFrom: c.Cache.PurgeFrom,
		Trusted:   c.TrustedProxies,
		Via:       c.Via,
		Forwarded: c.Forwarded,
		Redirect:  s.httpsPort(),
		HSTS:      c.TLS.HSTS,
		Proof:     s.proof(),
		HTTP3:     s.http3.ports(),
		H3Port:    c.TLS.Port,
	})
	s.edge = edge.New(edge.Options{
		Proxy:     s.proxy,
		Guard:     s.guard,
		Log:       s.log,
		KeepAlive: c.KeepAlive,
		Idle:      c.Idle,
		MaxHead:   c.MaxHead,
	})
	s.front = newFront(c.MaxConnections, s.proxy, s.edge, s.log)
}

// affinity makes the kind of key that the balance wants.
func (s *Server) affinity() proxy.Affinity {
	switch c := s.conf; balance.Find(c.Balance).Key {
	case balance.ValueOf:
		return proxy.Affinity{By: parts[c.HashOn.Part], Name: c.HashOn.Name}
	case balance.HostID:
		name := c.Sticky.Name
		return proxy.Affinity{By: proxy.ByUpstream, Name: name, Sticky: proxy.NewSticky(name, c.Sticky.TTL, s.stickyKey())}
	}
	return proxy.Affinity{}
}

// parts are those of config.HashOn.
var parts = map[string]proxy.By{
	"client": proxy.ByClient,
	"uri":    proxy.ByURI,
	"path":   proxy.ByPath,
	"host":   proxy.ByHost,
	"header": proxy.ByHeader,
	"query":  proxy.ByQuery,
	"cookie": proxy.ByCookie,
}

func (s *Server) stickyKey() []byte {
	if k := s.conf.Sticky.Key; k != "" {
		return []byte(k)
	}
	s.log.Info("sticky cookies are signed with a random key, which other nodes and the next start will not know", "set", "--sticky-key")
	key := make([]byte, 32)
	_, _ = rand.Read(key) // never fails
	return key
}
