package admin

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"time"

	"github.com/valyala/fasthttp"
)

// Options is what the admin listener needs from whoever builds the process.
type Options struct {
	Network string // "tcp" or "unix"; "": tcp
	Addr    string // host:port, or the path of a Unix socket

	// Listener is where it listens if that is open already; nil: at Addr. It is
	// New's to close.
	Listener net.Listener

	// Token is asked of every request as "Authorization: Bearer TOKEN" when
	// not empty. That an address off loopback has one is config's check.
	Token string

	// Ready says whether clients should be sent here; nil: always. It is
	// called on every probe, so it must be cheap and safe to call at once.
	Ready func() bool

	// Metrics appends the process's own counters on every scrape; nil: none.
	Metrics func(m *Metrics)

	// Purge does what an order says. The answer is sent as JSON; pending says
	// that others do not know of it yet, an error that the order is none. nil:
	// there is no cache.
	Purge func(ctx context.Context, o Order) (answer any, pending bool, err error)

	// Cache is the cache's figures, sent as JSON; nil: there is none.
	Cache func() any

	// Spawn is for the pages about an app's processes; nil: there are none.
	Spawn *Spawn

	// Reload reads the configuration again. The answer is sent as JSON; an error
	// says that nothing has changed, and why. nil: there is none to read.
	Reload func() (answer any, status int, err error)

	// Upgrade has another process take the place of this one, and returns when
	// that serves; else as Reload.
	Upgrade func() (answer any, status int, err error)

	// Sessions is for the pages about sessions; nil: there are none.
	Sessions *Sessions

	// State fills in what it knows of a State; nil: there is no dashboard.
	State func() State

	// Moments are for the dashboard's charts; nil: these begin with the page.
	Moments *Moments

	// Upstreams changes them; nil: they cannot be changed from here.
	Upstreams *Upstreams

	// Hub answers what is the hub's; there tells that there is one. nil: none.
	Hub func(ctx *fasthttp.RequestCtx) (answered, there bool)

	Log *slog.Logger // nil: slog.Default
}

// Admin is one admin listener. Run and Close may be called from different
// goroutines, each once.
type Admin struct {
	ready    func() bool
	metrics  func(m *Metrics)
	purges   func(ctx context.Context, o Order) (answer any, pending bool, err error)
	cache    func() any
	spawn    *Spawn
	reloads  func() (answer any, status int, err error)
	upgrades func() (answer any, status int, err error)
	sessions *Sessions
	hub      func(ctx *fasthttp.RequestCtx) (answered, there bool)
	streams  streams
	log      *slog.Logger

	state     func() State
	history   *history // nil: nothing is remembered
	upstreams *Upstreams
	began     time.Time

	guard guard

	listener net.Listener
	server   fasthttp.Server
}

// New opens the listener; nothing is served before Run.
func New(o Options) (*Admin, error) {
	if o.Network == "" {
		o.Network = "tcp"
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	ln, err := o.Listener, error(nil)
	if ln == nil {
		ln, err = net.Listen(o.Network, o.Addr)
	}
	if err != nil {
		return nil, err // it names the address
	}
	a := &Admin{
		ready:     o.Ready,
		metrics:   o.Metrics,
		hub:       o.Hub,
		purges:    o.Purge,
		cache:     o.Cache,
		spawn:     o.Spawn,
		reloads:   o.Reload,
		upgrades:  o.Upgrade,
		sessions:  o.Sessions,
		log:       o.Log,
		state:     o.State,
		history:   newHistory(o.Moments),
		upstreams: o.Upstreams,
		began:     time.Now(),
		listener:  ln,
	}
	a.guard.begin(&o)
	a.streams.begin()
	a.server = fasthttp.Server{
		Handler:               a.serve,
		Logger:                quiet{o.Log},
		NoDefaultServerHeader: true,
		Concurrency:           256, // operators and scrapers, not clients
		MaxRequestBodySize:    1 << 20,
		ReadTimeout:           10 * time.Second,
		IdleTimeout:           time.Minute,
		// Counted from the moment a page is ready, so a profile may take as
		// long as it is asked to; only a reader that stalls is cut off.
		WriteTimeout: time.Minute,
	}
	return a, nil
}

// Addr says where it listens, for port 0.
func (a *Admin) Addr() net.Addr { return a.listener.Addr() }

// Run serves until Close, and then returns nil.
func (a *Admin) Run() error {
	if !loopback(a.Addr()) {
		a.log.Warn("admin is reachable from other machines; profiles and metrics tell much about this one", "addr", a.Addr().String())
	}
	if a.history != nil {
		a.streams.work.Go(a.remember)
	}
	if err := a.server.Serve(a.listener); err != nil {
		return fmt.Errorf("serve %s: %w", a.Addr(), err)
	}
	return nil
}

// grace is how long Close lets a page under way end. A scrape fits in; a
// profile of half a minute is not worth delaying a stop for.
const grace = time.Second

// Close stops listening and ends what is under way after a moment.
func (a *Admin) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), grace)
	defer cancel()
	a.streams.close()
	err := a.server.ShutdownWithContext(ctx)
	_ = a.listener.Close() // in case Run was never called; closing twice is harmless
	if err == context.DeadlineExceeded {
		return nil // the page breaks with the process
	}
	return err
}

// loopback: can only this machine's own processes connect to addr?
func loopback(addr net.Addr) bool {
	tcp, ok := addr.(*net.TCPAddr)
	return !ok || tcp.IP.IsLoopback()
}

// quiet gives fasthttp's remarks on broken connections their place: they are
// the other side's doing and of use only to someone who looks for them.
type quiet struct{ log *slog.Logger }

func (q quiet) Printf(format string, args ...any) {
	q.log.Debug("admin connection", "err", fmt.Sprintf(format, args...))
}
