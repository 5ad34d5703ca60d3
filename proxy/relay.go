package proxy

import (
	"io"
	"time"

	"multiserver/cache"
	"multiserver/pool"
	"multiserver/proxy/wire"
)

// relay passes the final answer on, head and body. Once a byte of it has left
// there is no other answer: if it cannot be completed, the client's
// connection breaks, in a way that no client takes for an end.
func (p *Proxy) relay(x *Exchange) *pool.Fault {
	p.encode(x)
	if !p.unbind(x) {
		return nil
	}
	if x.cache != nil {
		if done, f := p.learn(x); done {
			return f
		}
	}
	res, c := &x.Res, x.Client
	x.status = res.Status
	framing := x.beginBody()
	if framing == wire.ToClose && x.Req.Minor == 1 {
		framing = wire.Chunked // the connection can go on
	}
	if framing == wire.Chunked && x.Req.Minor == 0 {
		framing = wire.ToClose // RFC 9112 §7: 1.0 knows no chunks
	}
	x.settleClose(framing)
	x.out = x.appendResponse(x.buffer(len(res.Raw)+min(len(x.link.Buffered()), cheapCopy)), framing)
	x.dressOut()
	c.WriteWithin(x.route.Idle)
	before := c.Wrote()
	defer func() { x.began = c.Wrote() != before }()
	if framing == wire.None || framing == wire.Sized && (x.code.whole || x.gather()) {
		return x.whole(framing) // fast path
	}
	f := flow{Body: &x.outBody, src: x.link.Conn, dst: c.Conn, chunked: framing == wire.Chunked, splice: framing == wire.Sized, keep: x.keep(), idle: x.idle(x.link), code: x.coder()}
	fromUp, err := p.flow(&f, &x.out)
	if x.sent = x.outBody.Taken; f.code != nil {
		x.sent = f.code.sent
	}
	switch {
	case err == nil:
		return nil
	case fromUp:
		x.cut = framing == wire.ToClose
		return pool.BodyFault(err)
	}
	return x.gone(err)
}

// gather tells whether the whole body is there, after a look whether what is
// missing can be had without waiting: so a body of some size, which an
// upstream writes at once, is also passed on at once. What the kernel passes on
// stays where it is.
func (x *Exchange) gather() bool {
	if x.keep() == nil && spliced(&x.outBody, x.Client.Conn, x.link.Conn) {
		return false
	}
	if int64(len(x.link.Buffered())) < x.Res.Length {
		x.link.Unpin() // its head has been copied
	}
	return x.arrived()
}

// cheapCopy is up to where copying a body behind its head costs less than
// handing the kernel two pieces.
const cheapCopy = 4 << 10

// whole writes an answer that is all there, in one piece.
func (x *Exchange) whole(framing wire.Framing) *pool.Fault {
	var body []byte
	if framing == wire.Sized {
		body = x.bodyWhole()
		x.sent = int64(len(body))
	}
	if keep := x.keep(); keep != nil {
		keep.Append(body)
		keep.Commit() // before the client can ask again
	}
	if len(body) <= cheapCopy {
		x.out, body = append(x.out, body...), nil
	}
	if err := x.Client.Write(x.out, body); err != nil {
		return x.gone(err)
	}
	x.brief = x.lean && x.cache == nil && x.link.MayPost()
	return nil
}

// settleClose decides, before the head is written, whether this answer is its
// connection's last.
func (x *Exchange) settleClose(framing wire.Framing) {
	if framing == wire.ToClose || x.Client.ends() {
		x.close = true
	}
	// An upstream that answers before it has read all has made up its mind;
	// the rest of the body has no place to go.
	if x.upload.began && (x.Res.Status >= 300 || x.idleExpectation()) && !x.uploaded(takingNote) {
		x.close = true
	}
}

// flush is how much output gathers before it is written.
const flush = 32 << 10

// flow is a body on its way.
type flow struct {
	*wire.Body
	src, dst *wire.Conn
	chunked  bool          // goes on as chunks, else as it is
	splice   bool          // a long rest may go through the kernel
	keep     *cache.Visit  // stores it as well; nil: nobody does
	code     *coding       // makes another body of it; nil: nothing does
	idle     time.Duration // between two bytes, either side; 0: no limit
	lost     error         // dst's
	copies   bool          // there was no pipe to be had
}

// idle is how long a body on its way to or from l may pause. A call of gRPC is a
// conversation, as a WebSocket is: both sides may have nothing to say for hours,
// and who is gone is found by HTTP/2's pings.
func (x *Exchange) idle(l *pool.Link) time.Duration {
	if l.Stream() && isGRPC(x.Req.Peek("content-type")) {
		return x.route.TunnelIdle
	}
	return x.route.Idle
}

func isGRPC(contentType []byte) bool {
	const prefix = "application/grpc" // +proto, -web, …
	return len(contentType) >= len(prefix) && wire.EqualFold(contentType[:len(prefix)], prefix)
}

// flow passes a body on behind what *buf holds. It writes whenever it would
// have to wait for more, so nothing lingers here, and it reads no more than it
// has written, so a slow dst slows src.
func (p *Proxy) flow(b *flow, buf *[]byte) (fromSrc bool, err error) {
	out := *buf
	defer func() { *buf = out[:0] }() // grown, for the next time
	for {
		piece, err := b.Take()
		if b.code != nil {
			if piece, err = b.code.step(piece, err); err == nil && len(piece) == 0 {
				continue // it has it, and needs more
			}
		}
		if b.keep != nil {
			b.store(piece, err)
		}
		if b.bare(err) {
			fromSrc, err := b.through(out, piece)
			if err != wire.ErrNoPipe {
				return fromSrc, err
			}
			out, b.copies = out[:0], true
			continue
		}
		switch {
		case err == nil && !b.chunked && len(piece) > cheapCopy:
			if err := p.pass(b, out, piece); err != nil {
				return false, err
			}
			out = out[:0]
			continue
		case err == nil && b.chunked:
			out = wire.AppendChunk(out, piece)
		case err == nil:
			out = append(out, piece...)
		case err == io.EOF:
			if b.chunked {
				out = wire.AppendChunkEnd(out, b.Trailer)
			}
			return false, p.pass(b, out, nil)
		case err != wire.ErrMore:
			return true, err
		}
		if err == nil && len(out) < flush {
			continue
		}
		if err := p.pass(b, out, nil); err != nil {
			return false, err
		}
		if out = out[:0]; err == nil {
			continue
		}
		if b.splice && b.keep == nil && b.Left() >= longBody {
			return b.long()
		}
		b.src.ReadWithin(b.idle)
		if err := b.Fill(); err != nil {
			return true, err
		}
	}
}

// pass writes to dst. If that fails while the body is stored as well, it goes
// on for those who ask next.
func (p *Proxy) pass(b *flow, out, piece []byte) error {
	if b.lost == nil {
		b.lost = put(b.dst, out, piece, b.idle)
	}
	if b.keep != nil {
		return nil
	}
	return b.lost
}

// store keeps the next piece, or the end, of which the client must not have
// heard yet: it may ask again at once.
func (b *flow) store(piece []byte, err error) {
	switch err {
	case nil:
		b.keep.Append(piece)
	case io.EOF:
		b.keep.Commit()
	}
	if !b.keep.Storing() {
		b.keep = nil
	}
}

func put(dst *wire.Conn, out, piece []byte, idle time.Duration) error {
	if len(out)+len(piece) == 0 {
		return nil
	}
	dst.WriteWithin(idle)
	return dst.Write(out, piece)
}

// Of a body of known length, what is not here goes through the kernel from
// longBody on, or, where it cannot, by a large buffer.
const (
	longBody     = 32 << 10
	splicedFrame = 256 << 10 // of a tunnel, which has no head to go with it
)

// spliced tells whether what is not buffered of a body goes through the kernel.
func spliced(b *wire.Body, dst, src *wire.Conn) bool {
	return b.Left()-int64(len(src.Buffered())) >= longBody && wire.CanSplice(dst, src)
}

// bare tells whether nothing is buffered of the rest, and that is to be spliced.
// err is Take's.
func (b *flow) bare(err error) bool {
	return b.splice && !b.copies && b.keep == nil && b.lost == nil && (err == nil || err == wire.ErrMore) &&
		len(b.src.Buffered()) == 0 && spliced(b.Body, b.dst, b.src)
}

// through passes on what there is, and behind it the rest, which only the
// kernel sees.
func (b *flow) through(out, piece []byte) (fromSrc bool, err error) {
	b.within()
	return wire.SpliceBehind(b.dst, b.src, out, piece, b.Left(), func(n int64) {
		b.Passed(n)
		b.within()
	})
}

// long passes on the rest of a Sized body, of which nothing is buffered.
func (b *flow) long() (fromSrc bool, err error) {
	buf := wire.AcquireBuffer(wire.LargeBuffer)
	defer wire.ReleaseBuffer(buf)
	for !b.Ended() {
		b.src.ReadWithin(b.idle)
		n, err := b.src.Read(buf[:min(b.Left(), int64(len(buf)))])
		if n > 0 {
			if err := put(b.dst, nil, buf[:n], b.idle); err != nil {
				return false, err
			}
			b.Passed(int64(n))
		}
		if err == io.EOF && !b.Ended() {
			err = io.ErrUnexpectedEOF
		}
		if err != nil {
			return true, err
		}
	}
	return false, nil
}

func (b *flow) within() {
	b.src.ReadWithin(b.idle)
	b.dst.WriteWithin(b.idle)
}
