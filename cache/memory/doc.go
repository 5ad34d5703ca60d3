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
//     behind each record, and one that does not agree is a miss and counted.
//   - What is hit stays. The rings forget first what came first; a record that
//     is hit when three quarters of its ring have been written since goes to
//     the front again, once for all who hit it then.
//   - What was put may be gone at any time, and a piece of a body before the
//     others. What was dropped is gone when Drop returns, and no renewal
//     brings it back.
//
// Admit says whether something new is worth its room: when the ring is full,
// only what was asked for twice of late.
//
// What costs what: a Find is a hash of the key, a lock of one of 512 rings held
// while the record is copied, and a sum over it. A Put is the same. A renewal
// is a Find and a Put. There are no goroutines.
package memory
