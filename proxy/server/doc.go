// Package server turns a Config into a running process: it opens the
// listeners, builds the pool and the proxy, hands connections to the one and
// stops all of it in order.
//
// It is the only room that sees all others, and it works only at start and
// stop; between them it keeps discover running, which tells the pool of
// members that come and go. Connections are taken by fasthttp's server and its
// bounded worker pool; what is said on them is read by package proxy.
package server
