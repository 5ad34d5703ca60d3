package server

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"multiserver/cache"
	"multiserver/pool/spawn"
	"multiserver/proxy"
	"multiserver/proxy/admin"
	"multiserver/proxy/config"
)

// reloads are how the server comes to another configuration while it serves.
type reloads struct {
	mu     sync.Mutex
	open   context.Context // guarded by mu; nil: the server does not serve
	conf   *config.Config  // guarded by mu; the last one that was good
	routes *proxy.Routes   // guarded by mu; those that requests go by
	past   []*proxy.Routes // guarded by mu; older ones that exchanges still go by

	good, bad atomic.Uint64
	failed    atomic.Bool  // the last one
	at        atomic.Int64 // when one went well, Unix seconds; at first: the start
}

// Reloaded is what became of a Reload that went well.
type Reloaded struct {
	Pools  int      `json:"pools"`
	Routes int      `json:"routes"`
	Later  []string `json:"next_start"` // settings that are others now, and cannot change before
}

var errNotServing = errors.New("the server is starting or stopping")

// Reload has everything from here on done by the configuration that Reread
// gives: all of it, or, with an error, nothing. Pools are known by their names
// and upstreams by their addresses: connections, tunnels, processes, health,
// latency and who waits in line stay. Exchanges under way end as they began.
// Certificates and error pages are read again in any case. It waits for DNS. It
// may be called at any time from any goroutine.
func (s *Server) Reload() (Reloaded, error) {
	r := &s.reloads
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.open == nil {
		s.log.Warn("not reloaded", "cause", errNotServing)
		return Reloaded{}, errNotServing
	}
	done, err := s.reload(r.open)
	if r.failed.Store(err != nil); err != nil {
		r.bad.Add(1)
		s.log.Error("not reloaded, all goes on as it was", "cause", strings.ReplaceAll(err.Error(), "\n", "; "))
		return Reloaded{}, err
	}
	r.good.Add(1)
	r.at.Store(time.Now().Unix())
	s.log.Info("reloaded", "pools", done.Pools, "routes", done.Routes)
	if len(done.Later) > 0 {
		s.log.Warn("takes effect at the next start", "settings", strings.Join(done.Later, ","))
	}
	return done, nil
}

// Renew is Reload for SIGHUP, which asks for all that is new: with it, processes
// are replaced in their turn. With an error they are not.
func (s *Server) Renew() {
	old := s.groups()
	if _, err := s.Reload(); err != nil {
		return
	}
	for _, g := range s.groups() {
		if was := named(old, g.Name); was != nil && g.spawned != nil && g.spawned == was.spawned {
			g.spawned.Want(spawn.Roll)
		}
	}
}

// plan is all that a reload has made before it changes anything.
type plan struct {
	conf   *config.Config
	groups []*group
	routes *proxy.Routes
	views  []*cache.Cache
	at     turnout
	tls    *termination // nil: there is none
	shown  func()       // has clients see other certificates
	lines  *accessLog
}

// reload is called with mu held.
func (s *Server) reload(ctx context.Context) (Reloaded, error) {
	p, err := s.plan(ctx)
	if err != nil {
		for _, g := range p.groups {
			g.abandon(named(s.groups(), g.Name))
		}
		return Reloaded{}, err
	}
	s.enact(p)
	return Reloaded{len(p.groups), len(p.conf.Routes), s.later(p.conf)}, nil
}

func (s *Server) plan(ctx context.Context) (p plan, err error) {
	p.conf = s.reloads.conf
	if s.Reread != nil {
		if p.conf, err = s.Reread(); err != nil {
			return p, err
		}
	}
	// Without its store a route would believe what clients say of their sessions.
	if kind := p.conf.SessionStore(); kind != "" && kind != s.conf.SessionStore() {
		return p, fmt.Errorf("session %s: its store is opened at a start, want the server started anew", kind)
	}
	pages, wrong := proxy.LoadPages(p.conf.ErrorPages)
	p.groups, err = s.newGroups(ctx, p.conf)
	if err = errors.Join(wrong, err); err != nil {
		return p, err
	}
	if p.routes, p.views, err = s.newRoutes(p.conf, p.groups, pages); err != nil {
		return p, err
	}
	if p.tls, p.shown, err = s.planTLS(p.conf); err != nil {
		return p, err
	}
	if p.lines, err = s.planLog(p.conf); err != nil {
		return p, err
	}
	if p.at, err = s.planEntries(p.conf, p.tls != nil); err != nil {
		if p.lines != s.lines.now {
			p.lines.close(s.log)
		}
		return p, err
	}
	if p.tls != nil {
		p.routes.Redirect = httpsPort(&p.conf.TLS, p.at.secure)
	}
	return p, nil
}

// enact changes to what was planned, in which nothing is wrong: pools first, so
// that no request comes to one that is not ready for it, and those that are
// not needed any more last. Called with mu held.
func (s *Server) enact(p plan) {
	r, old := &s.reloads, s.groups()
	for _, g := range p.groups {
		if was := named(old, g.Name); was != nil {
			s.succeed(g, was)
		} else {
			s.tend(g)
		}
	}
	s.live.Store(&p.groups)
	r.past = append(slices.DeleteFunc(r.past, (*proxy.Routes).Idle), r.routes)
	r.conf, r.routes = p.conf, p.routes
	s.setRoutes(p.routes, p.views)
	for _, g := range old {
		if named(p.groups, g.Name) == nil {
			s.retire(g, slices.Clone(r.past))
		}
	}
	if s.gate != nil && p.conf.MaxConcurrent > 0 {
		s.gate.Admit(p.conf.MaxConcurrent)
		s.gate.Resize(p.conf.Queue, p.conf.QueueTimeout)
	}
	p.shown()
	s.turn(p.at)
	s.changeLog(p.lines)
}

// live are settings of the process that a reload can change.
var live = []string{"config", "max-concurrent", "listen",
	"access-log", "access-log-format", "access-log-fields", "access-log-sample", "access-log-secrets"}

// liveTLS are those that it can change where TLS is spoken, or is now; but HTTP/3
// where it was.
var (
	liveTLS   = []string{"tls-cert", "tls-key", "tls-passphrases", "tls-self-signed", "https-redirect"}
	liveQuiet = []string{"tls-listen", "https-port"}
)

// withCache are settings that are nothing without one.
var withCache = []string{"cache-file", "purge-from"}

// later are the settings that c has other than the server was started with, and
// that cannot change before the next start.
func (s *Server) later(c *config.Config) []string {
	started, spoken := *s.conf, s.tls.Load()
	if spoken != nil {
		started.TLS = spoken.since(&s.conf.TLS)
	}
	names := append([]string{}, config.Changed(&started, c, config.PerProcess)...) // none is [] in JSON
	names = slices.DeleteFunc(names, func(n string) bool {
		return slices.Contains(live, n) || spoken != nil && slices.Contains(liveTLS, n) ||
			spoken != nil && s.http3.quic == nil && slices.Contains(liveQuiet, n)
	})
	if (started.MaxConcurrent == 0) != (c.MaxConcurrent == 0) {
		names = append(names, "max-concurrent")
	}
	if started.Cache.Memory != c.Cache.Memory {
		names = slices.DeleteFunc(names, func(n string) bool { return slices.Contains(withCache, n) })
		names = append(names, "cache")
	}
	if store := c.SessionStore(); store != "" && store != started.SessionStore() {
		names = append(names, "session")
	}
	return names
}

// openReloads begins all that goes on beside the exchanges, and lets reloads
// change it, until told is done. The context is of what goes on.
func (s *Server) openReloads(told context.Context) context.Context {
	r := &s.reloads
	r.mu.Lock()
	defer r.mu.Unlock()
	s.work.ctx, s.work.stop = context.WithCancel(context.Background())
	for _, g := range s.groups() {
		s.tend(g)
	}
	for _, e := range s.entries() {
		s.admit(e)
	}
	if s.conf.Watch {
		s.work.begin(func(ctx context.Context) { s.watchFile(ctx, s.conf.File) })
	}
	r.open, r.conf = told, s.conf
	r.at.Store(time.Now().Unix())
	return s.work.ctx
}

// endReloads waits for one that is under way, which a look-up in DNS does not
// hold up any more, and lets no other begin.
func (s *Server) endReloads() {
	s.reloads.mu.Lock()
	defer s.reloads.mu.Unlock()
	s.reloads.open = nil
}

// reloadNow is Reload for the admin pages.
func (s *Server) reloadNow() (answer any, status int, err error) {
	done, err := s.Reload()
	switch {
	case errors.Is(err, errNotServing):
		return nil, 503, err
	case err != nil:
		return nil, 422, fmt.Errorf("not reloaded, all goes on as it was: %w", err)
	}
	return done, 200, nil
}

func (r *reloads) metrics(m *admin.Metrics) {
	m.Gauge("multiserver_config_last_reload_successful", "Whether the last reload went well, or none was asked for.", flag(!r.failed.Load()))
	m.Gauge("multiserver_config_last_reload_success_timestamp_seconds", "When one went well last, or the start, in seconds since 1970.", float64(r.at.Load()))
	m.Counter("multiserver_config_reloads_total", "Reloads, by result.", r.good.Load(), "result", "done")
	m.Counter("multiserver_config_reloads_total", "Reloads, by result.", r.bad.Load(), "result", "failed")
}
