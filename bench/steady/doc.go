//go:build linux

// Package steady asks at a rate of its own, whatever the answers do: an open
// loop, as a crowd of clients that do not know of each other is one.
//
// A generator that waits for an answer before it asks again spares a server
// just while it is slow, and counts one bad answer where a crowd would have
// had hundreds (Tene: coordinated omission). Here the time of each request is
// fixed beforehand by a Pace, and its latency counts from then: waiting for a
// connection is part of it, being late is, and what was never answered is in
// the figures with the time it had waited.
//
// Load costs about 15 µs of CPU a request, and hands over whole answers; Beat a
// third of that, and tells only when each was whole. Connections are kept, and
// bounded.
//
//	pace.go   when requests are due
//	load.go   Load: a goroutine for each connection, on conn.go
//	beat.go   Beat: one thread for all
//	hist.go   how long they took, by quantile
//	timer.go  sleeping to within 50 µs
package steady
