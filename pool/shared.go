package pool

import (
	"net"

	"multiserver/pool/pipe"
	"multiserver/proxy/wire"
)

// A Sharer is a Request that may be asked on a connection with those of others.
type Sharer interface {
	// MayShare tells whether it has no body, no upgrade and an answer that may
	// have a body.
	MayShare() bool
}

func mayShare(r Request) bool {
	s, ok := r.(Sharer)
	return ok && s.MayShare()
}

// mostSeats bounds how many seats are kept, at about a kilobyte each.
const mostSeats = 4096

// share has exchanges share connections to u.
func (u *Upstream) share() {
	o := u.pool.opt()
	u.pipe = pipe.New(pipe.Options{
		Dial:    func() (net.Conn, error) { return u.connect(u.pool.opt().Connect) },
		Guard:   o.Guard,
		Depth:   u.target.Pipeline,
		MaxHead: o.MaxHead,
		Log:     o.Log,
	})
}

// unshare ends that.
func (u *Upstream) unshare() {
	u.pipe.Close()
	for _, l := range u.seats.close() {
		_ = l.Conn.Close()
	}
}

// sit is open on a shared connection, if one has room.
func (u *Upstream) sit(client *wire.Conn) (*Link, *Fault) {
	l := u.seats.pop()
	if l == nil {
		l = u.seat()
	}
	reused, err := l.seat.Take()
	switch {
	case err != nil:
		l.put()
		if err == pipe.ErrFull {
			return u.open(client)
		}
		return nil, dialFault(err)
	case reused:
		u.Stats.Reused.Add(1)
	default:
		u.Stats.Dialed.Add(1)
	}
	l.reused = reused
	l.Serve(client)
	return l, nil
}

// kept tells whether that l's connection ended may be due to others than this
// exchange.
func (l *Link) kept() bool { return l.reused || l.seat != nil && l.seat.Shared() }

// seat makes a Link of a new Seat. An answer that shares is short as a rule: a
// small buffer does, of which each has one while it waits.
func (u *Upstream) seat() *Link {
	g := u.pool.opt().Guard
	s := u.pipe.Seat()
	l := &Link{Conn: wire.NewConn(s, g, wire.HeadBuffer), u: u, born: g.Now(), seat: s}
	l.CallOff(&u.hung)
	return l
}

// rise gives the seat back behind an exchange.
func (l *Link) rise() {
	if len(l.Buffered()) > 0 || !l.seat.Free() {
		l.Drop()
		return
	}
	l.Serve(nil)
	l.Release()
	l.put()
}

func (l *Link) put() {
	if !l.u.seats.push(l, mostSeats) {
		_ = l.Conn.Close()
	}
}
