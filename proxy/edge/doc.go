// Package edge lets HTTP/2 and HTTP/3 clients in to a core that speaks HTTP/1.1.
//
// It hides the frames of HTTP/2 and quic-go, and that there are streams: each
// becomes a connection of its own kind, a lane, on which the core reads a
// request head and body in HTTP/1.1's bytes, pulled from the stream as it asks
// for them, and writes its answer, which is passed on as it comes. So every
// rule that the core has for what it lets through, and every limit, holds for
// both without having been written twice; what they have beyond (frames,
// windows, resets, floods) is judged here for HTTP/2, by RFC 9113 to the
// letter, and by quic-go for HTTP/3. The front hands connections in by Serve
// and Take, and UDP sockets by QUIC.Serve.
//
//	edge.go        the limits; who is connected; the drain of all
//	stats.go       why streams were reset, and connections ended
//
//	conn.go        a connection of HTTP/2, from the preface on: reading frames
//	frame.go       frames as bytes
//	handle.go      what each kind of frame does
//	settings.go    what either side may do
//	farewell.go    the two GOAWAYs of a drain; PING; how a connection ends
//	noise.go       how much of what costs a client nothing it may do
//	open.go        from HEADERS to a stream, and its end
//	block.go       a header block as a head in HTTP/1.1's bytes
//	valid.go       which bytes names and values may have
//	body.go        DATA, piece by piece
//	stream.go      a stream: what came of its body, how it ended
//	window.go      what may be sent, and whose turn it is
//	fields.go      an answer's head as a header block
//	outbox.go      what leaves, gathered
//
//	quic.go        HTTP/3's limits; a UDP socket until the last connection has left
//	session.go     an HTTP/3 connection; a stream until it is like one of HTTP/2
//	quicstream.go  a stream as quic-go has it
//
//	lanes.go       the streams of a connection of either
//	lane.go        a stream as the core reads and writes it
//	request.go     the stream's request as it is read
//	answer.go      HTTP/1.1's bytes as the stream's answer
//
// It promises: one request of the core for each stream; nothing is read from a
// stream before the core asks for it, beyond a window, so an upstream's pace
// reaches the client by flow control; nothing of an answer waits for more of
// it; a stream ends (END_STREAM) only where the answer did, and is reset
// otherwise; a client that resets a stream ends the work for it.
//
// HTTP/2: what is malformed is reset and never seen by the core, what breaks
// the connection's rules ends it by GOAWAY; each has a reason that is counted.
// A stream that its client resets counts until the work for it has ended. What
// a connection may have us hold is bounded: connWindow of bodies that came, a
// header block of twice --max-head, mostSaid of frames to be sent; a client
// that does not read them is not read from. WebSocket comes by RFC 8441's
// CONNECT, and is one of HTTP/1.1 to the core and upstreams.
//
// What costs what, with TLS, connections 4, a body of 1 KiB, on one core that
// others use as well, in µs of CPU time a request, with 1 stream and with 10 at
// a time: 57 and 23; 77 and 40 when x/net/http2's server had the connections;
// 44 and 28 by HTTP/1.1; nginx 46 and 26, HAProxy 45 and 17. A stream costs a
// goroutine; lanes and what the core knows of their client are kept for the
// connection's next streams. By HTTP/3 a request costs more than by HTTP/2: QUIC's
// packets are made here, not in the kernel.
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
// What does not pass in either: Upgrade: h2c, which RFC 9113 has given up;
// CONNECT but for WebSocket; trailers of a request with Content-Length. In
// HTTP/3 also trailers that no Trailer field announced, and WebSocket.
package edge
