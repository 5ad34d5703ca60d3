// Package mongo keeps sessions on MongoDB, one document each.
//
//	store.go    the contract: reading, touching, dropping
//	patch.go    changes, in place
//	rotate.go   moving a session
//	document.go a session's document, and its field names
//	sweep.go    the goroutine that removes what has ended
//
// A document is
//
//	{_id: "ID", v: version, c: created, i: idle end, e: end, d: {key: JSON, …}, n: keys, b: bytes, a: keys added}
//
// and a pointer {_id, m: "ID", e}. A patch is one update of the fields that it
// names, which the server does as one step; filters say what must hold for it.
// n and b bound the keys and bytes from above, so that a filter can hold the
// limits without anybody having read the document; when they are too high for a
// patch, they are counted anew, if a says that nothing was added meanwhile.
//
// It promises what session.Store says, of single servers, replica sets and
// sharded clusters alike: it wants single documents changed as one, and no
// transactions, change streams or pipelines of updates. Acknowledged writes
// outlive a failover as far as the write concern says; MongoDB's own is the
// majority.
//
// What has ended is not found any more, to the millisecond by this node's
// clock. It is removed a minute later by a TTL index where the server has such
// a thing, and in any case by a goroutine here, on each node, at intervals of a
// minute or so.
//
// Tested against FerretDB 1.24.2 with one write at a time (see
// sync/session/mongotest), which is killed, started again and stopped in the
// tests. Not tested, for want of a server: TTL indexes, replica sets and their
// failovers, sharding, TLS and passwords. They are the official driver's.
//
// Costs: Load, Touch and Drop are one round trip, as is a Patch, but three where
// a session is nearly full; Rotate is three. A Patch is answered with the whole
// session.
package mongo
