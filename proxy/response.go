package proxy

import (
	"strconv"

	"multiserver/proxy/wire"
)

var (
	closeField  = []byte("Connection: close\r\n")
	statusField = []byte("Cache-Status: ")
	keepField   = []byte("Connection: keep-alive\r\n")
)

// appendResponse appends the head that goes to the client: the upstream's,
// line by line as it came, less what concerned only its connection, with our
// own version and framing.
func (x *Exchange) appendResponse(dst []byte, framing wire.Framing) []byte {
	res := &x.Res
	dst = append(dst, "HTTP/1.1 "...)
	dst = strconv.AppendInt(dst, int64(res.Status), 10)
	dst = append(append(append(dst, ' '), res.Reason...), crlf...)
	dst = x.appendAnswerFields(dst, framing)
	if res.Status < 200 {
		return append(dst, crlf...)
	}
	if !res.HasDate { // RFC 9110 §6.6.1: ours to add
		dst = append(dst, x.Client.p.opt.Guard.Date()...)
	}
	if x.Client.p.opt.Via {
		dst = append(dst, [...][]byte{via10Field, viaField}[res.Minor]...)
	}
	if x.visit.Visited() {
		dst = append(x.visit.AppendStatus(append(dst, statusField...)), crlf...)
	}
	dst = x.appendPlace(x.appendCookie(dst))
	if framing == wire.Chunked {
		dst = append(dst, chunkField...)
	}
	return append(x.appendConnection(dst), crlf...)
}

// appendConnection tells the client whether its connection goes on, where it
// would not assume so, and how it should connect from now on.
func (x *Exchange) appendConnection(dst []byte) []byte {
	dst = append(dst, x.Client.invites...)
	if x.Req.Has(wire.Trace) {
		dst = x.appendTrace(dst)
	}
	switch {
	case x.close:
		return append(dst, closeField...)
	case x.Req.Minor == 0:
		return append(dst, keepField...)
	}
	return dst
}

// appendAnswerFields copies the fields that pass, in runs of whole lines.
func (x *Exchange) appendAnswerFields(dst []byte, framing wire.Framing) []byte {
	res := &x.Res
	if len(res.Fields) == 0 {
		return dst
	}
	run, lengths := res.Fields[0].At, 0
	for i := range res.Fields {
		f := &res.Fields[i]
		if f.Kind == wire.Other && !res.Nominates {
			continue
		}
		if f.Kind == wire.ContentLength {
			lengths++
		}
		if x.answerPasses(f, framing, lengths) {
			continue
		}
		dst = append(dst, res.Raw[run:f.At]...)
		run = f.End
	}
	return append(dst, res.Raw[run:len(res.Raw)-len(crlf)]...)
}

func (x *Exchange) answerPasses(f *wire.Field, framing wire.Framing, lengths int) bool {
	switch f.Kind {
	case wire.Other:
		return !x.Res.Nominated(x.Res.Name(f))
	case wire.ContentLength: // once; RFC 9110 §8.6: never with 1xx and 204
		return lengths == 1 && x.Res.Status >= 200 && x.Res.Status != 204
	case wire.Trailer:
		return framing == wire.Chunked && x.Res.Chunked && !x.Res.Nominated(x.Res.Name(f))
	}
	return !f.Kind.Hop()
}
