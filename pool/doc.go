// Package pool is the upstreams and all that decides or reaches one:
// membership, health, balancing, and the connections kept open to each.
//
//	pool.go      membership, and the snapshot that is picked from
//	configure.go the same pool by other Options
//	pick.go      the choice for one request
//	queue.go     who waits for a place, and for how long
//	upstream.go  one place: asked for an answer, told how it went
//	post.go      asking without waiting, in turns
//	link.go      its connections, and the stack of idle ones
//	branch.go    one stream of many, with an upstream that speaks HTTP/2
//	shared.go    one place in a line, with an upstream that is asked ahead
//	secure.go    TLS with one, and what is wrong with its certificate
//	fault.go     how a try can fail: whose failure, and what may have been sent
//	health.go    what exchanges tell of an upstream: out, back, slowly; hanging
//	check.go     what asking it apart from them tells
//	budget.go    how many requests may be tried again
//
// It hides where a request goes. The proxy asks a Pool for an Upstream, asks
// that for an answer, and says how it went; whether the connection was a kept
// one, whether it had died meanwhile, whether the upstream is now to be
// avoided, is settled here.
//
// It promises: Pick reads one immutable snapshot and takes no lock; a buffered
// exchange on a kept connection allocates nothing; no lock is held over I/O; a
// connection that is not silent when it should be is never used again; every
// wait has the limits of Options. Who waits at an upstream that is put out for
// giving no answer hears of it within a wire.Tick, which costs the Guard's look
// one load for each wait and an exchange nothing.
package pool
