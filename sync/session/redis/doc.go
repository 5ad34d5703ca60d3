// Package redis keeps sessions in Redis: one hash for each, and one script for
// each operation, so that they are atomic on a single server, behind Sentinel
// and in a cluster.
//
//	redis.go  the store; copies that this node keeps
//	read.go   a hash becomes a record
//	write.go  patches, touches, rotation, dropping
//	script.go what runs in Redis
//
// It keeps copies of what was loaded, as long as Redis tells who changes what:
// each connection that ends, or begins, empties them. A copy is at most a push
// behind, 0.2 ms, or 1.5 s where the network dies without a word; what this
// node changes it sees at once.
//
// Costs: a Load of a copy is 0.15 µs and no allocation; any other operation is a
// round trip, a rotation three. A node has one connection to each server.
package redis
