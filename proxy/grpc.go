package proxy

import "strconv"

// sayCall is say for a failed call of gRPC: its clients take what they are told
// in the trailers, here those of an answer that has nothing else, and have but
// a guess at statuses of HTTP. Counters and logs go on saying what it would be
// in those.
func (p *Proxy) sayCall(x *Exchange, status int) bool {
	out := append(x.buffer(0), "HTTP/1.1 200 OK\r\n"...)
	out = append(out, p.opt.Guard.Date()...)
	out = append(append(append(out, "Content-Type: "...), x.Req.Peek("content-type")...), crlf...)
	out = append(out, "Content-Length: 0\r\nCache-Control: no-store\r\nGrpc-Status: "...)
	out = strconv.AppendInt(out, int64(callStatus(status)), 10)
	out = append(append(out, "\r\nGrpc-Message: "...), statusText(status)...)
	if x.what != "" { // words of ours, without signs that gRPC would encode
		out = append(append(out, ": "...), x.what...)
	}
	out = append(out, crlf...)
	x.out = append(x.appendConnection(out), crlf...)
	p.deliver(x, x.dress(x.out))
	return false
}

// callStatus is a status of HTTP in gRPC's codes, by its table for clients that
// meet a proxy (http-grpc-status-mapping). Beyond that table: what is too large
// is too large however often it is sent, so it is not one that clients try
// again (UNKNOWN may be); a request that did not come in time has missed its
// deadline. 504 is UNAVAILABLE as in the table, although the call may have been
// made: so all proxies say it, and retry policies are written for it.
func callStatus(status int) int {
	switch status {
	case 400:
		return 13 // INTERNAL
	case 401:
		return 16 // UNAUTHENTICATED
	case 403:
		return 7 // PERMISSION_DENIED
	case 404:
		return 12 // UNIMPLEMENTED
	case 408:
		return 4 // DEADLINE_EXCEEDED
	case 413, 431:
		return 8 // RESOURCE_EXHAUSTED
	case 429, 502, 503, 504:
		return 14 // UNAVAILABLE
	}
	return 2 // UNKNOWN
}
