package pool

import (
	"sync/atomic"

	"multiserver/pool/balance"
	"multiserver/proxy/wire"
)

// Upstream is one place that answers requests.
type Upstream struct {
	pool   *Pool
	id     uint64
	target Target

	load atomic.Int64    // exchanges under way
	wait balance.Latency // how long answers take

	down    atomic.Bool // takes no connections, as far as we know
	retired atomic.Bool // no longer a member
	idle    stack

	Stats Stats
}

// Stats are an upstream's counters.
type Stats struct {
	Picked atomic.Uint64
	Dialed atomic.Uint64
	Reused atomic.Uint64
	Faults [Reasons]atomic.Uint64
}

func newUpstream(p *Pool, t Target) *Upstream {
	return &Upstream{pool: p, id: balance.ID(t.Name), target: t}
}

// Name is the target's, as the operator wrote it.
func (u *Upstream) Name() string { return u.target.Name }

// Host is what an upstream is told it is called if the client did not say
// (HTTP/1.0).
func (u *Upstream) Host() string { return u.target.Host }

// Down tells whether it is avoided.
func (u *Upstream) Down() bool { return u.down.Load() }

// Load is how many exchanges are under way.
func (u *Upstream) Load() int64 { return u.load.Load() }

// Request is what Ask sends.
type Request interface {
	// AppendHead appends the head as it is to be sent to u.
	AppendHead(dst []byte, u *Upstream) []byte
	// Body is the whole body, borrowed until the answer is there.
	Body() []byte
}

// Ask sends a whole request for client and parses the answer's head into res,
// which borrows from the Link until that is released. A kept connection that
// has died costs another one, not the request: always if nothing was sent on
// it, and if the request may be sent twice also when it was closed instead of
// answered. 1xx answers come back like any other; Link.Answer has the next.
//
// The request is built for each connection anew, and not held while the answer
// is waited for.
func (u *Upstream) Ask(client *wire.Conn, r Request, twice bool, res *wire.Response) (*Link, *Fault) {
	open := u.open
	for {
		l, f := open(client)
		if f != nil {
			return nil, f
		}
		head := r.AppendHead(wire.AcquireBuffer(wire.HeadBuffer)[:0], u)
		l.ReadWithin(u.pool.opt.Response)
		sent, err := l.Ask(head, r.Body())
		if err == nil {
			if err = l.parse(res); err == nil {
				return l, nil
			}
		}
		got := len(l.Buffered()) > 0
		l.Drop()
		f = answerFault(sent, err)
		if !l.reused || sent && (!twice || got || f.Reason != Broken) {
			return nil, f
		}
		u.Stats.Faults[Stale].Add(1)
		if sent {
			open = u.dial // closing while it was asked: trust no kept one now
		}
	}
}

// Open returns a connection for a request that is sent piece by piece. A kept
// one has just been seen to be silent and open.
func (u *Upstream) Open(client *wire.Conn) (*Link, *Fault) {
	for {
		l, f := u.open(client)
		if f != nil || !l.reused || l.Silent() {
			return l, f
		}
		u.Stats.Faults[Stale].Add(1)
		l.Drop()
	}
}

// Done gives the slot back and says how it went; nil: well.
func (u *Upstream) Done(f *Fault) {
	u.load.Add(-1)
	u.pool.total.Add(-1)
	u.Stats.Picked.Add(1)
	if f != nil {
		u.Stats.Faults[f.Reason].Add(1)
		if f.Reason == Refused || f.Reason == Unreachable || f.Reason == ConnectTime {
			u.eject(f)
		}
	}
}
