// Package purge is the table of purge marks, by which any number of stored
// answers are dropped in one step.
//
// Nothing is searched for. Each mark has a number, numbers grow, and an entry
// carries the highest number that was known when its fetch from the origin
// began. An entry is purged if a mark that applies to it has a higher number
// than its own: a purge is one write however many answers it drops, and one
// that is stored by a fetch under way, begun before the purge, is dropped too.
// Clocks do not matter, and neither does the order in which marks arrive, as
// long as all numbers come from one counter: the node's own (Table.Next) where
// it is alone, one that all share where it is not. Where entries are kept over
// a restart their marks have to be, too (Table.Save).
//
// It hides how marks are found: by hash, in a table that readers walk without
// a lock while one writer at a time adds to it; and what becomes of them when
// they are too many. The cache asks it before each use of a stored answer, and
// whoever takes purge requests, from a client or another node, writes to it.
//
// It promises that once Set has returned no entry that the mark applies to is
// found Valid. It may purge more than was asked, never less: two names of one
// hash are one, letters of tags in either case are one, a prefix is looked at
// for its first 1024 bytes, an answer with more than MaxTags tags goes with
// any tag, both schemes are one, and beyond MaxMarks marks the oldest are forgotten together with
// all that is as old as they are.
//
// Check costs an atomic load and a compare where no mark is newer than the
// entry, and else a probe for the URL, one for each tag and one for each distinct
// length of prefixes in use. Set is a probe and a few stores, amortised. The table is 32
// bytes for each slot, of which at least half are empty: at most 4 MiB.
package purge
