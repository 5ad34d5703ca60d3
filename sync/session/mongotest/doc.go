// Command mongotest is a server for tests that speaks as MongoDB does: FerretDB
// v1.24.2 on SQLite, with a proxy before it. It is a module of its own: nothing
// of its hundred packages comes near the program.
//
//	main.go the server
//	lock.go the proxy: one write at a time
//
// FerretDB reads and then writes where MongoDB changes a document as one: of
// 400 increments at once 46 were there. The proxy lets one write through at a
// time, which makes single documents atomic, as they are on MongoDB. TTL
// indexes, change streams and transactions it has not.
//
//	mongotest -listen 127.0.0.1:27017 -dir DIR
package main
