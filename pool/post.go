package pool

import (
	"multiserver/proxy/wire"
)

// Poster is a Request that is told on which Link it is sent, and has the next
// turn there.
type Poster interface {
	Request
	wire.Turner
	// On is called before anything is sent; nil: it was not, after all.
	On(l *Link)
}

// Post is Ask for who may not wait: it asks on a kept connection that lives
// where client does, and r has the next turn there, with the first bytes of the
// answer, which Landed makes something of; if something else happens, it is
// woken. From the moment it has returned true r belongs to those. false: for
// lack of a connection nothing was asked, or one did not take all of the request
// at once, and the rest is Await's.
func (u *Upstream) Post(client *wire.Conn, r Poster) bool {
	if u.pipe != nil || u.h2 != nil {
		return false
	}
	o := u.pool.opt()
	for now := o.Guard.Now(); ; {
		l := u.idle.popBeside(client)
		if l == nil {
			return false
		}
		if l.outlived(now) {
			_ = l.Conn.Close()
			continue
		}
		u.Stats.Reused.Add(1)
		l.reused, l.began = true, u.begin(nil)
		l.Serve(client)
		r.On(l)
		switch l.Conn.Post(r, l.prepare(r), r.Body()) {
		case wire.Posted:
			return true
		case wire.Begun:
			return false
		}
		u.Stats.Faults[Stale].Add(1)
		r.On(nil)
		l.Drop()
	}
}

// Await is what is left of an Ask behind a Post on l.
func (u *Upstream) Await(l *Link, client *wire.Conn, r Request, twice bool, res *wire.Response) (*Link, *Fault) {
	return u.ask(l, client, r, twice, res)
}

// Landed looks, in the turn that a Post's answer begins, whether that is one
// that can be passed on at once: well, and all there, after a look whether what
// is missing can be had without waiting. If not, nothing has happened.
func (l *Link) Landed(res *wire.Response, isHead bool) bool {
	n, err := res.Parse(l.Buffered())
	if err != nil || n > l.u.pool.opt().MaxHead || res.Status < 200 || res.Status >= 500 {
		return false
	}
	switch res.Framing(isHead) {
	case wire.None:
	case wire.Sized:
		if !l.arrives(int64(n)+res.Length, res) {
			return false
		}
	default:
		return false
	}
	l.Pin(n)
	l.u.observe(l.began)
	return true
}

func (l *Link) arrives(total int64, res *wire.Response) bool {
	if int64(len(l.Buffered())) >= total {
		return true // fast path
	}
	if total > wire.LargeBuffer {
		return false
	}
	if !l.Gather(int(total)) {
		return false
	}
	_, err := res.Parse(l.Buffered()) // it may lie elsewhere now
	return err == nil
}

// MayPost tells whether l, once kept and settled, is one that Post takes.
func (l *Link) MayPost() bool { return l.Plain() && l.u.pipe == nil && l.u.target.SendProxy == 0 }

// Settle has l live where client does, as Post wants it.
func (l *Link) Settle(client *wire.Conn) {
	if client.Settled() && l.MayPost() {
		l.SettleBeside(client)
	}
}

// looked is how many of the links used last are looked at for one that lives
// where it should.
const looked = 256

// popBeside is pop for a link that lives where client does.
func (s *stack) popBeside(client *wire.Conn) *Link {
	return s.popIf(func(l *Link) bool { return l.Lives(client) })
}

// popFor is pop for client, which may be nil.
func (s *stack) popFor(client *wire.Conn) *Link {
	if client == nil || !client.Settled() {
		return s.pop()
	}
	if l := s.popBeside(client); l != nil {
		return l
	}
	return s.popIf(func(l *Link) bool { return !l.Settled() })
}

func (s *stack) popIf(fits func(*Link) bool) *Link {
	s.mu.Lock()
	defer s.mu.Unlock()
	last := len(s.links) - 1
	for i := last; i >= max(0, last-looked); i-- {
		if l := s.links[i]; fits(l) {
			copy(s.links[i:], s.links[i+1:])
			s.links[last] = nil
			s.links = s.links[:last]
			return l
		}
	}
	return nil
}
