package pool

import (
	"context"
	"crypto/tls"
	"errors"
	"net"

	"multiserver/pool/stream"
	"multiserver/proxy/wire"
)

// multiplex has u spoken to in HTTP/2.
func (u *Upstream) multiplex() {
	o := u.pool.opt()
	u.h2 = stream.New(stream.Options{
		Dial:    u.greet,
		Secure:  u.tls != nil,
		MaxHead: o.MaxHead,
		IdleAge: o.IdleAge,
		MaxAge:  o.MaxAge,
	})
}

// greet opens a connection on which HTTP/2 is agreed on, or in the clear is
// taken for granted (RFC 9113 §3.3).
func (u *Upstream) greet(ctx context.Context) (net.Conn, error) {
	nc, err := u.reach(ctx, nil)
	if err != nil {
		return nil, err
	}
	if c, ok := nc.(*tls.Conn); ok && c.ConnectionState().NegotiatedProtocol != stream.ALPN {
		_ = nc.Close()
		return nil, &handshakeError{errNoH2}
	}
	return nc, nil
}

var errNoH2 = errors.New("it offers no HTTP/2")

// branch opens a stream for one exchange. That its connection carried others
// before makes it one that was kept: it may have died meanwhile.
func (u *Upstream) branch(client *wire.Conn) (*Link, *Fault) {
	ctx, cancel := u.pool.within(u.pool.opt().Connect)
	defer cancel()
	nc, reused, err := u.h2.Open(ctx)
	if err != nil {
		return nil, dialFault(err)
	}
	if reused {
		u.Stats.Reused.Add(1)
	} else {
		u.Stats.Dialed.Add(1)
	}
	l := u.link(nc, client)
	l.reused = reused
	return l, nil
}

// Stream tells whether l is one of several on its connection: it is not kept,
// and what is left unsaid on it harms no other.
func (l *Link) Stream() bool { return l.u.h2 != nil }
