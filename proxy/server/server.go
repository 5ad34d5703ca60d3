package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/valyala/fasthttp"

	"multiserver/pool"
	"multiserver/pool/balance"
	"multiserver/proxy"
	"multiserver/proxy/admin"
	"multiserver/proxy/config"
	"multiserver/proxy/wire"
)

// Server is a running proxy.
type Server struct {
	conf  *config.Config
	log   *slog.Logger
	guard *wire.Guard
	pool  *pool.Pool
	proxy *proxy.Proxy
	front *fasthttp.Server
	lns   []net.Listener
	admin *admin.Admin // nil: none
	lines *proxy.Log   // nil: none
	ready atomic.Bool

	turned atomic.Uint64 // connections refused for want of a worker

	opened []io.Closer // what New opened, for when it fails
}

// New builds everything and opens the listeners, so that whatever is wrong
// shows before anything is served. The error names what failed.
func New(c *config.Config, log *slog.Logger) (*Server, error) {
	s := &Server{conf: c, log: log, guard: wire.NewGuard()}
	if err := s.build(); err != nil {
		s.abandon()
		return nil, err
	}
	return s, nil
}

func (s *Server) build() error {
	pages, err := proxy.LoadPages(s.conf.ErrorPages)
	if err != nil {
		return err
	}
	if err := s.openLog(); err != nil {
		return err
	}
	if err := s.makePool(); err != nil {
		return err
	}
	s.makeProxy(pages)
	if err := s.listen(); err != nil {
		return err
	}
	return s.openAdmin()
}

// abandon takes back what build opened before it failed.
func (s *Server) abandon() {
	for _, ln := range s.lns {
		_ = ln.Close()
	}
	if s.pool != nil {
		s.pool.Close()
	}
	if s.lines != nil {
		_ = s.lines.Close()
	}
	for _, f := range s.opened {
		_ = f.Close()
	}
	s.guard.Close()
}

func (s *Server) openLog() error {
	switch s.conf.AccessLog {
	case "":
		return nil
	case "-":
		s.lines = proxy.NewLog(os.Stdout)
		return nil
	}
	f, err := os.OpenFile(s.conf.AccessLog, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return fmt.Errorf("--access-log: %w", err)
	}
	s.opened = append(s.opened, f)
	s.lines = proxy.NewLog(f)
	return nil
}

// makePool resolves every upstream once, so that a mistyped name is known at
// start and not with the first request.
func (s *Server) makePool() error {
	c := s.conf
	s.pool = pool.New(pool.Options{
		Balance:  balance.Find(c.Balance).Build,
		Guard:    s.guard,
		Connect:  c.Connect,
		Response: c.Response,
		MaxHead:  c.MaxHead,
		MaxIdle:  c.Pool.MaxIdle,
		IdleAge:  c.Pool.IdleAge,
		MaxAge:   c.Pool.MaxAge,
		Log:      s.log,
	})
	var targets []pool.Target
	var errs []error
	for _, t := range c.Upstreams {
		if t.Network == "tcp" {
			if _, err := net.ResolveTCPAddr("tcp", t.Addr); err != nil {
				errs = append(errs, fmt.Errorf("--upstream %q: cannot resolve: %w", t.URL, err))
			}
		}
		targets = append(targets, pool.Target{
			Name: t.URL, Network: t.Network, Addr: t.Addr, TLS: t.TLS, Host: t.Host, Weight: t.Weight,
		})
	}
	s.pool.Set(targets)
	return errors.Join(errs...)
}

func (s *Server) makeProxy(pages proxy.Pages) {
	c := s.conf
	s.proxy = proxy.New(proxy.Options{
		Guard:     s.guard,
		Pool:      s.pool,
		Pages:     pages,
		Log:       s.log,
		Lines:     s.lines,
		Head:      c.Head,
		KeepAlive: c.KeepAlive,
		Response:  c.Response,
		Idle:      c.Idle,
		MaxHead:   c.MaxHead,
		MaxBody:   c.MaxBody,
		Trusted:   c.TrustedProxies,
		Via:       c.Via,
		Forwarded: c.Forwarded,
	})
	s.front = newFront(c.MaxConnections, s.proxy, s.log)
}

func (s *Server) listen() error {
	var errs []error
	for _, a := range s.conf.Listen {
		ln, err := open(a)
		if err != nil {
			errs = append(errs, fmt.Errorf("--listen %s: %w", a.Addr, err))
			continue
		}
		s.lns = append(s.lns, ln)
	}
	return errors.Join(errs...)
}

// open listens on a. A Unix socket that nobody listens on is what a process
// left that was killed, and is replaced.
func open(a config.Address) (net.Listener, error) {
	ln, err := net.Listen(a.Network, a.Addr)
	if err == nil || a.Network != "unix" || !errors.Is(err, syscall.EADDRINUSE) {
		return ln, err
	}
	if nc, dialed := net.Dial("unix", a.Addr); dialed == nil {
		_ = nc.Close()
		return nil, err
	} else if !errors.Is(dialed, syscall.ECONNREFUSED) {
		return nil, err
	}
	if err := os.Remove(a.Addr); err != nil {
		return nil, err
	}
	return net.Listen(a.Network, a.Addr)
}

func (s *Server) openAdmin() error {
	if s.conf.Admin == nil {
		return nil
	}
	a, err := admin.New(admin.Options{
		Network: s.conf.Admin.Network,
		Addr:    s.conf.Admin.Addr,
		Token:   s.conf.AdminToken,
		Ready:   s.ready.Load,
		Metrics: s.metrics,
		Log:     s.log,
	})
	if err != nil {
		return fmt.Errorf("--admin: %w", err)
	}
	s.admin = a
	return nil
}

// Addrs is where it listens.
func (s *Server) Addrs() []net.Addr {
	var out []net.Addr
	for _, ln := range s.lns {
		out = append(out, ln.Addr())
	}
	return out
}

// Run serves until ctx is done, then drains. It is called once, and returns
// when nothing of the Server runs any more; the error is of a listener that
// failed, or says that exchanges had to be cut off.
func (s *Server) Run(ctx context.Context) error {
	var wg sync.WaitGroup
	failed := make(chan error, len(s.lns)+1)
	for _, ln := range s.lns {
		s.log.Info("listening", "addr", ln.Addr().String())
		wg.Go(func() {
			if err := s.front.Serve(listener{ln, &s.turned}); err != nil {
				failed <- fmt.Errorf("listener %s: %w", ln.Addr(), err)
			}
		})
	}
	if s.admin != nil {
		s.log.Info("admin listening", "addr", s.admin.Addr().String())
		wg.Go(func() {
			if err := s.admin.Run(); err != nil {
				failed <- fmt.Errorf("admin: %w", err)
			}
		})
	}
	s.ready.Store(true)
	var err error
	select {
	case <-ctx.Done():
	case err = <-failed:
	}
	return errors.Join(err, s.stop(&wg))
}

// stop ends in this order: say so to whoever asks, take no more connections,
// let exchanges end until the deadline, cut off the rest, close what they used.
func (s *Server) stop(wg *sync.WaitGroup) error {
	s.ready.Store(false)
	s.proxy.Drain()
	s.log.Info("draining", "clients", s.proxy.Stats.Clients.Load(), "within", s.conf.Drain)
	late := s.drain()
	if s.admin != nil {
		_ = s.admin.Close()
	}
	wg.Wait()
	s.pool.Close()
	s.guard.Close()
	if s.lines != nil {
		_ = s.lines.Close()
	}
	for _, f := range s.opened {
		_ = f.Close()
	}
	s.log.Info("stopped")
	return late
}

// drain closes the listeners and waits for the clients to leave.
func (s *Server) drain() error {
	ctx, cancel := context.WithTimeout(context.Background(), s.conf.Drain)
	defer cancel()
	closed := make(chan error, 1)
	go func() { closed <- s.front.ShutdownWithContext(ctx) }()
	end := time.NewTicker(wire.Tick)
	defer end.Stop()
	for {
		select {
		case <-closed:
			return s.cutOff()
		case <-end.C:
			s.guard.EndIdle()
		}
	}
}

// cutOff breaks what is left behind the deadline.
func (s *Server) cutOff() error {
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
	return nil
}
