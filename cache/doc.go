// Package cache keeps answers and finds them again: RFC 9111 for a shared
// cache, on two tiers, memory before Redis.
//
// It hides what may be stored and for how long, where it lies, who fetches
// what is not there, and how what changed is forgotten on every node. A proxy
// calls Find before it forwards a request, and does what the verdict says;
// it shows Answered the head of what an upstream answers, and gives the body
// to Append and its end to Commit while it passes it on. All that an exchange
// has to do with the cache is in its Visit.
//
//	cache.go    the Cache and its options
//	visit.go    one exchange's dealings with it
//	view.go     others, that keep in the same store by other rules
//	find.go     a hit in memory
//	search.go   else: the second tier, another's fetch, or one of our own
//	flight.go   one fetch for all who wait, in this process
//	remote.go   the second tier: looking there, and putting
//	lease.go    one fetch over all nodes
//	keep.go     what becomes of an answer: stored, not shared, stale instead
//	fill.go     the body as it passes
//	freshen.go  what a 304, or the answer to a HEAD, says of a stored one
//	slice.go    parts: 206 answers, and how they become whole
//	adopt.go    the answer to a POST that is also that to a GET
//	renew.go    refreshes behind answers already given
//	drop.go     what is forgotten, and when
//	file.go     what is kept over a restart; trail.go: over an upgrade
//	entry.go    a record's bytes
//	fields.go   the fields of stored answers
//	body.go     their bodies
//	stats.go    tiers, reasons, counters
//
// It promises: what is found is whole, for this target and this request, and
// as fresh as its own directives, the client's and every purge say; nothing
// can be found before its end was there; a fetch is made once for all who ask
// at the same time, in the process always, over all nodes while Redis answers;
// who waits for it does so for a bounded time; and whatever fails here, Redis
// first of all, the answer is at worst that of a cache that was empty.
//
// What costs what: a hit in memory is one copy of the record, into the buffer
// it is sent from, and allocates nothing. It takes no lock that all share and
// reads no field that a request without conditions has not. A miss costs a
// flight, and the storing another copy.
//
// The rules are those of package rule, the names those of key, conditions and
// ranges those of part; memory and redis hold bytes under keys; purge knows
// what was purged by number. None of them knows another.
package cache
