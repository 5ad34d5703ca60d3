// Package memory is the cache's first tier: records and pieces of bodies in
// this process, found in a microsecond, gone with it unless saved.
//
// It hides fastcache, which keeps keys and values in rings of bytes outside
// the heap, where the garbage collector does not look at them, and it makes
// good what fastcache leaves open: what it takes beyond what it is told, what
// it forgets although it is asked for, and that it hands out whatever the
// bytes have become. The store calls it on every request that may be answered
// from the cache; what a record means is the store's business.
//
// It promises:
//   - The process grows by no more than Options.Size, index, garbage and all.
//   - What Find and Chunk return was put under that key, whole: a sum lies
//     behind each record, and one that does not agree is a miss and counted. Of
//     a piece it is over both ends.
//   - What is hit stays. The rings forget first what came first; a record that
//     is hit when three quarters of its ring have been written since goes to
//     the front again, once for all who hit it then.
//   - What was put may be gone at any time, and a piece of a body before the
//     others. What was dropped is gone when Drop returns, and no renewal
//     brings it back.
//
// Admit says whether something new is worth its room: when the ring is full,
// only what was asked for twice of late. What comes of it, for 1,000,000 keys by
// Zipf's law with room for a tenth of them (TestZipf; hits of requests):
//
//	s      fastcache alone   renewal   exact LRU   renewal and Admit
//	0.9    59.4 %            61.5 %    63.3 %      67.7 %
//	1.0    74.5 %            76.3 %    77.6 %      80.4 %
//
// It takes some millions of requests to get there; after half a million it is 2
// to 3 points less.
//
// Of bodies in pieces, those that are asked for most lie here a second time, as
// files in memory: the kernel sends from them without copying a byte, which at
// 64 KiB saves a quarter of what such a hit costs, and at 1 MiB a third. Lend
// gives them; what has one is for counts of late to say, so that a crowd of bodies
// that are all asked for alike does not push each other out.
//
// What costs what: a Find is a hash of the key, a lock of one of 512 rings held
// while the record is copied, and a sum over it: 0.2 µs for 1 KB that the CPU's
// caches hold, half of it fastcache's own, and up to 1 µs for one among 100,000,
// nearly all of it waiting for memory. A Put costs about as much; a renewal is a
// Find and a Put, and does not wait for a lock. Nothing of this allocates. There
// are no goroutines but Save's while it saves.
package memory
