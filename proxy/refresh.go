package proxy

import (
	"bytes"
	"io"
	"net"
	"runtime/debug"
	"time"

	"multiserver/proxy/wire"
)

// refresh asks an upstream, behind the client's back, for what x was just
// answered with, which is stale: it is as if the same client asked again and
// did not care for the answer.
func (p *Proxy) refresh(x *Exchange) {
	b := acquireExchange(nil)
	if !x.cache.Behind(&b.visit, &x.visit) {
		b.release()
		return
	}
	c := *x.Client
	b.Client, c.x = &c, nil
	b.joinBeside(x)
	b.pool, b.cache, b.path = x.pool, x.cache, append(b.path[:0], x.path...)
	b.ask.copy(&x.ask)
	raw, ours := bytes.Clone(x.Req.Raw), !x.Req.Has(wire.Authorization)
	p.behind.Add(1)
	go func() {
		defer p.behind.Done()
		c.Conn = wire.NewConn(nowhere{}, p.opt.Guard, wire.HeadBuffer)
		defer c.Close()
		p.serveBehind(b, raw, ours)
	}()
}

// serveBehind is Serve for a request that nobody waits for: it was admitted
// before, and is looked up already. ours: if it has an Authorization, that is
// between the client and a filter.
func (p *Proxy) serveBehind(x *Exchange, raw []byte, ours bool) {
	defer func() {
		if r := recover(); r != nil {
			p.Stats.Panics.Add(1)
			p.opt.Log.Error("BUG: panic", "cause", r, "stack", string(debug.Stack()))
			x.wreck()
		}
		x.exit()
		x.visit.End()
		x.release()
	}()
	if _, err := x.Req.Parse(raw); err != nil {
		return // cannot be: it was parsed before
	}
	if ours {
		x.Req.Conceal(wire.Authorization)
	}
	x.Req.Method = getMethod
	x.alone()
	x.inBody.Begin(x.Client.Conn, wire.None, 0, 0)
	_ = p.enter(x) && p.forward(x)
}

var getMethod = []byte("GET")

// nowhere is a connection on which nothing ever comes, and on which all that
// goes is lost.
type nowhere struct{}

func (nowhere) Read([]byte) (int, error)         { return 0, io.EOF }
func (nowhere) Write(p []byte) (int, error)      { return len(p), nil }
func (nowhere) Close() error                     { return nil }
func (nowhere) LocalAddr() net.Addr              { return nil }
func (nowhere) RemoteAddr() net.Addr             { return nil }
func (nowhere) SetDeadline(time.Time) error      { return nil }
func (nowhere) SetReadDeadline(time.Time) error  { return nil }
func (nowhere) SetWriteDeadline(time.Time) error { return nil }
