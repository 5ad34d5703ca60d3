// Package session keeps what a client does over several requests: a session is
// a record of JSON values under top-level keys, in a store that all nodes
// share, found by a cookie.
//
//	store.go   what a store promises: the contract
//	record.go  a session's bytes, and the merging of a patch
package session
