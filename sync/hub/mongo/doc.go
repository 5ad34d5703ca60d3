// Package mongo is the hub's broker on MongoDB: a capped collection that all
// nodes write to and read the end of.
//
//	broker.go  the broker: beginning and end, joining
//	write.go   the goroutine that writes: batches, markers
//	follow.go  the goroutine that reads, and where it goes on
//	deliver.go what it makes of a document
//	kept.go    histories: keeping and replaying
//	sweep.go   the goroutine that removes those which have ended
//
// Each node numbers what it writes, in the order in which it writes it. A
// reader knows of each node the last number that it has seen; so it can go on
// where it was after any loss, with nothing left out or twice, and no clock is
// asked. Who was away for more than 30 s begins anew at the end. Where the
// server has no tailable cursors, the same question is asked 20 times a second.
//
// A channel is joined when a marker that was written after it was wanted comes
// back to the node: what follows is newer. A history is one document, which a
// publisher changes in one step; its messages' ids are their places in it. A
// reader that sees a gap in them reads it, so that they come in order whoever
// was faster.
//
// It promises what hub.Broker says, but a history also ends at 4 MiB. Each node
// reads all that is said on all channels: where much is said, Redis is better.
//
// Tested against FerretDB 1.24.2 behind a proxy that lets one write through at
// a time (see sync/session/mongotest), with deaths and restarts; for want of a
// server not against MongoDB itself, replica sets and their failovers. It
// depends on no change streams, transactions or TTL indexes.
//
// Costs: to publish is a round trip, and one more where it is kept; messages
// that come together are written together. FerretDB, which polls, brings a
// message to other nodes in 15 to 40 ms; MongoDB's own cursors wait for it.
package mongo
