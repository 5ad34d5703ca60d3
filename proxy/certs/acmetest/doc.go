// Package acmetest holds the program against Pebble, the authority that Let's
// Encrypt offers for tests. It is a module of its own, so that what Pebble
// needs is nothing that the program depends on:
//
//	cd proxy/certs/acmetest && go test ./...
//
// Everything is built and started here, on free ports of loopback: the program,
// Pebble, a DNS server in which all names are 127.0.0.1, Redis where there is a
// redis-server, and stopped by its process.
package acmetest
