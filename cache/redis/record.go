package redis

import (
	"encoding/binary"
	"errors"
	"slices"
	"sync"

	"github.com/cespare/xxhash/v2"
	"github.com/klauspost/compress/s2"
)

// A value in Redis is a head and a record, squeezed or as it is:
//
//	0  magic, 2 bytes
//	2  layout of this head
//	3  flags
//	4  Options.Version, 4 bytes
//	8  length of the record as it was given, 4 bytes
//	12 xxhash64 of the 12 bytes before, the key and the record, 8 bytes
//
// Numbers are little-endian. The sum takes in the key, so that a value that
// some tool has copied to another name is not taken for that name's.
const (
	headSize = 2 + 1 + 1 + 4 + 4 + 8
	sumAt    = headSize - 8
	magic0   = 0xCA
	magic1   = 0xC4
	layout   = 1
	squeezed = 1 << 0

	// maxRecord bounds what a value may claim to unpack to: the length in the
	// head is there before anything has been proved.
	maxRecord = 64 << 20
	// minSqueeze: below it the head of a compressed block eats what is saved.
	minSqueeze = 1 << 10
)

var (
	errCorrupt = errors.New("not a record, or a damaged one")
	errForeign = errors.New("a record of another version")
)

var scratch = sync.Pool{New: func() any { return new([]byte) }}

// pack makes the value for rec in a buffer of its own.
func pack(key string, rec []byte, version uint32, squeeze bool) []byte {
	head := [headSize]byte{magic0, magic1, layout}
	binary.LittleEndian.PutUint32(head[4:], version)
	binary.LittleEndian.PutUint32(head[8:], uint32(len(rec)))
	body := rec
	if squeeze && len(rec) >= minSqueeze {
		buf := scratch.Get().(*[]byte)
		defer scratch.Put(buf)
		*buf = slices.Grow((*buf)[:0], s2.MaxEncodedLen(len(rec)))
		// Less than an eighth is not worth the reader's time.
		if small := s2.Encode((*buf)[:cap(*buf)], rec); len(small) <= len(rec)-len(rec)/8 {
			head[3], body = squeezed, small
		}
	}
	binary.LittleEndian.PutUint64(head[sumAt:], sum(head[:sumAt], key, rec))
	return append(append(make([]byte, 0, headSize+len(body)), head[:]...), body...)
}

// unpack appends the record in value to dst. Values come from outside: one
// that is not what pack makes is an error, whatever it says of itself.
func unpack(dst, value []byte, key string, version uint32) ([]byte, error) {
	if len(value) < headSize || value[0] != magic0 || value[1] != magic1 {
		return dst, errCorrupt
	}
	head, body := value[:headSize], value[headSize:]
	if head[2] != layout || binary.LittleEndian.Uint32(head[4:]) != version {
		return dst, errForeign
	}
	size, begin := int(binary.LittleEndian.Uint32(head[8:])), len(dst)
	if size > maxRecord || head[3]&^squeezed != 0 {
		return dst, errCorrupt
	}
	if head[3]&squeezed == 0 {
		dst = append(dst, body...)
	} else if n, err := s2.DecodedLen(body); err != nil || n != size {
		return dst, errCorrupt
	} else {
		dst = slices.Grow(dst, size)
		if _, err := s2.Decode(dst[begin:begin+size], body); err != nil {
			return dst[:begin], errCorrupt
		}
		dst = dst[:begin+size]
	}
	if len(dst)-begin != size || sum(head[:sumAt], key, dst[begin:]) != binary.LittleEndian.Uint64(head[sumAt:]) {
		return dst[:begin], errCorrupt
	}
	return dst, nil
}

func sum(head []byte, key string, rec []byte) uint64 {
	var d xxhash.Digest
	d.Reset()
	d.Write(head)
	d.WriteString(key)
	d.Write(rec)
	return d.Sum64()
}
