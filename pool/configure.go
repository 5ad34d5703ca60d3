package pool

import (
	"crypto/tls"
	"slices"

	"multiserver/pool/balance"
)

// Configure has everything from here on done as o says, with the members that
// there are: exchanges under way, who waits in line, connections, health and
// what is known of latency stay. Upstreams with TLS are others only if o.TLS is
// another, for their connections prove what the old one asked; those who have
// an exchange there end it. The Guard cannot be changed.
func (p *Pool) Configure(o Options) {
	if o.Balance == nil {
		o.Balance = balance.RoundRobin
	}
	p.queue.Resize(o.Queue, o.QueueTimeout)
	p.second.Resize(o.Queue, o.QueueTimeout)
	p.mu.Lock()
	old := p.conf.Swap(&o)
	var gone []*Upstream
	p.all = slices.Clone(p.all)
	for i, u := range p.all {
		if !u.trusts(o.TLS) {
			gone = append(gone, u)
			p.all[i] = u.renew()
			continue
		}
		u.reconfigure(old)
	}
	p.rebuild()
	p.mu.Unlock()
	for _, u := range gone {
		u.retire()
	}
}

// trusts tells whether u's connections are as good as those that base would
// allow.
func (u *Upstream) trusts(base *tls.Config) bool { return u.tls == nil || u.base == base }

// renew is the same place, as nobody knows it yet; only what the operator has
// said of it is kept. Called with mu held.
func (u *Upstream) renew() *Upstream {
	n := newUpstream(u.pool, u.target)
	n.drained.Store(u.drained.Load())
	u.pool.watch(n)
	return n
}

// reconfigure has u follow the Options that took the place of old. Called with
// mu held.
func (u *Upstream) reconfigure(old *Options) {
	o := u.pool.opt()
	if u.h2 != nil && (o.IdleAge != old.IdleAge || o.MaxAge != old.MaxAge) {
		u.h2.Limit(o.IdleAge, o.MaxAge)
	}
	switch {
	case o.Check == old.Check:
	case u.again == nil:
		u.pool.watch(u)
	default:
		select {
		case u.again <- struct{}{}:
		default: // it has not yet heard of the last time
		}
	}
}
