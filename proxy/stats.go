package proxy

import (
	"sync/atomic"
	"time"

	"multiserver/pool"
)

// Stats are a Proxy's counters.
type Stats struct {
	Clients  atomic.Int64                // connections open
	Classes  [6]atomic.Uint64            // exchanges by first digit of the status; [0]: ended without an answer
	Spoken   [Protocols]atomic.Uint64    // exchanges by what the client speaks
	Refused  atomic.Uint64               // requests that broke the rules, and never left
	Retries  [pool.Reasons]atomic.Uint64 // tries after the first, by why the one before failed
	Spent    atomic.Uint64               // retries that were safe, but beyond the budget
	Panics   atomic.Uint64
	Upgraded atomic.Int64 // tunnels open

	Misfits     [Misfits]atomic.Uint64 // handshakes that did not come about, by why
	TunnelsIdle atomic.Uint64          // tunnels that ended for being silent too long
	TunnelsTold atomic.Uint64          // tunnels that were told to end

	PurgesRefused atomic.Uint64 // from addresses that may not

	Routes Tallies // with Options.Timed: exchanges by their route, tunnels not counted
	Pools  Tallies // the same: tries by their pool, for how long until the answer's head

	flight [shards]struct {
		n atomic.Int64
		_ [56]byte
	}
}

// UnderWay is how many exchanges are, tunnels among them; with Options.Timed.
func (s *Stats) UnderWay() (n int64) {
	for i := range s.flight {
		n += s.flight[i].n.Load()
	}
	return n
}

func (s *Stats) count(status int) { s.Classes[class(status)].Add(1) }

// class is the first digit of a status that can be one, else 0.
func class(status int) int {
	if status < 100 || status > 599 {
		return 0
	}
	return status / 100
}

// clock is the time, if anybody wants to know.
func (p *Proxy) clock() time.Duration {
	if !p.timed {
		return 0
	}
	return clock()
}

// begin notes the time of an exchange that is served.
func (p *Proxy) begin(x *Exchange) {
	x.start = clock()
	if p.opt.Timed {
		p.Stats.flight[x.shard].n.Add(1)
	}
}

// undo takes back begin, for an exchange that begins anew.
func (p *Proxy) undo(x *Exchange) {
	if p.opt.Timed && x.start != 0 {
		p.Stats.flight[x.shard].n.Add(-1)
	}
}

// waited notes that the upstream which was asked has answered, or failed.
func (p *Proxy) waited(x *Exchange) {
	if !p.timed {
		return
	}
	x.waited = clock() - x.tryAt
	if p.opt.Timed {
		x.pool.waits.add(class(x.Res.Status), x.waited, x.shard)
	}
}

// record tells of an exchange that ends.
func (p *Proxy) record(x *Exchange) {
	now := clock()
	if p.opt.Timed && x.start != 0 {
		p.Stats.flight[x.shard].n.Add(-1)
		if x.status != 101 {
			x.route.tally.add(class(x.status), now-x.start, x.shard)
		}
	}
	p.logLine(x, now)
}

// Retried is how many tries there were after the first.
func (s *Stats) Retried() (n uint64) {
	for i := range s.Retries {
		n += s.Retries[i].Load()
	}
	return n
}
