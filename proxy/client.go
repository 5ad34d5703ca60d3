package proxy

import (
	"bytes"
	"crypto/tls"
	"io"
	"net"
	"net/netip"
	"strconv"
	"time"

	"multiserver/proxy/wire"
)

// Client is one connection from a client, and who that is.
type Client struct {
	*wire.Conn
	p *Proxy
	x *Exchange // what quick leaves behind

	calm     uint8 // short exchanges in a row
	patience uint8 // how many it takes to have turns

	from *Entrance        // nil: one that never shuts
	h2   func(*wire.Conn) // takes over what turns out to speak HTTP/2; nil: nobody does
	over func()           // is called at the end of a connection that Take has left; nil: it may not

	addr     netip.Addr // not valid on a Unix socket
	trusted  bool       // a proxy of ours: what it says about its client is believed
	secure   bool       // it came by TLS
	known    bool       // it has shown a certificate
	protocol Protocol   // what it speaks
	port     string     // where it connected to
	asserts  []byte     // the fields that say so to an upstream, ready to be sent
	invites  []byte     // the fields that say how else to come from now on, ready to be sent; nil: none
}

// ServeConn reads requests from nc and serves them in order until the
// connection ends, and closes it. It returns when all is done.
func (p *Proxy) ServeConn(nc net.Conn) { p.ServeConnOr(nc, nil) }

// ServeConnOr is ServeConn, but hands a connection that begins with HTTP/2's
// preface to h2, which may use it until it returns. nil: such a one is refused.
func (p *Proxy) ServeConnOr(nc net.Conn, h2 func(*wire.Conn)) { p.Take(nc, h2, nil) }

// Take is ServeConnOr, but returns as soon as nothing happens on the connection:
// true, and what comes later is served by goroutines of its own until it ends,
// is closed, and over is called. So an idle client, or an idle tunnel, costs
// neither a stack nor a buffer. false: it has ended, and over is never called.
func (p *Proxy) Take(nc net.Conn, h2 func(*wire.Conn), over func()) (outlives bool) {
	return p.TakeFrom(nil, nc, h2, over)
}

// TakeFrom is Take for a connection that came in somewhere that may shut.
func (p *Proxy) TakeFrom(e *Entrance, nc net.Conn, h2 func(*wire.Conn), over func()) (outlives bool) {
	c := p.NewClient(nc)
	c.from, c.h2, c.over = e, h2, over
	p.Stats.Clients.Add(1)
	c.MayPark(over != nil)
	c.patience = p.patience()
	c.ReadWithin(p.opt.Head) // a new connection has something to say
	if c.run() {
		return true
	}
	p.Stats.Clients.Add(-1)
	return false
}

// Wake goes on with a connection that was parked, or has had turns.
func (c *Client) Wake() {
	if !c.revive() || !c.run() {
		c.leave()
	}
}

// leave is the end of a connection that Take has left.
func (c *Client) leave() {
	c.p.Stats.Clients.Add(-1)
	c.over()
}

// run serves until the connection ends, or goes on without this goroutine.
func (c *Client) run() (goesOn bool) {
	quick := c.quick
	for {
		switch err := c.Each(quick); {
		case err == wire.ErrQuiet:
			if c.Park(c, true) {
				return true
			}
			continue
		case err != nil:
			_ = c.Close()
			return false
		}
		switch {
		case c.x == nil && len(c.Buffered()) == 0: // it is ripe
			if c.takesTurns() {
				return true
			}
			continue
		case c.x == nil:
			c.x = acquireExchange(c)
			c.slow(c.x)
		}
		if t := c.x.tunnel; c.x.detached {
			c.detach(c.x)
			t.start()
			return true
		}
		if !c.part() {
			return false
		}
		c.ReadWithin(c.p.opt.KeepAlive)
		if c.ripe() && c.takesTurns() {
			return true
		}
	}
}

// detach ends the exchange of a tunnel that goes on without it: it would be a
// third of what an idle tunnel costs. Only for the sake of a log it stays.
func (c *Client) detach(x *Exchange) {
	if c.p.lines.Load() == nil {
		x.link = nil // the tunnel's
		c.conclude(x)
		x.release()
		c.x = nil
	}
}

func (c *Client) conclude(x *Exchange) {
	x.detached = false
	c.p.done(x, nil)
	c.p.finish(x)
}

// tunneled ends a connection behind its tunnel.
func (c *Client) tunneled(t *Tunnel) {
	c.p.Stats.Upgraded.Add(-1)
	if x := c.x; x != nil {
		x.sent, x.Res.Close = t.down.passed, true
		c.conclude(x)
		c.part()
	} else {
		t.link.Drop()
		_ = c.Close()
	}
	c.leave()
}

// NewClient returns a Client whose requests the caller has served one by one,
// by ServeNext. Close ends it.
func (p *Proxy) NewClient(nc net.Conn) *Client {
	c := &Client{Conn: wire.NewConn(nc, p.opt.Guard, wire.HeadBuffer), p: p}
	c.identify(nc)
	return c
}

// ServeNext reads one request and serves it. It tells whether the connection
// may be used for another; else it is closed.
func (c *Client) ServeNext() bool {
	c.ReadWithin(c.p.opt.Head)
	c.x = acquireExchange(c)
	c.slow(c.x)
	return c.part()
}

// part ends the exchange in c.x, and the connection if it was its last.
func (c *Client) part() (more bool) {
	more = !c.x.close
	if !more {
		c.end(c.x)
	}
	c.x.release()
	c.x = nil
	return more
}

// quick serves the requests that are there whole, and tells whether there is
// nothing left to do but to wait. It does not read from the connection. What
// takes more than is there is left to slow; an exchange that was the
// connection's last is left in c.x.
func (c *Client) quick() bool {
	x := acquireExchange(c)
	for len(c.Buffered()) > 0 {
		n, err := x.Req.Parse(c.Buffered())
		if err != nil || n > c.p.opt.MaxHead || !x.inHand(len(c.Buffered())-n) {
			x.release()
			return false
		}
		c.Pin(n)
		c.serve(x)
		if x.close {
			c.x = x
			return false
		}
	}
	x.release()
	c.ReadWithin(c.p.opt.KeepAlive)
	return !c.ripe()
}

// inHand tells whether the request, with n bytes behind its head, takes no
// more reading.
func (x *Exchange) inHand(n int) bool {
	q := &x.Req
	return q.Length <= int64(n) && !q.Chunked && !q.Continue && !q.Upgrade
}

// slow serves one request, of which at least one byte is there.
func (c *Client) slow(x *Exchange) {
	err := c.readHead(x)
	switch {
	case err == nil:
		c.serve(x)
	case c.h2 != nil && c.Wrote() == 0 && (bytes.HasPrefix(c.Buffered(), preface) || foreign(c.Buffered())):
		c.MayPark(false)
		c.h2(c.Conn)
		x.close, x.broken = true, true
	default:
		c.refuse(x, err)
	}
}

// preface is the front of HTTP/2's (RFC 9113 §3.4), made so that it reads as a
// request of another version: what Parse refuses with 505 at the end of this
// line. It counts only as a connection's first bytes: behind a request it would
// be what some front took for a body.
var preface = []byte("PRI * HTTP/2.0\r\n")

// foreign tells whether b begins with three words, with neither a target nor a
// version among them: a preface gone wrong, which RFC 9113 §3.4 answers by
// GOAWAY. Whoever meant HTTP/1.1 is better told so in its own words.
func foreign(b []byte) bool {
	line, _, _ := bytes.Cut(b, []byte("\r\n"))
	return bytes.Count(line, []byte(" ")) == 2 && len(bytes.Trim(line, " ABCDEFGHIJKLMNOPQRSTUVWXYZ")) == 0
}

func (c *Client) serve(x *Exchange) {
	if c.p.timed {
		c.p.begin(x)
	}
	x.join(c.p)
	x.inBody.Begin(c.Conn, x.Req.Framing(), x.Req.Length, 0)
	if c.known || c.trusted && x.Req.Has(wire.ClientCert) {
		x.Req.Note(wire.Personal) // RFC 9440 §2.4: no Vary could tell them apart here
	}
	c.p.Serve(x)
	if !x.close && !x.detached && !x.declined {
		c.tell(x)
		c.Release()
		x.reset()
	}
}

// readHead reads the next request's head, at least one byte of which is
// there. The limit on time is for the whole head, however it trickles.
func (c *Client) readHead(x *Exchange) error {
	n, err := x.Req.Parse(c.Buffered())
	if err == wire.ErrMore {
		c.ReadWithin(c.p.opt.Head)
		n, err = c.slowHead(x)
	}
	if err != nil {
		return err
	}
	if n > c.p.opt.MaxHead {
		return wire.HeadLimit(c.Buffered(), c.p.opt.MaxHead)
	}
	c.Pin(n)
	return nil
}

// slowHead goes on with a head that did not come in one piece. It looks only
// at what is new until the head may be whole, so that a byte at a time costs a
// byte at a time.
func (c *Client) slowHead(x *Exchange) (int, error) {
	var seen wire.Scan
	for {
		if seen.Whole(c.Buffered()) {
			if n, err := x.Req.Parse(c.Buffered()); err != wire.ErrMore {
				return n, err
			}
		}
		if len(c.Buffered()) >= c.p.opt.MaxHead {
			return 0, wire.HeadLimit(c.Buffered(), c.p.opt.MaxHead)
		}
		if err := c.Fill(c.p.opt.MaxHead); err != nil {
			return 0, err
		}
	}
}

var headMethod = []byte("HEAD ")

// refuse answers what is no request; if it meant to be a HEAD, without a body.
func (c *Client) refuse(x *Exchange, err error) {
	x.close, x.unread = true, true
	x.join(c.p)
	x.inBody.Begin(c.Conn, wire.None, 0, 0)
	x.Req = wire.Request{Head: wire.Head{Fields: x.Req.Fields[:0], Minor: 1}}
	if bytes.HasPrefix(c.Buffered(), headMethod) {
		x.Req.Method = headMethod[:4]
	}
	switch bad, ok := err.(*wire.Bad); {
	case ok:
		c.p.Stats.Refused.Add(1)
		c.p.answer(x, bad.Status, bad.What)
	case err == wire.ErrTime:
		c.p.Stats.Refused.Add(1)
		c.p.answer(x, 408, "request head not complete in time")
	case err == io.EOF:
		c.p.answer(x, 400, "request head cut short")
	default:
		x.broken = true
	}
	c.p.finish(x)
}

// lingering: how long, and for how many bytes, a client that is still sending
// is listened to after our last word. Closing at once would answer its bytes
// with a reset, which may overtake the answer.
const (
	lingerTime  = 2 * time.Second
	lingerBytes = 1 << 20
)

// end closes the connection: by a reset if the client would else take what it
// has for whole, after lingering if it may still be sending.
func (c *Client) end(x *Exchange) {
	switch {
	case x.cut:
		c.Abort()
		return
	case x.broken:
	case x.unread || len(c.Buffered()) > 0:
		c.linger()
	}
	_ = c.Close()
}

func (c *Client) linger() {
	half, ok := c.NetConn().(interface{ CloseWrite() error })
	if !ok || half.CloseWrite() != nil {
		return
	}
	c.ResumeRead()
	c.ReadWithin(lingerTime)
	c.Release()
	for n := 0; n < lingerBytes; n += len(c.Buffered()) {
		c.Skip(len(c.Buffered()))
		if c.Fill(wire.LargeBuffer) != nil {
			return
		}
	}
}

// identify settles what does not change over the connection's life.
func (c *Client) identify(nc net.Conn) {
	_, c.secure = nc.(*tls.Conn)
	if s, ok := nc.(interface{ Secure() bool }); ok { // a stream of one, or behind a proxy that says so
		c.secure = s.Secure()
	}
	c.protocol = protocolOf(nc)
	if a, ok := nc.RemoteAddr().(*net.TCPAddr); ok {
		c.addr = a.AddrPort().Addr().Unmap()
	}
	if a, ok := nc.LocalAddr().(*net.TCPAddr); ok {
		c.port = strconv.Itoa(a.Port)
	}
	c.trusted = c.p.trusts(c.addr)
	if c.secure { // RFC 6797 §7.2: never without TLS
		c.invites = c.p.invites(c.port)
	}
	b := make([]byte, 0, 128)
	if c.addr.IsValid() {
		b = append(c.addr.AppendTo(append(b, "X-Forwarded-For: "...)), "\r\n"...)
	}
	b = append(append(append(b, "X-Forwarded-Proto: "...), c.scheme()...), "\r\n"...)
	if c.port != "" {
		b = append(append(append(b, "X-Forwarded-Port: "...), c.port...), "\r\n"...)
	}
	c.asserts = c.appendCertificate(b, nc)
}

// trusts tells whether a is a proxy whose word counts.
func (p *Proxy) trusts(a netip.Addr) bool {
	for _, t := range p.opt.Trusted {
		if t.Contains(a) {
			return true
		}
	}
	return false
}

func (c *Client) scheme() string {
	if c.secure {
		return "https"
	}
	return "http"
}
