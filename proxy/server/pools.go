package server

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"sync"

	"multiserver/pool"
	"multiserver/pool/balance"
	"multiserver/pool/discover"
	"multiserver/pool/spawn"
	"multiserver/proxy"
	"multiserver/proxy/certs"
	"multiserver/proxy/config"
)

// group is a pool as the operator wrote it, and all that keeps it going.
type group struct {
	*proxy.Pool
	conf    *config.Config
	members *discover.Discover // keeps the pool's up to date
	ours    *certs.Store       // what its upstreams are shown; nil: nothing
	spawned *spawn.App         // whose processes are members, too; nil: none
}

// makePools looks every upstream's name up once, so that a mistyped one is
// known at start and not with the first request.
func (s *Server) makePools(ctx context.Context) (err error) {
	for i := range s.conf.Pools {
		g, failed := s.newGroup(ctx, &s.conf.Pools[i])
		if failed != nil {
			err = errors.Join(err, s.inPool(s.conf.Pools[i].Name, failed))
			continue
		}
		s.groups = append(s.groups, g)
	}
	return err
}

func (s *Server) newGroup(ctx context.Context, of *config.Group) (*group, error) {
	g := &group{conf: of.Config}
	secure, err := s.upstreamTLS(g)
	if err != nil {
		return nil, err
	}
	g.members, err = discover.New(ctx, specs(of.Upstreams), discover.Options{
		Resolver: newResolver(of.Resolver),
		Interval: of.Resolve,
		Log:      s.log,
	})
	if err != nil {
		return nil, err
	}
	if g.spawned, err = s.newApp(of); err != nil {
		return nil, err
	}
	ups := pool.New(s.poolOptions(of.Config, secure))
	ups.Set(g.members.Targets())
	g.Pool = &proxy.Pool{Pool: ups, Name: of.Name, Balance: of.Balance, Affinity: s.affinity(of.Config)}
	return g, nil
}

// abandon closes a group that was never run.
func (g *group) abandon() {
	g.Close()
	if g.spawned != nil {
		g.spawned.Close()
	}
}

// inPool says in which pool something went wrong, where there is more than one
// that it could be.
func (s *Server) inPool(name string, err error) error {
	if len(s.conf.Pools) == 1 {
		return err
	}
	return fmt.Errorf("pool %s: %w", name, err)
}

// run keeps the group up to date until ctx is done.
func (g *group) run(ctx context.Context) {
	var wg sync.WaitGroup
	if g.ours != nil {
		wg.Go(func() { g.ours.Run(ctx) })
	}
	r := &roster{pool: g.Pool.Pool, found: g.members.Targets()}
	if g.spawned != nil {
		wg.Go(func() { g.spawned.Run(ctx, r.setOurs) })
	}
	g.members.Run(ctx, r.setFound)
	wg.Wait()
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

func (s *Server) poolOptions(c *config.Config, secure *tls.Config) pool.Options {
	h := &c.Health
	return pool.Options{
		Balance:      balance.Find(c.Balance).Build,
		Guard:        s.guard,
		Connect:      c.Connect,
		Response:     c.Response,
		TLS:          secure,
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

// affinity makes the kind of key that the balance wants.
func (s *Server) affinity(c *config.Config) proxy.Affinity {
	switch balance.Find(c.Balance).Key {
	case balance.ValueOf:
		return proxy.Affinity{By: parts[c.HashOn.Part], Name: c.HashOn.Name}
	case balance.HostID:
		if c.Sticky.Session {
			return proxy.Affinity{By: proxy.ByPin}
		}
		name := c.Sticky.Name
		return proxy.Affinity{By: proxy.ByUpstream, Name: name, Sticky: proxy.NewSticky(name, c.Sticky.TTL, s.stickyKey(c))}
	}
	return proxy.Affinity{}
}

// parts are those of config.HashOn.
var parts = map[string]proxy.By{
	"client":  proxy.ByClient,
	"uri":     proxy.ByURI,
	"path":    proxy.ByPath,
	"host":    proxy.ByHost,
	"header":  proxy.ByHeader,
	"query":   proxy.ByQuery,
	"cookie":  proxy.ByCookie,
	"session": proxy.BySession,
}

func (s *Server) stickyKey(c *config.Config) []byte {
	if k := c.Sticky.Key; k != "" {
		return []byte(k)
	}
	s.log.Info("sticky cookies are signed with a random key, which other nodes and the next start will not know", "set", "--sticky-key")
	key := make([]byte, 32)
	_, _ = rand.Read(key) // never fails
	return key
}
