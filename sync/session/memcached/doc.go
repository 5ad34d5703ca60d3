// Package memcached keeps sessions on memcached, one server or several.
//
//	store.go  the contract, by reading, changing and swapping
//	meta      the client
//
// A session is one value, which is read, changed here, and put back only if it
// is still the one that was read; else once more, after a pause that grows and
// is never the same. So patches merge whoever makes them, and of those who name
// a version one wins.
//
// It promises what session.Store says. What memcached does besides is the
// operator's:
//
//   - It forgets everything when it ends, and what was not used for long when
//     it is full. Give it room (-m) and watch its evictions.
//   - Sessions are spread over the servers by their id. Those of a server that
//     is away are away; nobody takes over for it, or an old state would be
//     believed when it is back.
//   - It has no password worth the name and no TLS: keep it to a network of
//     your own, or on a Unix socket.
//
// A session lives there until its end, to the second and up to 2 s longer,
// which nobody sees, because the end is checked on reading, to the millisecond.
// Nodes want clocks that agree as far as their ends matter.
//
// Costs: a Load is one round trip, 25 µs on one machine; a Patch and a Touch
// are two, a Rotate three.
package memcached
