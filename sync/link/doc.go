// Package link keeps a client to a Redis that may come late, go and come back:
// a single server, a Sentinel set or a cluster, named by a URL. Sessions and
// the hub each open one; the cache has its own, which does more.
//
//	link.go    the link: options, beginning and end, what may be asked of it
//	ask.go     questions: bounded in time and number
//	breaker.go who does not answer is not asked
//	tend.go    the goroutine that makes the client and looks whether it lives
//	dial.go    its connections, counted
//	place      a room of its own: where Redis is
//
// It hides rueidis' constructors, which fail while Redis is away, its retries,
// which then have no end, and its deadlines, which do not cover every wait.
//
// It promises:
//
//   - Open does not wait. The client comes in the background, now and after each
//     loss; Up and Down tell.
//   - Ask takes Timeout at most, whatever the server does; after three failures
//     in a row it takes no time at all, until the server answers probes again. In
//     a cluster that is judged for each part of the slots alone.
//   - With Prefixes, changes of keys that begin so are told by Changed, our own
//     too. Changed with "" says that news may have been missed: whatever is
//     remembered is to be forgotten. It comes before any answer of a new
//     connection does.
//
// Costs: one connection to each server, 128 KiB of buffers each; an Ask is a
// round trip and 1 µs for the goroutine that can be left behind.
package link
