package pool

import (
	"context"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"multiserver/pool/pipe"
	"multiserver/proxy/proxyproto"
	"multiserver/proxy/wire"
)

// Link is one connection to an upstream. It belongs to one exchange at a
// time, which gives it back by Keep or Drop.
type Link struct {
	*wire.Conn
	u      *Upstream
	born   int64 // of the Guard's milliseconds, as all times here
	idled  int64
	began  time.Time // a Post; zero: nobody wants to know
	reused bool
	seat   *pipe.Seat  // on a shared connection; nil: it has its own
	dead   atomic.Bool // found closed or too old while idle
}

// open takes the connection that was used last, which is the likeliest to be
// alive and warm, or makes one. A client that has settled takes none that has
// elsewhere, from where it would have to be fetched, and back: soon there are
// enough of them everywhere.
func (u *Upstream) open(client *wire.Conn) (*Link, *Fault) {
	now := u.pool.opt().Guard.Now()
	for {
		l := u.idle.popFor(client)
		if l == nil {
			return u.dial(client)
		}
		if l.outlived(now) {
			_ = l.Conn.Close()
			continue
		}
		l.reused = true
		u.Stats.Reused.Add(1)
		l.Serve(client)
		return l, nil
	}
}

func (l *Link) outlived(now int64) bool {
	o := l.u.pool.opt()
	return l.dead.Load() ||
		o.IdleAge > 0 && now-l.idled > o.IdleAge.Milliseconds() ||
		o.MaxAge > 0 && now-l.born > o.MaxAge.Milliseconds()
}

func (u *Upstream) dial(client *wire.Conn) (*Link, *Fault) {
	if u.h2 != nil {
		return u.branch(client)
	}
	nc, err := u.connectFor(client, u.pool.opt().Connect)
	if err != nil {
		return nil, dialFault(err)
	}
	u.Stats.Dialed.Add(1)
	return u.link(nc, client), nil
}

// link makes nc a Link for client.
func (u *Upstream) link(nc net.Conn, client *wire.Conn) *Link {
	g := u.pool.opt().Guard
	l := &Link{Conn: wire.NewConn(nc, g, wire.SmallBuffer), u: u, born: g.Now()}
	l.CallOff(&u.hung)
	l.Serve(client)
	return l
}

// connect opens a connection of our own within d; 0: no limit.
func (u *Upstream) connect(within time.Duration) (net.Conn, error) {
	return u.connectFor(nil, within)
}

// connectFor is connect on behalf of client.
func (u *Upstream) connectFor(client *wire.Conn, within time.Duration) (net.Conn, error) {
	ctx, cancel := u.pool.within(within)
	defer cancel()
	return u.reach(ctx, client)
}

// within is for what may take d; 0: no limit.
func (p *Pool) within(d time.Duration) (context.Context, context.CancelFunc) {
	if d > 0 {
		return context.WithTimeout(p.ctx, d)
	}
	return p.ctx, func() {}
}

func (u *Upstream) reach(ctx context.Context, client *wire.Conn) (net.Conn, error) {
	var d net.Dialer
	nc, err := d.DialContext(ctx, u.target.Network, u.target.Addr)
	if err == nil && u.target.SendProxy > 0 {
		nc, err = u.announce(nc, client)
	}
	if err != nil || u.tls == nil {
		return nc, err
	}
	return u.shake(ctx, nc)
}

// announce says by PROXY protocol for whom nc is, or closes it. It does not
// wait: there is room for a header in the buffer of a socket that has sent
// nothing yet.
func (u *Upstream) announce(nc net.Conn, client *wire.Conn) (net.Conn, error) {
	var from net.Conn
	if client != nil {
		from = client.NetConn()
	}
	h := proxyproto.Between(u.target.SendProxy, from)
	if _, err := nc.Write(h.Append(nil)); err != nil {
		_ = nc.Close()
		return nil, err
	}
	return nc, nil
}

// parse reads the next answer head into res, waiting for what is missing.
func (l *Link) parse(res *wire.Response) error {
	n, err := res.Parse(l.Buffered())
	for seen := (wire.Scan{}); err == wire.ErrMore; {
		if err := l.Fill(l.u.pool.opt().MaxHead); err != nil {
			return err
		}
		if seen.Whole(l.Buffered()) {
			n, err = res.Parse(l.Buffered())
		}
	}
	if err == nil && n > l.u.pool.opt().MaxHead {
		err = wire.HeadLimit(nil, 0)
	}
	if err == nil {
		l.Pin(n)
	}
	return err
}

// Answer reads the next answer head, which must be there within d: the first
// one after a request sent piece by piece, or the one after a 1xx.
func (l *Link) Answer(res *wire.Response, d time.Duration) *Fault {
	l.ReadWithin(d)
	l.Unpin()
	if err := l.parse(res); err != nil {
		return answerFault(true, err)
	}
	return nil
}

// Keep gives the connection back for the next exchange. The caller vouches
// that this one ended cleanly; what arrives unasked before the next is found
// then.
func (l *Link) Keep() {
	if l.Stream() {
		l.Drop()
		return
	}
	if l.seat != nil {
		l.rise()
		return
	}
	if len(l.Buffered()) > 0 {
		l.u.Stats.Faults[Surplus].Add(1)
		l.Drop()
		return
	}
	if l.u.target.SendProxy > 0 { // what comes on it counts as that client's
		l.Drop()
		return
	}
	l.Serve(nil)
	l.Release()
	now := l.u.pool.opt().Guard.Now()
	if l.idled = now; l.outlived(now) || !l.u.idle.push(l, l.u.pool.opt().MaxIdle) {
		_ = l.Conn.Close()
	}
}

// Drop closes the connection.
func (l *Link) Drop() {
	l.Serve(nil)
	_ = l.Conn.Close()
}

// stack holds idle connections, the last used on top.
type stack struct {
	mu     sync.Mutex
	links  []*Link // guarded by mu
	closed bool    // guarded by mu; takes no more
}

func (s *stack) pop() *Link {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := len(s.links) - 1
	if n < 0 {
		return nil
	}
	l := s.links[n]
	s.links[n] = nil
	s.links = s.links[:n]
	return l
}

// push tells whether there was room.
func (s *stack) push(l *Link, limit int) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed || len(s.links) >= limit {
		return false
	}
	s.links = append(s.links, l)
	return true
}

// sweep takes out the links that are too old at now or whose peer has left,
// oldest first.
func (s *stack) sweep(now int64) (out []*Link) {
	var look []*Link
	s.mu.Lock()
	for _, l := range s.links {
		if l.outlived(now) {
			l.dead.Store(true)
		} else {
			look = append(look, l)
		}
	}
	s.mu.Unlock()
	for _, l := range look { // may be in use by now; no lock here, for the kernel is asked
		if l.Left() {
			l.dead.Store(true)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	kept := s.links[:0]
	for _, l := range s.links {
		if l.dead.Load() {
			out = append(out, l)
		} else {
			kept = append(kept, l)
		}
	}
	clear(s.links[len(kept):])
	s.links = kept
	return out
}

// close takes all out and lets none in any more.
func (s *stack) close() []*Link {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := s.links
	s.links, s.closed = nil, true
	return out
}

// Idle is how many connections are kept.
func (u *Upstream) Idle() int {
	if u.h2 != nil {
		return u.h2.Idle()
	}
	u.idle.mu.Lock()
	defer u.idle.mu.Unlock()
	n := len(u.idle.links)
	if u.pipe != nil {
		n += u.pipe.Idle()
	}
	return n
}

// retire closes what is idle for good.
func (u *Upstream) retire() {
	u.retired.Store(true)
	for _, l := range u.idle.close() {
		_ = l.Conn.Close()
	}
	if u.h2 != nil {
		u.h2.Close()
	}
	if u.pipe != nil {
		u.unshare()
	}
}

const reapEvery = time.Second

// reap closes kept connections that the peer has closed or that are too old,
// so that they hold no descriptor until somebody happens on them.
func (p *Pool) reap() {
	t := time.NewTicker(reapEvery)
	defer t.Stop()
	for {
		select {
		case <-p.done:
			return
		case <-t.C:
		}
		now := p.opt().Guard.Now()
		for _, u := range p.Upstreams() {
			for _, l := range u.idle.sweep(now) {
				_ = l.Conn.Close()
			}
			if u.pipe != nil {
				u.pipe.Sweep(p.opt().IdleAge, p.opt().MaxAge)
			}
		}
	}
}
