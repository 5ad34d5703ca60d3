package balance

import (
	"encoding/binary"
	"math/bits"
)

// Odd constants with no pattern: 2^64/φ, and the multipliers of Stafford's
// variant 13.
const (
	golden = 0x9e3779b97f4a7c15
	staff1 = 0xbf58476d1ce4e5b9
	staff2 = 0x94d049bb133111eb
)

// HashKey turns what is to meet the same host again into a key: 0, no key, for
// nothing, and never 0 for anything. It has no secret, since all nodes have to
// agree, today and after a restart; whoever chooses keys can therefore make
// many of them meet one host, which bounded load is for.
//
// 16 bytes a step through a 128-bit product whose halves are folded, as in Wang
// Yi's wyhash.
func HashKey(b []byte) uint64 {
	n := len(b)
	if n == 0 {
		return 0
	}
	h := golden ^ uint64(n)
	for ; len(b) > 16; b = b[16:] {
		h = fold(binary.LittleEndian.Uint64(b)^staff1, binary.LittleEndian.Uint64(b[8:])^h)
	}
	var x, y uint64 // the last 1 to 16 bytes; their middle may be in both
	switch n := len(b); {
	case n >= 8:
		x, y = binary.LittleEndian.Uint64(b), binary.LittleEndian.Uint64(b[n-8:])
	case n >= 4:
		x, y = uint64(binary.LittleEndian.Uint32(b)), uint64(binary.LittleEndian.Uint32(b[n-4:]))
	default:
		x, y = uint64(b[0]), uint64(b[n/2])<<8|uint64(b[n-1])
	}
	return max(mix(fold(x^staff1, y^h)^h), 1)
}

// ID is the ID of the host of that name, the same on every node.
func ID(name string) uint64 { return HashKey([]byte(name)) }

// Next is the key to ask with when the host of key cannot be had. A key has
// its own fixed row of nexts, so the keys of a host that is full spread over
// all others instead of falling on its neighbour. No key stays no key.
func Next(key uint64) uint64 {
	if key == 0 {
		return 0
	}
	return max(mix(key+golden), 1)
}

func fold(a, b uint64) uint64 {
	hi, lo := bits.Mul64(a, b)
	return hi ^ lo
}

// mix makes every bit of the result depend on every bit of x, one to one: the
// end of SplitMix64 (Steele, Lea, Flood 2014).
func mix(x uint64) uint64 {
	x = (x ^ x>>30) * staff1
	x = (x ^ x>>27) * staff2
	return x ^ x>>31
}
