// Package server turns a Config into a running process: it opens the
// listeners, builds the pool and the proxy, hands connections to the one and
// stops all of it in order.
//
// It is the only room that sees all others, and it works only at start, at a
// reload and at stop; between them it keeps discover running, which tells the
// pool of members that come and go. A reload makes everything new first, out of
// what can stay of the old, and then changes to it in one go (reload.go; pools
// in reload_pools.go): groups, routes and their filters are never edited. Where clients come is changed
// behind them (reload_listen.go): an entry that is new is open before one is shut,
// and one that comes in another way goes on with the socket that is there. Connections are taken by fasthttp's server and its
// bounded worker pool; what is said on them is read by package proxy.
//
// TLS is agreed on by the worker, within --header-timeout, so that a client
// that takes its time holds up nobody else. What cannot be agreed on is counted
// by reason, and told to the client: by an alert, or in plain text if that is
// what it speaks. A full handshake costs about 0.3 ms of a core, of which nearly
// two fifths are X25519 and a seventh the signature; a resumed one is a
// quarter cheaper with TLS 1.3, and less than half as dear with 1.2.
//
// The hub (hub*.go) begins with the first route that has one and lasts as long
// as the process: a mount is a route's part of it, a member a tunnel in it, a
// flow an event stream, a span the upstreams of a route as one room. Its settings
// are those of that first route's configuration; a reload changes the mounts.
//
// Sockets may come from another process and go to one (listen*.go): Handed is
// what was open before, Sockets what is open now; a door is one of these, an entry
// what clients come by. A process that is to replace another takes nobody before
// Enter; the other one Leaves, and drains. With a --cache-file it is given a copy of
// the cache as well, and told what changes (heir.go). All connections of HTTP/3
// share a socket, which one process reads; it hands the other's packets on, at the
// price of a copy each while that one drains, and of a look at one pointer for each
// batch else.
package server
