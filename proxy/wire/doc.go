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
// What costs what: parsing a head is one pass, about a nanosecond a byte; a
// time limit is two atomic stores, because one Guard goroutine looks at the
// clock for all connections.
package wire
