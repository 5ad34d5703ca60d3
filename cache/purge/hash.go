package purge

import (
	"encoding/binary"
	"math/bits"
)

// The hash is part of what is stored: entries keep those of their tags, in a
// file and in Redis. It has no seed therefore; who forces a collision gets an
// entry of their own purged. Changing it means purging everything, and
// another version in save.go.
const (
	seedPrefix = 0xa0761d6478bd642f
	seedTag    = 0xe7037ed1a0b428db
	seedURL    = 0x9fb21c651e98df25
	stepBlock  = 0x8ebc6af09c88c6e3
	stepEnd    = 0x589965cc75374cc3

	empty = 0 // no hash: marks a free slot
	many  = 1 // no hash: the one tag of an answer with too many
)

// lowercase sets the bit by which small letters differ from large ones, in
// each of a word's bytes. A few signs become one as well: "@" and "`", "[" and
// "{". Cloudflare's Cache-Tag knows no case, Fastly's Surrogate-Key does:
// taking letters for the same purges enough for both.
const lowercase = 0x2020202020202020

// HashTag is the tag as entries keep it.
func HashTag(tag []byte) uint64 {
	w := walk{bytes: tag, sum: seedTag, fold: lowercase}
	return w.to(len(tag))
}

// walk hashes ever longer beginnings of bytes in one pass: whole words are
// behind it for good, and what is left over is mixed in on the side.
type walk struct {
	bytes []byte
	at    int // bytes[:at] are in sum; a multiple of 8
	sum   uint64
	fold  uint64
}

// to hashes bytes[:n]. n must not be less than the time before.
func (w *walk) to(n int) uint64 {
	for w.at+8 <= n {
		w.sum = mix(w.sum^(binary.LittleEndian.Uint64(w.bytes[w.at:])|w.fold), stepBlock)
		w.at += 8
	}
	h := mix(mix(w.sum^(w.rest(n)|w.fold), stepEnd)^uint64(n), stepBlock)
	if h <= many {
		h += many + 1
	}
	return h
}

// rest is the less than 8 bytes before n as a word.
func (w *walk) rest(n int) (word uint64) {
	// fast path: the word may be read beyond n.
	if w.at+8 <= len(w.bytes) {
		word = binary.LittleEndian.Uint64(w.bytes[w.at:])
		return word & (1<<(8*(n-w.at)) - 1)
	}
	for i := n - 1; i >= w.at; i-- {
		word = word<<8 | uint64(w.bytes[i])
	}
	return word
}

// mix is the step of wyhash: both halves of a product, one over the other.
func mix(a, b uint64) uint64 {
	high, low := bits.Mul64(a, b)
	return high ^ low
}
