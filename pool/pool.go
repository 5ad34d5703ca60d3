package pool

import (
	"context"
	"crypto/tls"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"multiserver/pool/balance"
	"multiserver/proxy/wire"
)

// Pool is a set of upstreams to choose from.
type Pool struct {
	conf   atomic.Pointer[Options]
	snap   atomic.Pointer[snapshot]
	total  atomic.Int64 // exchanges under way, of all members
	queue  *Queue       // who waits for a slot, at first
	second *Queue       // and after a try that failed
	budget budget

	mu   sync.Mutex
	all  []*Upstream // guarded by mu; members, up or not
	done chan struct{}
	ctx  context.Context // ends with done, for what connects
	stop context.CancelFunc
	wg   sync.WaitGroup
}

// snapshot is what Pick reads: who may be picked, and how. Never edited.
type snapshot struct {
	ups    []*Upstream
	all    []*Upstream // members, up or not
	picker balance.Picker
}

// Options bound the work with every upstream. Configure changes them.
type Options struct {
	Balance  balance.Build // nil: RoundRobin
	Guard    *wire.Guard   // ends the waits
	Connect  time.Duration // to open a connection; 0: no limit
	Response time.Duration // from the request's last byte to the answer's first, unless that says otherwise; 0: no limit
	TLS      *tls.Config   // for targets with TLS; nil: the defaults. A ServerName takes the place of Target.Host
	MaxHead  int           // bytes of an answer's head
	MaxIdle  int           // connections kept for each upstream
	IdleAge  time.Duration // for which one is kept; 0: no limit
	MaxAge   time.Duration // after which one is not used again; 0: no limit

	Queue        int           // exchanges that may wait for a slot, all targets with a Max being full
	QueueTimeout time.Duration // for how long

	MaxFails  int           // failures in a row that put an upstream out for a while; 0: never
	EjectFor  time.Duration // for how long the first time; doubles, up to maxEject
	Check     Check         // asks upstreams how they are, apart from requests
	SlowStart time.Duration // in which one that returns takes up its full share; 0: at once
	Clock     bool          // measure how long answers take, for algorithms that ask

	Log *slog.Logger
}

// Target is what an upstream is reached by.
type Target struct {
	Name    string // for logs and metrics, and its identity: who stays keeps health and connections
	Network string // "tcp" or "unix"
	Addr    string // host:port or path
	TLS     bool
	H2      bool   // it is spoken to in HTTP/2
	Host    string // server name for TLS
	Weight  uint32 // its share of the work
	Backup  bool   // only while no other can be had
	Max     int    // exchanges at once; 0: no limit

	Pipeline  int // requests that share a connection, at once, where they may; below 2: none do
	SendProxy int // version of the PROXY header that says to it who the client is; 0: none is sent
}

// same tells whether both are one place, however it is to be used.
func (t Target) same(o Target) bool {
	o.Weight, o.Backup, o.Max = t.Weight, t.Backup, t.Max
	return t == o
}

// New returns a Pool without members; Set gives it some, Close ends it.
func New(o Options) *Pool {
	if o.Balance == nil {
		o.Balance = balance.RoundRobin
	}
	p := &Pool{done: make(chan struct{}), queue: NewQueue(o.Queue, o.QueueTimeout), second: NewQueue(o.Queue, o.QueueTimeout)}
	p.conf.Store(&o)
	p.second.each = true // each has been elsewhere
	p.ctx, p.stop = context.WithCancel(context.Background())
	p.snap.Store(&snapshot{})
	p.wg.Go(p.reap)
	return p
}

// opt are the Options of this moment.
func (p *Pool) opt() *Options { return p.conf.Load() }

// Set replaces the members. Those who stay, by Name, keep their health and
// their connections; those who go lose their idle connections, and the busy
// ones when their exchange ends.
func (p *Pool) Set(targets []Target) {
	p.mu.Lock()
	old := p.all
	p.all = nil
	for _, t := range targets {
		p.all = append(p.all, p.keep(&old, t))
	}
	p.rebuild()
	p.mu.Unlock()
	for _, u := range old {
		u.retire()
	}
}

// keep takes t's upstream out of old, or makes one. Called with mu held.
func (p *Pool) keep(old *[]*Upstream, t Target) *Upstream {
	for i, u := range *old {
		if u.target.same(t) && u.trusts(p.opt().TLS) {
			u.use(t)
			*old = append((*old)[:i:i], (*old)[i+1:]...)
			return u
		}
	}
	u := newUpstream(p, t)
	p.watch(u)
	return u
}

// rebuild publishes who may be picked now: the upstreams that are well, else
// the backups that are. With nobody well everybody is tried rather than
// nobody: a verdict can be wrong. Called with mu held.
func (p *Pool) rebuild() {
	ups := p.members(func(u *Upstream) bool { return !u.target.Backup && u.well() })
	if len(ups) == 0 {
		ups = p.members(func(u *Upstream) bool { return u.target.Backup && u.well() })
	}
	if len(ups) == 0 {
		ups = p.members(func(u *Upstream) bool { return !u.drained.Load() })
	}
	s := &snapshot{ups: ups, all: slices.Clone(p.all)}
	if len(ups) > 0 {
		s.picker = p.opt().Balance(balance.Set{Hosts: hosts(ups), Total: &p.total, Now: p.opt().Guard.Now})
	}
	p.snap.Store(s)
	p.call()
	p.wake() // there may be somebody new, or nobody to wait for
}

// wake is called when there may be a slot, or somebody, that was not before.
func (p *Pool) wake() {
	p.queue.Wake()
	p.second.Wake()
}

func (p *Pool) members(which func(*Upstream) bool) (ups []*Upstream) {
	for _, u := range p.all {
		if which(u) {
			ups = append(ups, u)
		}
	}
	return ups
}

// hosts are ups as the algorithms see them. While one of them is starting
// slowly, all weights count in tenths.
func hosts(ups []*Upstream) []balance.Host {
	tenths := uint32(1)
	for _, u := range ups {
		if u.warmth > 0 {
			tenths = fullyWarm
		}
	}
	out := make([]balance.Host, len(ups))
	for i, u := range ups {
		w := u.target.Weight * tenths
		if u.warmth > 0 {
			w = u.target.Weight * u.warmth
		}
		out[i] = balance.Host{ID: u.id, Weight: w, Load: &u.load, Wait: &u.wait}
	}
	return out
}

// Upstreams returns all members, up or not.
func (p *Pool) Upstreams() []*Upstream {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]*Upstream(nil), p.all...)
}

// Close closes what is idle and stops all checking. Exchanges under way end
// as they do.
func (p *Pool) Close() {
	p.mu.Lock() // so that eject starts nothing behind wg.Wait
	close(p.done)
	p.stop()
	p.mu.Unlock()
	p.wg.Wait()
	p.Set(nil)
}
