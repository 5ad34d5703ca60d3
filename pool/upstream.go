package pool

import (
	"cmp"
	"crypto/tls"
	"sync/atomic"
	"time"

	"multiserver/pool/balance"
	"multiserver/pool/pipe"
	"multiserver/pool/stream"
	"multiserver/proxy/wire"
)

// Upstream is one place that answers requests.
type Upstream struct {
	pool   *Pool
	id     uint64
	target Target
	tls    *tls.Config   // nil: it is spoken to in the clear
	base   *tls.Config   // the Options' that tls was made of
	h2     *stream.Conns // nil: it is spoken to in HTTP/1.1
	pipe   *pipe.Conns   // that exchanges share; nil: none do

	load atomic.Int64    // exchanges under way
	wait balance.Latency // how long answers take

	limit   atomic.Int64  // Target.Max
	down    atomic.Bool   // takes no connections, as far as we know
	ejected atomic.Bool   // failed too often, and sits out its time
	failing atomic.Bool   // checks say so
	drained atomic.Bool   // the operator wants no more requests there
	retired atomic.Bool   // no longer a member
	hung    atomic.Bool   // out for giving no answer, while others are in; see call
	fails   atomic.Int32  // in a row
	times   int           // guarded by pool.mu; ejections not long ago
	mute    bool          // guarded by pool.mu; it is out, and gave no answer
	warmth  uint32        // guarded by pool.mu; tenths of its share while starting slowly, else 0
	again   chan struct{} // guarded by pool.mu; tells its checks that they are others; nil: there are none
	idle    stack
	seats   stack // on shared connections

	Stats Stats
}

// Stats are an upstream's counters.
type Stats struct {
	Picked  atomic.Uint64
	Dialed  atomic.Uint64
	Reused  atomic.Uint64
	Faults  [Reasons]atomic.Uint64
	Ejected [Reasons]atomic.Uint64 // by the failure that did it
}

func newUpstream(p *Pool, t Target) *Upstream {
	u := &Upstream{pool: p, id: balance.ID(t.Name), target: t, base: p.opt().TLS}
	u.use(t)
	if t.TLS {
		u.tls = secure(u.base, t.Host, t.H2)
	}
	if t.H2 {
		u.multiplex()
	}
	if t.Pipeline > 1 {
		u.share()
	}
	return u
}

// use takes over what may change while it stays the same place. Called with
// pool.mu held, but for a new one.
func (u *Upstream) use(t Target) {
	u.target.Weight, u.target.Backup, u.target.Max = max(t.Weight, 1), t.Backup, t.Max
	u.limit.Store(int64(t.Max))
}

// Name is the target's, as the operator wrote it.
func (u *Upstream) Name() string { return u.target.Name }

// Host is what an upstream is told it is called if the client did not say
// (HTTP/1.0).
func (u *Upstream) Host() string {
	if u.target.Host == "" { // a Unix socket
		return "localhost"
	}
	return u.target.Host
}

// ID is the same for the same Name, on every node.
func (u *Upstream) ID() uint64 { return u.id }

// Latency is how long its answers take on average; 0: not known.
func (u *Upstream) Latency() time.Duration { return u.wait.Mean() }

// Ejected tells whether it is out for having failed too often, Failing for
// failing its checks, Drained for the operator wanting it so.
func (u *Upstream) Ejected() bool { return u.ejected.Load() }

// Failing: see Ejected.
func (u *Upstream) Failing() bool { return u.failing.Load() }

// Drained: see Ejected.
func (u *Upstream) Drained() bool { return u.drained.Load() }

// Down tells whether it is avoided.
func (u *Upstream) Down() bool { return !u.well() }

// well tells whether requests should go there.
func (u *Upstream) well() bool {
	return !u.down.Load() && !u.ejected.Load() && !u.failing.Load() && !u.drained.Load()
}

// Load is how many exchanges are under way.
func (u *Upstream) Load() int64 { return u.load.Load() }

// Request is what Ask sends.
type Request interface {
	// AppendHead appends the head as it is to be sent to u.
	AppendHead(dst []byte, u *Upstream) []byte
	// Body is the whole body, borrowed until the answer is there.
	Body() []byte
	// Within is how long the first byte of the answer may take; 0: as the
	// pool's Options say.
	Within() time.Duration
}

// A Mover is a Request that may ask another upstream if this one hangs.
type Mover interface {
	// MayMove is asked once the upstream is out for giving no answer; if it
	// says no, the answer is waited for all the same.
	MayMove() bool
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
	return u.ask(nil, client, r, twice, res)
}

// ask is Ask; the request has gone on posted, unless that is nil.
func (u *Upstream) ask(posted *Link, client *wire.Conn, r Request, twice bool, res *wire.Response) (*Link, *Fault) {
	open := u.open
	if u.pipe != nil && twice && mayShare(r) {
		open = u.sit
	}
	began := u.begin(posted)
	for l := posted; ; l = nil {
		sent, err := true, error(nil)
		if l != nil {
			err = l.Reap()
		} else {
			var f *Fault
			if l, f = open(client); f != nil {
				return nil, f
			}
			head := l.prepare(r)
			sent, err = l.Ask(head, r.Body())
		}
		if err == wire.ErrCalledOff && !(twice && moves(r)) || err == pipe.ErrBlocked && !u.pool.MayRetry() {
			err = l.Stay()
		}
		if err == nil {
			if err = l.parse(res); err == nil {
				u.observe(began)
				return l, nil
			}
		}
		got := len(l.Buffered()) > 0
		l.Drop()
		f := answerFault(sent, err)
		if f.Reason == Blocked {
			u.Stats.Faults[Blocked].Add(1)
			open = u.open
			continue
		}
		if !l.kept() || stream.Unsent(err) || sent && (!twice || got || f.Reason != Broken) {
			if f.Reason == AnswerTime || f.Reason == Hung {
				u.observe(began) // it took at least that long
			}
			return nil, f
		}
		u.Stats.Faults[Stale].Add(1)
		if sent {
			open = u.dial // closing while it was asked: trust no kept one now
		}
	}
}

// begin is when an Ask, or the Post before it, begins; zero: nobody wants to
// know.
func (u *Upstream) begin(posted *Link) (t time.Time) {
	switch {
	case posted != nil:
		return posted.began
	case u.pool.opt().Clock:
		return time.Now()
	}
	return t
}

// prepare makes r's head, and sets the limit of the wait for its answer.
func (l *Link) prepare(r Request) (head []byte) {
	l.ReadWithin(cmp.Or(r.Within(), l.u.pool.opt().Response))
	return r.AppendHead(wire.AcquireBuffer(wire.HeadBuffer)[:0], l.u)
}

func moves(r Request) bool {
	m, ok := r.(Mover)
	return ok && m.MayMove()
}

// observe notes how long an answer took whose request began then; zero: nobody
// wants to know.
func (u *Upstream) observe(began time.Time) {
	if !began.IsZero() {
		u.wait.Observe(time.Since(began), u.pool.opt().Guard.Now())
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

// Done gives the slot back and says how it went: f, or nil and the answer's
// status.
func (u *Upstream) Done(f *Fault, status int) {
	defer u.give() // after the verdict, so that nobody who waits is sent to one that is down
	u.Stats.Picked.Add(1)
	switch {
	case f == nil && !failure(status): // fast path
		if u.fails.Load() != 0 {
			u.fails.Store(0)
		}
		return
	case f == nil:
		u.Stats.Faults[BadStatus].Add(1)
		f = StatusFault()
	default:
		u.Stats.Faults[f.Reason].Add(1)
	}
	if f.Side == Peer {
		u.judge(f)
	}
}

// failure tells whether an answer says that the upstream is not well, and not
// only that the request was not.
func failure(status int) bool {
	return status == 500 || status >= 502 && status <= 504
}
