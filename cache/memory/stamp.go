package memory

import (
	"encoding/binary"
	"errors"
	"math/bits"

	"github.com/cespare/xxhash/v2"
)

// A value in the ring is the record with a stamp behind it, so that the record
// is where the caller wants it without being moved:
//
//	record | epoch 8 | zeros | where 8 | sum 8
//
// where is the position in the ring << 17 | kind << 16 | length of the record.
// The sum is over record and epoch, and of the key's hash and the kind: bytes
// that got under another key do not agree either. It leaves out where, so that
// a renewal need not sum again and a Put need not sum with a lock held.
type stamp struct {
	epoch uint64
	at    uint64 // where in its ring, counted from the ring's first byte ever
	len   int    // of the record
}

const (
	tailSize  = 16
	stampSize = 8 + tailSize
)

// kind keeps keys of the caller and keys of pieces apart: they may be the same
// bytes.
type kind uint64

const (
	record kind = iota
	piece
)

var (
	errCorrupt = errors.New("corrupt")
	errKind    = errors.New("of the other kind")
)

// begin appends what is summed.
func begin(dst, rec []byte, epoch, hash uint64, k kind) (v []byte, sum uint64) {
	dst = append(dst, rec...)
	dst = binary.LittleEndian.AppendUint64(dst, epoch)
	return dst, seal(dst, hash, k)
}

// finish appends what comes behind the zeros.
func finish(v []byte, at uint64, n int, k kind, sum uint64) []byte {
	v = binary.LittleEndian.AppendUint64(v, at<<17|uint64(k)<<16|uint64(n))
	return binary.LittleEndian.AppendUint64(v, sum)
}

// open reads the stamp of a value that may be any bytes at all.
func open(v []byte, hash uint64, k kind) (stamp, error) {
	if len(v) < stampSize {
		return stamp{}, errCorrupt
	}
	tail := v[len(v)-tailSize:]
	where := binary.LittleEndian.Uint64(tail)
	n := int(where & 0xffff)
	if n > len(v)-stampSize {
		return stamp{}, errCorrupt
	}
	if kind(where>>16&1) != k {
		return stamp{}, errKind
	}
	if seal(v[:n+8], hash, k) != binary.LittleEndian.Uint64(tail[8:]) {
		return stamp{}, errCorrupt
	}
	return stamp{binary.LittleEndian.Uint64(v[n:]), where >> 17, n}, nil
}

// seal sums b. Of a piece that is its two ends, which tell it from any other: to
// sum all of a long body each time it is read cost a fifth of what reading and
// sending it does (0.86 of the CPU time at 100 KiB, 0.77 at 1 MiB without), and
// its bytes lie in a value that the ring itself tells whole from overwritten.
func seal(b []byte, hash uint64, k kind) uint64 {
	const end = 64
	if k == piece && len(b) > 2*end {
		return xxhash.Sum64(b[:end]) ^ bits.RotateLeft64(xxhash.Sum64(b[len(b)-end:]), 1) ^ (hash + uint64(len(b)))
	}
	return xxhash.Sum64(b) ^ (hash + uint64(k))
}

// unchanged tells whether v is the value that st was read from: no two in a
// ring are at the same place.
func unchanged(v []byte, st stamp) bool {
	return len(v) >= stampSize && binary.LittleEndian.Uint64(v[len(v)-tailSize:])>>17 == st.at
}

// move sets where v is.
func move(v []byte, at uint64) {
	where := v[len(v)-tailSize:]
	low := binary.LittleEndian.Uint64(where) & (1<<17 - 1)
	binary.LittleEndian.PutUint64(where, at<<17|low)
}
