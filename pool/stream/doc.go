// Package stream lets a core that speaks HTTP/1.1 ask upstreams that speak
// HTTP/2: it is package edge seen from the other side.
//
// It hides x/net/http2, and that connections are shared: each stream is a
// net.Conn for one exchange, to which the core writes its request and from
// which it reads the answer in HTTP/1.1's bytes. So retries, limits, and what
// may pass are decided where they are for HTTP/1.1. The pool opens streams and
// closes them; none is used twice.
//
//	conns.go    the connections to an upstream: made, shared, let go
//	stream.go   a stream as the core reads, writes, and ends it
//	request.go  HTTP/1.1's bytes as the stream's request
//	body.go     the request's body, at the pace of who takes it
//	answer.go   the stream's answer in HTTP/1.1's bytes
//	unsent.go   failures behind which the upstream has acted on nothing
//
// It promises: a request ends (END_STREAM) only where the core's did, and an
// answer only where the upstream's did; what is given up is reset; bytes of one
// direction wait for nothing of the other; a side that takes nothing stops the
// other by flow control, with at most a window of bytes in between; trailers
// pass both ways, those of a request if a Trailer field announced them, those
// of an answer of known length if the request said TE: trailers and the answer
// announced them or is gRPC's. A request that a connection's end has
// overtaken (GOAWAY, REFUSED_STREAM) goes out again on another by itself, as
// long as what was taken of its body is still here; else Unsent tells so.
//
// What costs what: a goroutine of ours and one of x/net's for each stream; an
// exchange takes about 35 µs more than on a kept connection of HTTP/1.1, most of
// it x/net's; a connection is dialed only when all others are full.
package stream
