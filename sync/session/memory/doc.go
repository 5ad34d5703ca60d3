// Package memory keeps sessions in this process: as a store for one node, and
// as the table of copies that a node keeps of a store that is far away.
//
//	table.go  records under ids, in shards, bounded in bytes
//	store.go  session.Store over a table
//
// It promises that the bytes of all records, with what holding them costs, stay
// below the limit: where a new one does not fit, of eight at hand the one that
// would end first makes room, and is counted. A sweeper removes what has ended
// within two minutes. A Load copies, 0.1 µs for a small session, and allocates
// nothing in a Record that has been used before.
package memory
