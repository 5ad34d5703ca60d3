package wire

import (
	"encoding/binary"
	"math/bits"
)

// Classes of a byte, looked up in one table so that a scan is one load and
// one test a byte.
const (
	isToken  = 1 << iota // tchar, RFC 9110 §5.6.2
	isTarget             // what a request target may hold: VCHAR but '#'
	isHost               // unreserved, RFC 3986 §2.3: what names of hosts are made of
	isHex
)

var class = func() (t [256]uint8) {
	for c := range 256 {
		b := byte(c)
		alnum := b >= '0' && b <= '9' || b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z'
		if alnum || indexByte("!#$%&'*+-.^_`|~", b) {
			t[c] |= isToken
		}
		if b > ' ' && b < 0x7f && b != '#' {
			t[c] |= isTarget
		}
		if alnum || indexByte("-._~", b) {
			t[c] |= isHost
		}
		if b >= '0' && b <= '9' || b|0x20 >= 'a' && b|0x20 <= 'f' {
			t[c] |= isHex
		}
	}
	return t
}()

func indexByte(s string, b byte) bool {
	for i := range len(s) {
		if s[i] == b {
			return true
		}
	}
	return false
}

// scan returns the index of the first byte from i on that is not of class k.
func scan(b []byte, i int, k uint8) int {
	for i < len(b) && class[b[i]]&k != 0 {
		i++
	}
	return i
}

// scanText returns the index of the first byte from i on that a field value
// may not hold: a control other than HTAB, or DEL (RFC 9110 §5.5). Eight bytes
// a step; values are most of a head.
func scanText(b []byte, i int) int {
	const lo, hi = 0x0101010101010101, 0x8080808080808080
	for ; i+8 <= len(b); i += 8 {
		x := binary.LittleEndian.Uint64(b[i:])
		del := x ^ lo*0x7f
		// The lowest set bit is exact; borrows only blur the bytes above it.
		if m := ((x-lo*0x20)&^x | (del-lo)&^del) & hi; m != 0 {
			i += bits.TrailingZeros64(m) / 8
			if b[i] != '\t' {
				return i
			}
			i -= 7 // go on behind the tab
		}
	}
	for i < len(b) && (b[i] >= ' ' && b[i] != 0x7f || b[i] == '\t') {
		i++
	}
	return i
}

// EqualFold tells whether name is lower, which is in lower case. Only letters
// fold: setting bit 5 would make another of "_", and one of "^" and "~".
func EqualFold(name []byte, lower string) bool {
	if len(name) != len(lower) {
		return false
	}
	for i := range len(lower) {
		if c := name[i]; c != lower[i] && (c < 'A' || c > 'Z' || c|0x20 != lower[i]) {
			return false
		}
	}
	return true
}

// trim cuts optional white space (RFC 9110 §5.6.3) from both ends.
func trim(b []byte) []byte {
	for len(b) > 0 && (b[0] == ' ' || b[0] == '\t') {
		b = b[1:]
	}
	for len(b) > 0 && (b[len(b)-1] == ' ' || b[len(b)-1] == '\t') {
		b = b[:len(b)-1]
	}
	return b
}

// Members calls f with each member of a comma-separated list (RFC 9110
// §5.6.1), empty ones left out.
func Members(list []byte, f func(member []byte)) {
	for len(list) > 0 {
		i := 0
		for i < len(list) && list[i] != ',' {
			i++
		}
		if m := trim(list[:i]); len(m) > 0 {
			f(m)
		}
		if i == len(list) {
			return
		}
		list = list[i+1:]
	}
}
