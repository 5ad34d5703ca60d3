// Package pipe has requests of many clients share connections to one upstream:
// each goes out behind those before it, without waiting for their answers, and
// the answers come back in that order (RFC 9112 §9.3.2). What is asked within
// one turn of the scheduler leaves by one write, and what was answered together
// comes in by one read, which is most of what a small exchange costs.
//
//	conns.go  the connections to one upstream: who has room, and how long they last
//	conn.go   one of them: its line of requests, and the writes
//	deal.go   its reads: whose answer begins and ends where
//	look.go   lines that do not move, and who may leave them
//	seat.go   one exchange's place in a line, which is a connection to the core
//
// It hides that a connection is shared. The pool takes a Seat, makes a wire.Conn
// of it as of any connection, and asks once: a request without a body, which
// may be sent twice, and is no HEAD (an upstream that sent a body for it all the
// same would be read as answering the next one).
//
// It promises: an answer reaches who asked for it, or nobody. Nothing is judged
// in two ways: where an answer ends is told by the same code that reads those of
// connections that are not shared. A connection of which anything is in doubt
// is given up: bytes that nobody asked for, an answer that breaks the rules,
// ends with the connection or is its last, a 101, a 204 or 304 that tells of a
// body. Who was behind and has not had a byte reads the connection's end and
// may ask again elsewhere. On a connection on which nothing is asked nothing is
// read either: before the next request it is looked at whether it is silent.
//
// Nobody is held up for long. A line whose first answer does not come, or is
// not taken by its client, or is long, lets nobody in and, after two looks at
// least, tells who is behind that they may leave; it ends with those who stay.
// Answers that nobody wants any more are read to a bound. An upstream that is
// slow as a rule, or whose connections keep ending before they have answered
// all, is asked by one at a time, or by nobody for a while.
//
// What costs what: a request is two short locks and a copy of its head; an
// answer is parsed once more, copied once and costs one wake-up; nothing is
// allocated. A waiting exchange holds a wire.HeadBuffer, a connection a
// wire.LargeBuffer as long as anything is asked on it.
package pipe
