package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"sync/atomic"
	"time"

	"github.com/valyala/fasthttp"

	"multiserver/cache"
	"multiserver/pool"
	"multiserver/pool/spawn"
	"multiserver/proxy"
	"multiserver/proxy/admin"
	"multiserver/proxy/certs/acme"
	"multiserver/proxy/config"
	"multiserver/proxy/edge"
	"multiserver/proxy/filter"
	"multiserver/proxy/wire"
)

// Server is a running proxy.
type Server struct {
	// Reread gives the configuration that a Reload is to take up: what the
	// operator says now, with all that is wrong with it as the error. nil: that
	// of New. It is set before Run.
	Reread func() (*config.Config, error)

	// Upgrade has another process take the place of this one, and gives its
	// number. nil: none can. It is set before Run.
	Upgrade func() (pid int, err error)

	conf     *config.Config
	log      *slog.Logger
	guard    *wire.Guard
	live     atomic.Pointer[[]*group] // see groups
	gate     *pool.Gate               // nil: no limit
	cache    *cache.Cache             // nil: none
	sessions sessions
	tls      atomic.Pointer[termination] // nil: none; stored by who may reload
	acme     *acme.Authority             // that certificates are ordered from; nil: none
	headers  *headers
	proxy    *proxy.Proxy
	edge     *edge.Edge
	front    *fasthttp.Server
	sockets  sockets
	plain    []*entry   // guarded by sockets.mu, but for who may reload
	secure   []*entry   // the same, by TLS
	failed   chan error // of a listener: all is to end
	http3    http3
	admin    *admin.Admin // nil: none
	lines    accessLogs
	ready    atomic.Bool
	events   spawn.Events // of all processes
	work     tasks        // beside the exchanges
	reloads  reloads
	meeting  *filter.Shared       // nil: no filter has asked for it
	hub      atomic.Pointer[hubs] // nil: no route has any yet

	crowd crowd // of clients

	bequest  atomic.Pointer[Bequest]     // to the process that serves now
	inherits atomic.Pointer[inheritance] // from the process before

	opened []io.Closer // what New opened, for when it fails
}

// New builds everything and opens the listeners, so that whatever is wrong
// shows before anything is served. The error names what failed. It waits for
// DNS, at most until ctx is done.
func New(ctx context.Context, c *config.Config, log *slog.Logger) (*Server, error) {
	s, err := NewOn(ctx, c, log, Handed{})
	if err == nil {
		s.Enter()
	}
	return s, err
}

// NewOn is New for a process that was begun with sockets, which it closes if it
// fails. Clients wait until Enter.
func NewOn(ctx context.Context, c *config.Config, log *slog.Logger, on Handed) (*Server, error) {
	s := &Server{conf: c, log: log, guard: wire.NewGuard()}
	s.sockets.begin(on)
	if err := s.build(ctx); err != nil {
		s.abandon()
		return nil, err
	}
	return s, nil
}

func (s *Server) build(ctx context.Context) error {
	pages, err := proxy.LoadPages(s.conf.ErrorPages)
	if err != nil {
		return err
	}
	if err := s.openLog(); err != nil {
		return err
	}
	if err := s.makeTLS(); err != nil {
		return err
	}
	if err := s.makePools(ctx); err != nil {
		return err
	}
	if err := s.makeCache(ctx); err != nil {
		return err
	}
	if err := s.makeSessions(); err != nil {
		return err
	}
	if err := s.listen(); err != nil {
		return err
	}
	s.makeProxy(pages)
	if err := s.makeRoutes(pages); err != nil {
		return err
	}
	s.makeHTTP3()
	return errors.Join(s.openAdmin(), s.sockets.rest(s.log))
}

// abandon takes back what build opened before it failed.
func (s *Server) abandon() {
	s.sockets.abandon()
	s.http3.close()
	for _, g := range s.groups() {
		g.abandon(nil)
	}
	if s.cache != nil {
		s.cache.Close()
	}
	if s.acme != nil {
		s.acme.Close()
	}
	s.lines.now.close(s.log)
	for _, f := range s.opened {
		_ = f.Close()
	}
	s.hub.Load().close()
	s.guard.Close()
}

func (s *Server) openAdmin() error {
	if s.conf.Admin == nil {
		return nil
	}
	on, err := s.sockets.listen("--admin", *s.conf.Admin)
	if len(on) > 1 {
		err = fmt.Errorf("%s: %d sockets have that name, want one", s.conf.Admin, len(on))
	}
	if err != nil {
		return fmt.Errorf("--admin: %w", err)
	}
	a, err := admin.New(admin.Options{
		Listener:  patient{s.sockets.guarded(on[0].Listener), &s.crowd},
		Token:     s.conf.AdminToken,
		Ready:     s.isReady,
		Metrics:   s.metrics,
		Purge:     s.purge(),
		Cache:     s.figures(),
		Spawn:     s.processes(),
		Hub:       s.hubPages,
		Sessions:  s.sessions.pages(),
		Reload:    s.reloadNow,
		Upgrade:   s.upgradeNow,
		State:     s.state,
		Moments:   &admin.Moments{Bounds: proxy.DurationBounds, Take: s.moment},
		Upstreams: s.upstreamChanges(),
		Log:       s.log,
	})
	if err != nil {
		return fmt.Errorf("--admin: %w", err)
	}
	s.admin = a
	return nil
}

// Addrs is where it listens, first without TLS, then with it.
func (s *Server) Addrs() []net.Addr {
	var out []net.Addr
	for _, e := range s.entries() {
		out = append(out, e.Addr())
	}
	return out
}

// Run serves until ctx is done, then drains. It is called once, and returns
// when nothing of the Server runs any more. The error is of a listener that
// failed: exchanges that had to be cut off are logged, but whoever gave them a
// deadline wanted it so.
func (s *Server) Run(ctx context.Context) error {
	if s.cache != nil {
		s.cache.Begin()
	}
	s.failed = make(chan error, len(s.http3.sockets)+2)
	wg, watch := &s.work.wg, s.openReloads(ctx)
	s.serveHTTP3(s.failed)
	if t := s.tls.Load(); t != nil {
		wg.Go(func() { t.certs.Run(watch) })
	}
	if s.acme != nil {
		s.tellPorts()
		wg.Go(func() { s.acme.Run(watch) })
	}
	if s.admin != nil {
		s.log.Info("admin listening", "addr", s.admin.Addr().String())
		wg.Go(func() {
			if err := s.admin.Run(); err != nil {
				s.failed <- fmt.Errorf("admin: %w", err)
			}
		})
	}
	s.ready.Store(true)
	var err error
	select {
	case <-ctx.Done():
	case err = <-s.failed:
	}
	s.endReloads()
	if s.sockets.left { // operators are to reach the other process
		wg.Go(s.closeAdmin)
	}
	s.drain()
	s.work.stop() // and not before: exchanges under way may yet need an upstream
	if !s.sockets.left {
		s.closeAdmin()
	}
	s.http3.served.Wait()
	wg.Wait()
	s.close()
	return err
}

func (s *Server) closeAdmin() {
	if s.admin != nil {
		_ = s.admin.Close()
	}
}

// drain tells whoever asks that it is not ready, takes no more connections,
// lets exchanges end until the deadline, and cuts off the rest.
func (s *Server) drain() {
	s.ready.Store(false)
	s.proxy.Drain()
	s.edge.Drain()
	if t := s.tls.Load(); t != nil {
		defer t.shakes.endWithin(min(s.conf.Drain, parting))()
	}
	defer s.headers.endWithin(min(s.conf.Drain, parting))()
	s.log.Info("draining", "clients", s.proxy.Stats.Clients.Load(), "within", s.conf.Drain)
	// The front closes those that it knows; one may not have come to it yet.
	for _, e := range s.entries() {
		_ = e.Close()
	}
	ctx, cancel := context.WithTimeout(context.Background(), s.conf.Drain)
	defer cancel()
	until := time.Now().Add(s.conf.Drain)
	patient := time.Now().Add(s.patience())
	s.http3.drain(ctx, s.patience())
	closed := make(chan struct{})
	go func() {
		_ = s.front.ShutdownWithContext(ctx)
		s.crowd.wait(ctx)
		s.http3.wait(ctx)
		close(closed)
	}()
	end := time.NewTicker(wire.Tick)
	defer end.Stop()
	for {
		select {
		case <-closed:
			s.cutOff()
			return
		case <-end.C:
			if time.Now().After(patient) {
				s.guard.EndIdle()
			}
			s.endTunnels(time.Until(until))
		}
	}
}

// endTunnels tells tunnels in the last quarter of a drain that they are to
// end, spread over most of it. Before that they go on, and end as those who use
// them like; behind it they have a moment to say goodbye.
func (s *Server) endTunnels(left time.Duration) {
	window := min(s.conf.Drain/4, 10*time.Second)
	if goodbye := window / 4; left <= window {
		parts := max(1, int((left-goodbye)/wire.Tick))
		s.proxy.EndTunnels(parts)
		s.hub.Load().endFlows(parts)
	}
}

// cutOff breaks what is left behind the deadline.
func (s *Server) cutOff() {
	n := s.proxy.Stats.Clients.Load()
	for range 100 {
		if s.proxy.Stats.Clients.Load() == 0 {
			break
		}
		s.guard.EndAll()
		time.Sleep(10 * time.Millisecond)
	}
	if n > 0 {
		s.log.Warn("drain deadline reached, connections cut off", "clients", n)
	}
}

// endBehind breaks what goes on behind answers that were given: nobody waits
// for it.
func (s *Server) endBehind() {
	done := make(chan struct{})
	go func() { s.proxy.Wait(); close(done) }()
	end := time.NewTicker(wire.Tick)
	defer end.Stop()
	for {
		select {
		case <-done:
			return
		case <-end.C:
			s.guard.EndAll()
		}
	}
}

// close closes what exchanges used, which there are none of any more.
func (s *Server) close() {
	s.endBehind()
	s.hub.Load().close()
	for _, g := range s.groups() {
		g.Close()
	}
	if s.cache != nil {
		if !s.sockets.left {
			s.saveCache()
		}
		s.bequest.Load().end()
		s.inherits.Load().end()
		s.cache.Close()
	}
	if s.acme != nil {
		s.acme.Close()
	}
	s.guard.Close()
	s.lines.now.close(s.log)
	for _, f := range s.opened {
		_ = f.Close()
	}
	s.log.Info("stopped")
}
