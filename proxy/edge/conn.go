package edge

import (
	"crypto/tls"
	"sync"
	"time"

	"golang.org/x/net/http2/hpack"

	"multiserver/proxy"
	"multiserver/proxy/wire"
)

// conn is one connection of HTTP/2. The goroutine that has it reads frames and
// acts on them; it waits for nobody but the client, and for that only with no
// lock held. Each stream's exchange has a goroutine of its own, and the outbox
// one while there is something to write.
type conn struct {
	lanes
	wire *wire.Conn
	from *proxy.Entrance // nil: one that never shuts

	// Of the goroutine that reads.
	block   block
	table   *hpack.Decoder
	rest    continued
	chatter noise // frames that do nothing
	resets  noise // streams that were work for nothing
	asked   bool  // a PING of ours, for a sign of life, is under way

	mu      sync.Mutex         // guards all below
	open    map[uint32]*stream // those with a side that has not ended
	orphans int                // streams that the client reset, but whose work goes on
	last    uint32             // the client's newest stream
	unheard early              // streams that we ended before the client did
	out     outbox
	emptied bool      // our first header block was sent
	window  int64     // bytes that may be sent
	initial int64     // the same of a new stream
	line    []*stream // that want to send, and wait for the window or the outbox
	may     int       // bytes that the client may still send
	taken   int       // bytes that were taken, and that it was not told of
	over    bool      // no more streams

	farewell farewell
}

// preface is what a client says first (RFC 9113 §3.4).
const preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

// parley is how long the preface and the first SETTINGS may take, and an
// answer to PING.
const parley = 10 * time.Second

func newConn(e *Edge, w *wire.Conn) *conn {
	c := &conn{wire: w, open: map[uint32]*stream{}}
	c.proto = proxy.HTTP2
	c.lanes.begin(e, w.NetConn().LocalAddr(), w.NetConn().RemoteAddr())
	c.block.most = e.opt.MaxHead
	c.table = hpack.NewDecoder(tableSize, c.block.field)
	c.chatter, c.resets = noise{most: mostChatter}, noise{most: mostResets}
	c.window, c.initial, c.may = usualWindow, usualWindow, connWindow
	c.out.begin(w, e.opt.Idle, &c.mu, c.next)
	return c
}

// serve returns why the connection ended.
func (c *conn) serve() error {
	if weak(c.wire.NetConn()) {
		return Insecure
	}
	if err := c.meet(); err != nil {
		return err
	}
	for {
		if err := c.out.settled(); err != nil {
			return Left
		}
		f, err := c.frame()
		if err == nil {
			err = c.handle(&f)
		}
		if err != nil {
			return err
		}
	}
}

// settled is wait with the lock.
func (o *outbox) settled() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.wait()
}

type stater interface{ ConnectionState() tls.ConnectionState }

// weak tells whether TLS has agreed on what RFC 9113 §9.2.2 forbids: of what
// crypto/tls has, all but these are.
func weak(nc any) bool {
	s, ok := nc.(stater)
	if !ok {
		return false
	}
	state := s.ConnectionState()
	switch state.CipherSuite {
	case tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
		tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384, tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
		tls.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256, tls.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256:
		return false
	}
	return state.Version < tls.VersionTLS13
}

// meet takes the preface, behind which SETTINGS must come.
func (c *conn) meet() error {
	c.wire.ReadWithin(parley)
	for n := 0; n < len(preface); {
		if len(c.wire.Buffered()) == 0 {
			if err := c.wire.Await(false); err != nil {
				return reason(err)
			}
		}
		b := c.wire.Buffered()
		k := min(len(b), len(preface)-n)
		if string(b[:k]) != preface[n:n+k] {
			return Preface
		}
		c.wire.Skip(k)
		n += k
	}
	if err := c.need(frameHead); err != nil {
		return err
	}
	if f := parseFrame(c.wire.Buffered()); f.kind != settingsFrame || f.has(flagAck) {
		return Preface
	}
	return nil
}

// frame reads the next frame's head.
func (c *conn) frame() (f frame, err error) {
	for len(c.wire.Buffered()) == 0 {
		if c.rest.id == 0 {
			c.wire.ReadWithin(c.patience())
		}
		err := c.wire.Await(false)
		if err == wire.ErrTime && c.rest.id == 0 {
			err = c.lull()
		}
		if err != nil {
			return f, reason(err)
		}
	}
	if c.rest.id == 0 { // else the time is that of the whole block
		c.wire.ReadWithin(c.edge.opt.Idle)
	}
	if err := c.need(frameHead); err != nil {
		return f, err
	}
	f = parseFrame(c.wire.Buffered())
	c.wire.Skip(frameHead)
	c.asked = false
	if f.size > mostFrame {
		return f, FrameSize
	}
	return f, nil
}

// need returns when n bytes, of a frame at most, are buffered.
func (c *conn) need(n int) error {
	for len(c.wire.Buffered()) < n {
		if err := c.wire.Fill(wire.LargeBuffer); err != nil {
			return reason(err)
		}
	}
	return nil
}

// reason is an error of reading as an Ending.
func reason(err error) Ending {
	switch err {
	case wire.ErrTime:
		return Silent
	case wire.ErrBroken:
		return Drained
	}
	if e, ok := err.(Ending); ok {
		return e
	}
	return Left
}

// patience is how long the wait for a next frame may be before lull looks.
func (c *conn) patience() time.Duration {
	switch o := &c.edge.opt; {
	case c.asked:
		return parley
	case o.Idle == 0 || o.KeepAlive == 0:
		return max(o.Idle, o.KeepAlive)
	default:
		return min(o.Idle, o.KeepAlive)
	}
}

// lull decides what to do about a client from which nothing comes: without
// streams it goes, with them it is asked for a sign of life.
func (c *conn) lull() error {
	c.idle.L.Lock()
	busy, quiet := c.busy, c.edge.opt.Guard.Now()-c.quiet
	c.idle.L.Unlock()
	switch limit := c.edge.opt.KeepAlive; {
	case c.asked:
		return Silent
	case busy > 0:
		c.asked = true
		c.ping(ours)
	case limit > 0 && quiet >= limit.Milliseconds():
		return Quiet
	}
	c.wire.ResumeRead()
	return nil
}
