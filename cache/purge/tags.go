package purge

import (
	"bytes"
	"encoding/binary"
)

// MaxTags bounds the tags of an answer: a byte counts them, and no repetition
// among them is found by more than 32,385 comparisons. Pages of Drupal bear a
// hundred or two.
const MaxTags = 255

// AppendTags adds the tags of a field's value to dst as packed hashes, 8 bytes
// each, without repetition. sep is ' ' for Surrogate-Key and ',' for Cache-Tag.
// dst has nothing but what AppendTags put there, so that a field's lines, and
// both fields, can be taken one after the other. An answer with more than
// MaxTags has a single one in their place, which goes with any tag's purge.
func AppendTags(dst, value []byte, sep byte) []byte {
	for len(value) > 0 {
		var tag []byte
		if tag, value = next(value, sep); len(tag) > 0 {
			dst = appendTag(dst, HashTag(tag))
		}
	}
	return dst
}

// next cuts the value's first tag off. A tab counts as a space (RFC 9110
// §5.6.3).
func next(value []byte, sep byte) (tag, rest []byte) {
	end := bytes.IndexByte(value, sep)
	if sep == ' ' {
		end = bytes.IndexAny(value, " \t")
	}
	if end < 0 {
		return bytes.Trim(value, " \t"), nil
	}
	return bytes.Trim(value[:end], " \t"), value[end+1:]
}

func appendTag(dst []byte, hash uint64) []byte {
	for rest := dst; len(rest) >= 8; rest = rest[8:] {
		if have := binary.LittleEndian.Uint64(rest); have == hash || have == many {
			return dst
		}
	}
	if len(dst) >= 8*MaxTags {
		return binary.LittleEndian.AppendUint64(dst[:0], many)
	}
	return binary.LittleEndian.AppendUint64(dst, hash)
}
