// Package acme orders certificates from an authority such as Let's Encrypt
// (RFC 8555), proves that their names are ours, and renews them in time.
//
//	acme.go       the Authority: what it has, and what it is asked for
//	keep.go       a name's way from no certificate to one, with patience
//	challenge.go  the proofs, by HTTP-01 and TLS-ALPN-01
//	board.go      everything in one hash in Redis, for several nodes
//	lock.go       which of them orders
//	log.go        certmagic's lines in our log
//
// It hides certmagic, which does the work, and where accounts, keys and
// certificates lie: in a directory, or in Redis. There private keys are as
// readable as everything else, so Redis is then worth its password and TLS; and
// it must not evict what does not expire (maxmemory-policy noeviction or
// volatile-*), or certificates are ordered again, which authorities limit.
//
// A certs.Store asks it for certificates, the server for proofs.
//
// It promises: only names of Options.Names are ever ordered, or looked up; New
// does not wait for the authority, and for Redis no longer than a moment; nodes
// that share Redis order once, and each can give the proof of what another has
// ordered. An order that failed is tried again, later each time.
//
// What costs what: Certificate is a look into a map. A proof is one into
// another, and a read from Redis or the disk if this node has not ordered.
package acme
