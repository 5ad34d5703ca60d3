package proxy

import (
	"strconv"

	"multiserver/proxy/logline"
	"multiserver/proxy/wire"
)

// A request with "X-Multiserver-Trace: 1" from a proxy that is trusted asks how
// it was decided, and is told in the answer by a field of the same name:
//
//	X-Multiserver-Trace: route="api"; cache=uri-miss; pool="blue"; upstream="http://10.0.0.7:3001"; pick=p2c; load=3; tries=2; after=refused
//
// cache is the tier that answered or why none did. pick is how the upstream
// was chosen, load how many exchanges it had then, after why the try before
// failed. It is nobody else's business where requests go: others ask in vain, and
// wire.Trace passes neither way.
const traceField = "X-Multiserver-Trace: "

// mostTrace bounds a name in it: a stored answer has little room before its
// front (cache.Room).
const mostTrace = 64

func (x *Exchange) asksTrace() bool {
	return x.Req.Has(wire.Trace) && x.Client.trusted && string(x.Req.Find(wire.Trace)) == "1"
}

// appendTrace tells what has been decided so far, which is all, as an answer's
// head is made last.
func (x *Exchange) appendTrace(dst []byte) []byte {
	if !x.asksTrace() { // fast path
		return dst
	}
	dst = append(dst, traceField...)
	front := len(dst)
	if x.route.Name != "" {
		dst = appendName(append(dst, "; route="...), x.route.Name)
	}
	if x.visit.Visited() {
		dst = append(append(dst, "; cache="...), x.visit.Result()...)
	}
	if x.up != nil {
		if x.pool.Name != "" {
			dst = appendName(append(dst, "; pool="...), x.pool.Name)
		}
		dst = appendName(append(dst, "; upstream="...), x.up.Name())
		dst = append(append(dst, "; pick="...), x.pool.Balance...)
		dst = strconv.AppendInt(append(dst, "; load="...), x.up.Load(), 10)
		dst = strconv.AppendInt(append(dst, "; tries="...), int64(x.tried.Count()), 10)
	}
	if x.after != "" {
		dst = append(append(dst, "; after="...), x.after...)
	}
	if x.what != "" {
		dst = appendName(append(dst, "; reason="...), x.what)
	}
	if len(dst) > front {
		dst = append(dst[:front], dst[front+len("; "):]...)
	} else {
		dst = append(dst, "none"...)
	}
	return append(dst, crlf...)
}

func appendName(dst []byte, name string) []byte {
	from := len(dst) + 1
	dst = append(append(dst, '"'), name[:min(len(name), mostTrace)]...)
	return append(logline.Quote(dst, from, false), '"')
}
