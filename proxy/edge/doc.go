// Package edge lets HTTP/2 and HTTP/3 clients in to a core that speaks HTTP/1.1.
//
// It hides x/net/http2 and quic-go, and that there are streams: each becomes a
// connection of its own kind, a lane, on which the core reads a request head and body in
// HTTP/1.1's bytes, pulled from the stream as it asks for them, and writes its
// answer, which is passed on as it comes. So every rule that the core has for
// what it lets through, and every limit, holds for both without having been
// written twice; what they have beyond (frames, windows, resets, floods) is
// for x/net and quic-go to judge. The front hands connections in by Serve and
// Take, and UDP sockets by QUIC.Serve.
//
//	edge.go     the limits; a connection from its first byte to GOAWAY and end
//	conn.go     a connection as x/net reads and writes it, under the Guard
//	outbox.go   what leaves on it, gathered
//	quic.go     HTTP/3's limits; a UDP socket until the last connection has left
//	session.go  an HTTP/3 connection; a stream until it is like one of HTTP/2
//	lanes.go    the streams of a connection of either
//	lane.go     a stream as the core reads and writes it
//	request.go  the stream's request in HTTP/1.1's bytes
//	answer.go   HTTP/1.1's bytes as the stream's answer
//
// It promises: one request of the core for each stream; nothing is read from a
// stream before the core asks for it, so an upstream's pace reaches the client
// by flow control; nothing of an answer waits for more of it; a stream ends
// (END_STREAM) only where the answer did, and is reset otherwise; a client that
// resets a stream ends the work for it.
//
// What costs what: a GET of 1 KiB takes 1.7 times the CPU time that it does by
// HTTP/1.1 and 37 allocations, of which 2 are ours and the rest x/net's, for its
// header maps and streams; no goroutine beside x/net's own for each stream; lanes and
// what the core knows of their client are kept for the connection's next
// streams. By HTTP/3 it takes 1.5 times the CPU time that it does by HTTP/2 with
// TLS (62 and 42 µs, 8 connections of 8 streams): QUIC's packets are made here,
// not in the kernel.
//
// HTTP/3: what comes before the handshake's end (0-RTT) is passed on at once
// only if it is a GET or HEAD without a body, with Early-Data: 1 (RFC 8470), and
// else when the handshake is through. 500 connections may begin in a second;
// beyond, clients have to prove their address first (Retry). A stream that its
// client resets counts until the work for it has ended. A client that moves to
// another address is who comes from there. A session is closed a moment after
// its last stream when it is to end, for there is no telling what has arrived.
// A stream whose head does not come is ended with its connection, not before.
//
// What does not pass in HTTP/2: trailers of requests that no Trailer field
// announced (x/net drops them); Expect, which x/net answers when the body is first asked
// for. In neither: Upgrade: h2c, which RFC 9113 has given up; and CONNECT.
//
// Where x/net does otherwise than h2spec 2.0 wants: a request with a field of
// HTTP/1.1's connections, or a TE other than trailers, is answered 400 and its
// stream ended, not reset; SETTINGS that name a value twice end the connection.
// And on a port shared with HTTP/1.1 a wrong preface is a wrong request, and
// answered 400.
package edge
