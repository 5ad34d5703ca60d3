package pool

import (
	"context"
	"errors"
	"net"
)

// Dial opens a connection that is the caller's own, with TLS if the upstream is
// reached by that. No slot is taken, and how it goes tells nothing of its health.
func (u *Upstream) Dial(ctx context.Context) (net.Conn, error) {
	if u.h2 != nil {
		return nil, errors.New("it is spoken to in HTTP/2")
	}
	return u.reach(ctx, nil)
}
