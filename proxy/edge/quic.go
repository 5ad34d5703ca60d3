package edge

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/http3"

	"multiserver/proxy/wire"
)

// QUIC serves HTTP/3 on UDP sockets, any number of them.
type QUIC struct {
	edge *Edge
	opt  QUICOptions
	tls  *tls.Config
	conf *quic.Config

	end  context.Context // done: no more connections are taken
	stop context.CancelFunc

	mu   sync.Mutex
	open map[*session]struct{} // guarded by mu
	gone context.Context       // guarded by mu; nil before Drain, done: what is left is cut off

	held    atomic.Int64   // connections, from their first packet on
	second  atomic.Int64   // of the Guard's time
	unknown atomic.Int64   // first packets in it whose sender may not be who it says
	running sync.WaitGroup // sessions

	Stats QUICStats
}

// QUICOptions are fixed for the life of a QUIC.
type QUICOptions struct {
	TLS  func() *tls.Config // how to speak it with a client that connects now; read only
	Head time.Duration      // for a handshake, and for what tells whether a request has a body
	Most int                // connections at once; 0: no limit

	// Trust is how many connections may begin in a second before clients have to
	// prove that they are where they say, which costs them a round trip. RFC 9000
	// §8.1: who lies about that has others get our answers, and makes us keep what
	// nobody will use. 0: 500.
	Trust int
}

// QUICStats are counters.
type QUICStats struct {
	Early   atomic.Uint64 // requests passed on before the handshake's end
	Waited  atomic.Uint64 // requests that came before it and had to wait for it
	Asked   atomic.Uint64 // clients that had to prove their address first
	Refused atomic.Uint64 // connections beyond Most
}

const (
	// alive is how often a client must show that it is there.
	alive = 30 * time.Second

	trusting = 500 // QUICOptions.Trust, unless it says otherwise

	// What a client may send before it is asked for: a stream, a connection.
	streamWindow = 1 << 20
	quicWindow   = 2 << 20

	controls = 16 // streams of one direction: three have a meaning, some are noise on purpose
)

// NewQUIC returns a QUIC whose streams are served as e's are.
func (e *Edge) NewQUIC(o QUICOptions) *QUIC {
	o.Trust = cmp.Or(o.Trust, trusting)
	q := &QUIC{edge: e, opt: o, open: map[*session]struct{}{}}
	q.end, q.stop = context.WithCancel(context.Background())
	q.tls = &tls.Config{GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) {
		return http3.ConfigureTLSConfig(o.TLS()), nil // a copy: certificates and ticket keys change
	}}
	q.conf = &quic.Config{
		HandshakeIdleTimeout:           o.Head / 2, // all of it may take twice that
		MaxIdleTimeout:                 alive,
		KeepAlivePeriod:                alive / 2,
		MaxIncomingStreams:             int64(e.opt.Streams),
		MaxIncomingUniStreams:          controls,
		InitialStreamReceiveWindow:     streamWindow / 4,
		MaxStreamReceiveWindow:         streamWindow,
		InitialConnectionReceiveWindow: quicWindow / 4,
		MaxConnectionReceiveWindow:     quicWindow,
		Allow0RTT:                      true,
	}
	return q
}

// Serve serves what comes to pc until Drain has done its work, and closes pc.
// The error is of the socket.
func (q *QUIC) Serve(pc net.PacketConn) error {
	defer pc.Close()
	t := &quic.Transport{Conn: pc, VerifySourceAddress: q.doubts, ConnContext: q.admit}
	t.ConnectionIDGenerator, _ = pc.(quic.ConnectionIDGenerator) // whose packets are whose, where processes share it
	defer t.Close()
	ln, err := t.ListenEarly(q.tls, q.conf)
	if err != nil {
		return err
	}
	stopped := make(chan struct{})
	q.running.Go(func() { q.sweep(stopped) })
	err = q.accept(ln)
	_ = ln.Close()
	close(stopped)
	q.running.Wait()
	return err
}

func (q *QUIC) accept(ln *quic.EarlyListener) error {
	for {
		nc, err := ln.Accept(q.end)
		switch {
		case q.end.Err() != nil:
			if err == nil {
				_ = nc.CloseWithError(noError, "")
			}
			return nil
		case err != nil:
			return err
		}
		q.running.Go(func() { q.serve(nc) })
	}
}

// Open is how many connections there are, or begin.
func (q *QUIC) Open() int64 { return q.held.Load() }

// admit is called with a connection's first packet.
func (q *QUIC) admit(ctx context.Context, _ *quic.ClientInfo) (context.Context, error) {
	if n := q.held.Add(1); q.opt.Most > 0 && n > int64(q.opt.Most) {
		q.held.Add(-1)
		q.Stats.Refused.Add(1)
		return nil, errMost
	}
	context.AfterFunc(ctx, func() { q.held.Add(-1) })
	return ctx, nil
}

var errMost = errors.New("edge: as many connections as allowed")

// doubts is called with each first packet that does not prove where it is from.
func (q *QUIC) doubts(net.Addr) bool {
	if now := q.edge.opt.Guard.Now() / 1000; q.second.Swap(now) != now {
		q.unknown.Store(0)
	}
	if q.unknown.Add(1) <= int64(q.opt.Trust) {
		return false
	}
	q.Stats.Asked.Add(1)
	return true
}

// Drain takes no more connections, tells all clients by GOAWAY that streams
// from here on are refused, and lets those that there are end until gone is
// done; then it cuts off the rest. It does not wait: Serve does.
func (q *QUIC) Drain(gone context.Context) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.gone != nil {
		return
	}
	q.gone = gone
	q.stop()
	for s := range q.open {
		q.running.Go(func() { _ = s.h3.Shutdown(gone) })
	}
}

// sweep closes connections that have had no stream for too long; one that is
// to end, a moment after its last: a client that has all its answers goes by
// itself, and what is on its way to another is not to be lost.
func (q *QUIC) sweep(stopped chan struct{}) {
	t := time.NewTicker(4 * wire.Tick)
	defer t.Stop()
	for {
		select {
		case <-t.C:
			q.closeQuiet()
		case <-stopped:
			if q.closeQuiet() == 0 {
				return
			}
			<-t.C
		}
	}
}

// closeQuiet tells how many connections there still are.
func (q *QUIC) closeQuiet() (left int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	limit := q.edge.opt.KeepAlive
	if q.gone != nil {
		limit = parting
	}
	since := q.edge.opt.Guard.Now() - limit.Milliseconds()
	for s := range q.open {
		if limit > 0 && s.quietSince(since) {
			q.running.Go(func() { _ = s.conn.CloseWithError(noError, "") })
		}
	}
	return len(q.open)
}
