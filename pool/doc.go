// Package pool is the upstreams and all that decides or reaches one:
// membership, health, balancing, and the connections kept open to each.
//
// It hides where a request goes. The proxy asks a Pool for an Upstream, asks
// that for an answer, and says how it went; whether the connection was a kept
// one, whether it had died meanwhile, whether the upstream is now to be
// avoided, is settled here.
//
// It promises: Pick reads one immutable snapshot and takes no lock; a buffered
// exchange on a kept connection allocates nothing; no lock is held over I/O; a
// connection that is not silent when it should be is never used again; every
// wait has the limits of Options.
package pool
