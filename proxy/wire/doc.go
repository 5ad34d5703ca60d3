// Package wire is HTTP/1.1 as bytes on a connection: strict heads, strict
// bodies, and connections whose every wait has an end.
//
// It hides the grammar of RFC 9112 and the system calls under it. The proxy
// reads requests through it and the pool reads answers; neither looks at a
// raw byte itself, so there is one place where a message begins and ends, and
// it is the same for both sides. A front that is more lenient than what lies
// behind it can be made to see two requests where the upstream sees one, so
// whatever RFC 9112 lets a recipient refuse is refused.
//
// It promises: nothing here allocates on the way of an ordinary message; a
// head, a field or a piece of a body is borrowed from the connection's buffer
// and says until when; a wait ends at its time limit, give or take one Tick.
//
// A connection is in the runtime's hands as any other, until it is parked (Park),
// so that it holds neither a stack nor a buffer, or settles (Settle): then the
// epoll loop of its lot alone looks after it, and may serve it where its bytes
// are read: it passes them on (Passer), or has turns (Turner). All that reads,
// writes and waits works on one that has settled as on any other.
//
//	conn.go      a connection: its buffer, its limits; read.go, write.go, body.go
//	each.go      messages one after the other; ask.go: a request and its answer
//	guard.go     the limits of waits
//	park.go      connections at rest; park_linux.go, park_loop_linux.go: a lot
//	turn.go      messages that are served in its loop
//	socket_*.go  sockets that have settled
//	request.go   heads, and what stands in them; head.go, kind.go, connection.go,
//	response.go  host.go, class.go, scan.go
//	chunk.go     bodies in chunks
//	splice_*.go  bodies that go through the kernel
//	intake.go    a message taken apart, for who speaks it otherwise
//
// What costs what: parsing a head is one pass, about a nanosecond a byte; a
// time limit is two atomic stores, because one Guard goroutine looks at the
// clock for all connections.
package wire
