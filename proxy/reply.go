package proxy

import (
	"crypto/rand"
	"strconv"

	"multiserver/cache"
	"multiserver/cache/part"
	"multiserver/proxy/wire"
)

var fewer = wire.KindsOf(wire.Condition, wire.Range) // requests that may get less than all

// reply answers from the stored entry that the visit found. It returns false,
// so that a step can end with it.
//
// Fast path: one copy of the record, which was made to find it, and one write.
func (p *Proxy) reply(x *Exchange) bool {
	v, e := &x.visit, &x.visit.Entry
	x.status, x.began, x.brief = e.Status(), true, x.lean
	x.close = x.close || x.Client.ends()
	if x.Req.HasAny(fewer) && p.replyLess(x) {
		return false
	}
	body := v.Body()
	out := x.dress(v.Front(x.appendConnection(x.buffer(0))))
	switch {
	case x.isHead():
		p.deliver(x, out[:len(out)-len(body.Inline())])
	case body.Inline() != nil:
		x.sent = body.Length
		p.deliver(x, out)
	default:
		x.brief = false
		p.deliverSpan(x, out, &body, part.Span{To: body.Length})
	}
	return false
}

// deliver writes a piece of a stored answer, and tells whether that went well.
func (p *Proxy) deliver(x *Exchange, piece []byte) bool { return p.deliverBoth(x, piece, nil) }

func (p *Proxy) deliverBoth(x *Exchange, head, body []byte) bool {
	x.Client.WriteWithin(x.route.Idle)
	if x.Client.Write(head, body) != nil {
		x.broken = true
	}
	return !x.broken
}

// deliverSpan writes head and a span of a stored body. Of one in chunks some
// may be gone by now; then the client's connection breaks.
func (p *Proxy) deliverSpan(x *Exchange, head []byte, b *cache.Body, s part.Span) bool {
	if wire.CanSendFile(x.Client.Conn) {
		if l := b.Lend(s.Len()); l != nil {
			defer l.Return()
			return p.deliverFile(x, head, l.Fd(), s)
		}
	}
	var buf []byte
	if b.Inline() == nil {
		buf = wire.AcquireBuffer(wire.LargeBuffer)
		defer wire.ReleaseBuffer(buf)
	}
	for s.Len() > 0 {
		piece, ok := b.At(buf, s.From)
		if !ok {
			x.broken, x.torn = true, true
			return false
		}
		piece = piece[:min(int64(len(piece)), s.Len())]
		if !p.deliverBoth(x, head, piece) {
			return false
		}
		s.From += int64(len(piece))
		x.sent += int64(len(piece))
		head = nil
	}
	return true
}

// deliverFile writes head and a span of a stored body that is a file.
func (p *Proxy) deliverFile(x *Exchange, head []byte, fd int, s part.Span) bool {
	x.Client.WriteWithin(x.route.Idle)
	n, err := x.Client.SendFile(head, fd, s.From, s.Len())
	x.sent += n
	if err != nil {
		x.broken = true
	}
	return !x.broken
}

// replyLess answers a request with conditions or ranges, and tells whether it
// did; else the whole is the answer.
func (p *Proxy) replyLess(x *Exchange) bool {
	v, e := &x.visit, &x.visit.Entry
	if e.Status() != 200 && e.Status() != 206 || v.Verbatim(&x.Req) {
		return false
	}
	s, now := e.Stored(), v.Now/1000
	switch part.Of(&x.Req, &s, now, &x.ranges) {
	case part.NotModified:
		p.deliver(x, p.head(x, 304, bodily, nil))
	case part.Partial:
		p.replySpan(x, &s)
	case part.Multipart:
		p.replySpans(x, &s)
	case part.Unsatisfiable:
		last := part.AppendUnsatisfied([]byte("Content-Length: 0\r\nContent-Range: "), s.Length)
		p.deliver(x, p.head(x, 416, bodily, last))
	default:
		return false
	}
	return true
}

// The fields that an answer has otherwise than the entry, or not at all (RFC
// 9110 §15.4.5, §15.3.7).
var (
	bodily = []string{"content-length", "content-range", "content-type", "content-encoding", "content-language"}
	sized  = []string{"content-length", "content-range"}
	typed  = []string{"content-length", "content-range", "content-type"}
)

// head makes a head with a status of its own, the entry's fields but some, and
// last, in x.out.
func (p *Proxy) head(x *Exchange, status int, but []string, last []byte) []byte {
	x.status = status
	out := append(x.buffer(len(x.visit.Entry.Fields())+256), "HTTP/1.1 "...)
	out = strconv.AppendInt(out, int64(status), 10)
	out = append(append(append(out, ' '), statusText(status)...), crlf...)
	out = x.visit.AppendFields(out, but)
	out = x.visit.AppendOwn(out)
	if last != nil {
		out = append(append(out, last...), crlf...)
	}
	x.out = append(x.appendConnection(out), crlf...)
	return x.dress(x.out)
}

func (p *Proxy) replySpan(x *Exchange, s *part.Stored) {
	span := x.ranges.Spans()[0]
	var buf [128]byte
	last := strconv.AppendInt(append(buf[:0], "Content-Length: "...), span.Len(), 10)
	last = part.AppendContentRange(append(last, "\r\nContent-Range: "...), span, s.Length)
	p.deliverHeld(x, p.head(x, 206, sized, last), s, span)
}

// replySpans answers with several ranges, each with a head of its own.
func (p *Proxy) replySpans(x *Exchange, s *part.Stored) {
	parts := part.Parts{Spans: x.ranges.Spans(), Length: s.Length, Type: x.visit.Entry.ContentType()}
	_, _ = rand.Read(parts.Random[:]) // never fails
	last := strconv.AppendInt([]byte("Content-Length: "), parts.Size(), 10)
	last = parts.AppendType(append(last, "\r\nContent-Type: "...))
	ok := p.deliver(x, p.head(x, 206, typed, last))
	for i := 0; ok && i < len(parts.Spans); i++ {
		ok = p.deliverHeld(x, parts.AppendHead(x.buffer(0), i), s, parts.Spans[i])
	}
	if ok {
		p.deliver(x, parts.AppendTail(x.buffer(0)))
	}
}

// deliverHeld writes head and a span of the representation, of which the entry
// may hold a part only.
func (p *Proxy) deliverHeld(x *Exchange, head []byte, s *part.Stored, span part.Span) bool {
	body := x.visit.Body()
	return p.deliverSpan(x, head, &body, part.Span{From: span.From - s.Held.From, To: span.To - s.Held.From})
}
