package pool

import (
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"multiserver/pool/balance"
	"multiserver/proxy/wire"
)

// Pool is a set of upstreams to choose from.
type Pool struct {
	opt   Options
	snap  atomic.Pointer[snapshot]
	total atomic.Int64 // exchanges under way, of all members

	mu   sync.Mutex
	all  []*Upstream // guarded by mu; members, up or not
	done chan struct{}
	wg   sync.WaitGroup
}

// snapshot is what Pick reads: who may be picked, and how. Never edited.
type snapshot struct {
	ups    []*Upstream
	picker balance.Picker
}

// Options bound the work with every upstream.
type Options struct {
	Balance  balance.Build // nil: RoundRobin
	Guard    *wire.Guard   // ends the waits
	Connect  time.Duration // to open a connection; 0: no limit
	Response time.Duration // from the request's last byte to the answer's first; 0: no limit
	MaxHead  int           // bytes of an answer's head
	MaxIdle  int           // connections kept for each upstream
	IdleAge  time.Duration // for which one is kept; 0: no limit
	MaxAge   time.Duration // after which one is not used again; 0: no limit
	Log      *slog.Logger
}

// Target is what an upstream is reached by.
type Target struct {
	Name    string // for logs and metrics, and its identity: who stays keeps health and connections
	Network string // "tcp" or "unix"
	Addr    string // host:port or path
	TLS     bool
	Host    string // server name for TLS
	Weight  uint32 // its share of the work
	Backup  bool   // only while no other can be had
	Max     int    // exchanges at once; 0: no limit
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
	p := &Pool{opt: o, done: make(chan struct{})}
	p.snap.Store(&snapshot{})
	p.wg.Go(p.reap)
	return p
}

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
		if u.target.same(t) {
			u.target.Weight, u.target.Backup, u.target.Max = t.Weight, t.Backup, t.Max
			*old = append((*old)[:i:i], (*old)[i+1:]...)
			return u
		}
	}
	return newUpstream(p, t)
}

// rebuild publishes who may be picked now. With nobody up everybody is tried
// rather than nobody: a verdict can be wrong. Called with mu held.
func (p *Pool) rebuild() {
	ups := make([]*Upstream, 0, len(p.all))
	for _, u := range p.all {
		if !u.down.Load() {
			ups = append(ups, u)
		}
	}
	if len(ups) == 0 {
		ups = append(ups, p.all...)
	}
	s := &snapshot{ups: ups}
	if len(ups) > 0 {
		hosts := make([]balance.Host, len(ups))
		for i, u := range ups {
			hosts[i] = balance.Host{ID: u.id, Weight: u.target.Weight, Load: &u.load, Wait: &u.wait}
		}
		s.picker = p.opt.Balance(balance.Set{Hosts: hosts, Total: &p.total, Now: p.opt.Guard.Now})
	}
	p.snap.Store(s)
}

// Tried remembers where a request has been. The zero value is ready.
type Tried struct {
	ups [maxTries]*Upstream
	n   int
}

const maxTries = 4

// Count is how many upstreams were tried.
func (t *Tried) Count() int { return t.n }

// Reset forgets all.
func (t *Tried) Reset() { t.n = 0 }

func (t *Tried) has(u *Upstream) bool {
	for _, v := range t.ups[:t.n] {
		if v == u {
			return true
		}
	}
	return false
}

// Pick chooses an upstream that was not tried yet, notes it in tried and takes
// a slot there, which Done gives back. nil: there is none, or enough were
// tried.
func (p *Pool) Pick(key uint64, tried *Tried) *Upstream {
	s := p.snap.Load()
	if len(s.ups) == 0 || tried.n == maxTries {
		return nil
	}
	i := s.picker.Pick(key)
	for range s.ups {
		if u := s.ups[i]; !tried.has(u) {
			tried.ups[tried.n] = u
			tried.n++
			u.load.Add(1)
			p.total.Add(1)
			return u
		}
		if i++; i == len(s.ups) {
			i = 0
		}
	}
	return nil
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
	p.mu.Unlock()
	p.wg.Wait()
	p.Set(nil)
}
