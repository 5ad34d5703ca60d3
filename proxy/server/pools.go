package server

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"reflect"
	"slices"

	"multiserver/pool"
	"multiserver/pool/balance"
	"multiserver/pool/discover"
	"multiserver/pool/spawn"
	"multiserver/proxy"
	"multiserver/proxy/certs"
	"multiserver/proxy/config"
)

// group is a pool as the operator wrote it. It is never edited: a reload makes
// others, which share with these what stays.
type group struct {
	*proxy.Pool
	*upkeep
	conf    *config.Config
	opt     pool.Options       // of the pool from here on
	members *discover.Discover // keeps the pool's up to date
	ours    *certs.Store       // what its upstreams are shown; nil: nothing
	spawned *spawn.App         // whose processes are members, too; nil: none
	secret  []byte             // signs sticky cookies where the operator gave no key; nil: nothing does
}

// upkeep is what goes on for a pool while the server runs. Whoever reloads has
// it, but for the roster.
type upkeep struct {
	roster              roster
	looks, shows, lives *task // of members, ours and spawned; nil: does not go on
}

// groups are the pools that requests go to from here on.
func (s *Server) groups() []*group {
	if all := s.live.Load(); all != nil {
		return *all
	}
	return nil
}

func (s *Server) makePools(ctx context.Context) error {
	all, err := s.newGroups(ctx, s.conf)
	s.live.Store(&all)
	return err
}

// newGroups looks every upstream's name up once, so that a mistyped one is
// known at start and not with the first request. Those that there are already,
// by name, keep their pools, which are not touched yet. With an error the groups
// are those that could be made.
func (s *Server) newGroups(ctx context.Context, c *config.Config) (all []*group, err error) {
	for i := range c.Pools {
		of := &c.Pools[i]
		g, failed := s.newGroup(ctx, of, named(s.groups(), of.Name))
		if failed != nil {
			err = errors.Join(err, inPool(c, of.Name, failed))
			continue
		}
		all = append(all, g)
	}
	return all, err
}

// named is the group of that name; nil: there is none.
func named(all []*group, name string) *group {
	for _, g := range all {
		if g.Name == name {
			return g
		}
	}
	return nil
}

// newGroup makes a group, which takes old's place if that is not nil.
func (s *Server) newGroup(ctx context.Context, of *config.Group, old *group) (g *group, err error) {
	g = &group{conf: of.Config}
	secure, err := s.upstreamTLS(g, old)
	if err != nil {
		return nil, err
	}
	if old != nil && sameMembers(of.Config, old.conf) {
		g.members = old.members
	} else if g.members, err = discover.New(ctx, specs(of.Upstreams), discover.Options{
		Resolver: newResolver(of.Resolver),
		Interval: of.Resolve,
		Log:      s.log,
	}); err != nil {
		return nil, err
	}
	if old != nil && sameApp(of.Config, old.conf) {
		g.spawned = old.spawned
	} else if g.spawned, err = s.newApp(of); err != nil {
		return nil, err
	}
	g.opt = s.poolOptions(of.Config, secure)
	var ups *pool.Pool
	if old != nil {
		ups, g.upkeep, g.secret = old.Pool.Pool, old.upkeep, old.secret
	} else {
		ups = pool.New(g.opt)
		ups.Set(g.members.Targets())
		g.upkeep = &upkeep{roster: roster{pool: ups, found: g.members.Targets()}}
	}
	g.Pool = &proxy.Pool{Pool: ups, Name: of.Name, Balance: of.Balance, Affinity: s.affinity(g)}
	return g, nil
}

// sameMembers tells whether members are found as they were.
func sameMembers(a, b *config.Config) bool {
	return slices.Equal(a.Upstreams, b.Upstreams) && a.Resolver == b.Resolver && a.Resolve == b.Resolve
}

// sameApp tells whether the same processes will do. How many there are can be
// changed.
func sameApp(a, b *config.Config) bool {
	x, y := a.Spawn, b.Spawn
	if x.Instances > 0 && y.Instances > 0 || x.Instances < 0 && y.Instances < 0 {
		x.Instances = y.Instances
	}
	return reflect.DeepEqual(x, y) && a.Health.Path == b.Health.Path
}

// abandon closes a group that was never run, but for what it shares with old,
// which goes on.
func (g *group) abandon(old *group) {
	if old == nil {
		g.Close()
	}
	if g.spawned != nil && (old == nil || g.spawned != old.spawned) {
		g.spawned.Close()
	}
}

// inPool says in which pool something went wrong, where there is more than one
// that it could be.
func inPool(c *config.Config, name string, err error) error {
	if len(c.Pools) == 1 {
		return err
	}
	return fmt.Errorf("pool %s: %w", name, err)
}

func specs(targets []config.Target) []discover.Spec {
	out := make([]discover.Spec, len(targets))
	for i, t := range targets {
		out[i] = discover.Spec{
			URL:    t.URL,
			Scheme: t.Scheme,
			Host:   t.Host,
			Port:   t.Port,
			Each:   pool.Target{Weight: t.Weight, Max: t.Max, Backup: t.Backup, Pipeline: t.Pipeline, SendProxy: t.SendProxy, H2: t.H2},
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
		MaxHead:      s.conf.MaxHead, // of the process: what clients may send has to pass
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
func (s *Server) affinity(g *group) proxy.Affinity {
	c := g.conf
	switch balance.Find(c.Balance).Key {
	case balance.ValueOf:
		return proxy.Affinity{By: parts[c.HashOn.Part], Name: c.HashOn.Name}
	case balance.HostID:
		if c.Sticky.Session {
			return proxy.Affinity{By: proxy.ByPin}
		}
		name := c.Sticky.Name
		return proxy.Affinity{By: proxy.ByUpstream, Name: name, Sticky: proxy.NewSticky(name, c.Sticky.TTL, s.stickyKey(g))}
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

// stickyKey is the operator's, or one that a group keeps over reloads.
func (s *Server) stickyKey(g *group) []byte {
	if k := g.conf.Sticky.Key; k != "" {
		return []byte(k)
	}
	if g.secret == nil {
		s.log.Info("sticky cookies are signed with a random key, which other nodes and the next start will not know", "set", "--sticky-key")
		g.secret = make([]byte, 32)
		_, _ = rand.Read(g.secret) // never fails
	}
	return g.secret
}
