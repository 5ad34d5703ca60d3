// Package certs is the certificates a server shows: which one for which name,
// and that it is always the one that lies on the disk now.
//
//	certs.go    the Store: all certificates, and the tls.Config made of them
//	source.go   where one comes from, and what is kept while that fails
//	pair.go     from two files
//	issued.go   from an authority, once it has issued it
//	self.go     self-signed, for localhost
//	choose.go   the one for a client's hello
//	tickets.go  the keys of session tickets, each node's or all nodes'
//	key.go      private keys in PEM, encrypted ones as well
//	pkcs8.go    the encryption of PKCS #8
//	roots.go    whose certificates are believed
//
// It hides files, their changes, passphrases and formats. The server asks it for
// the present tls.Config with each connection, and shows its counters.
//
// It promises: a Config is never edited once it is given out, but for its
// ticket keys; a pair on the disk that is broken, or only half replaced,
// changes nothing, and is told of once; what becomes right is taken within
// Options.Every, or at once by Reload. Private keys are in no message.
//
// A further source is a file with a type that has source's methods and a row
// in New.
//
// What costs what: Config is one load, choosing a certificate one look into a
// map, or two with a wildcard. A look at the files is three stats for each pair.
package certs
