package logline

import "encoding/binary"

// Longest is how many bytes of one value are logged: a line must not become as
// long as a head may be, or a few clients fill the buffer for all.
const Longest = 2048

// Clip is v, or the front of it that is logged.
func Clip(v []byte) []byte { return v[:min(len(v), Longest)] }

const hexDigits = "0123456789abcdef"

// plain are the bytes that stand in quotes as they are, in both forms.
var plain = func() (t [256]bool) {
	for c := ' '; c < 0x7f; c++ {
		t[c] = c != '"' && c != '\\'
	}
	return t
}()

// Quote makes dst[from:] such that it cannot end the quotes around it or the
// line, in JSON or in words. Fast path: there is nothing to make, seen eight bytes at a time.
func Quote(dst []byte, from int, json bool) []byte {
	i := from
	for i+8 <= len(dst) && !strange(binary.LittleEndian.Uint64(dst[i:])) {
		i += 8
	}
	for ; i < len(dst); i++ {
		if !plain[dst[i]] {
			return requote(dst, i, json)
		}
	}
	return dst
}

// strange tells whether a byte of w may not be plain: it misses none, and takes
// some neighbours of one for another.
func strange(w uint64) bool {
	const ones, highs = 0x0101010101010101, 0x8080808080808080
	below := w - ones*' '
	quoted, escape, deleted := w^ones*'"', w^ones*'\\', w^ones*0x7f
	return (w|below|(quoted-ones)&^quoted|(escape-ones)&^escape|(deleted-ones)&^deleted)&highs != 0
}

// requote writes dst[from:] again: in JSON with the escapes of RFC 8259 §7,
// where a byte that is no ASCII becomes the character of its number, since what
// clients send need be no UTF-8; else with \x and two digits.
func requote(dst []byte, from int, json bool) []byte {
	var buf [Longest]byte
	raw := append(buf[:0], dst[from:]...)
	dst = dst[:from]
	for _, c := range raw {
		switch {
		case plain[c]:
			dst = append(dst, c)
		case !json:
			dst = append(dst, '\\', 'x', hexDigits[c>>4], hexDigits[c&15])
		case c == '"', c == '\\':
			dst = append(dst, '\\', c)
		default:
			dst = append(dst, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
		}
	}
	return dst
}

// AppendQuoted appends v so that it cannot end the quotes or the line; "-"
// stands for nothing.
func AppendQuoted(dst, v []byte) []byte {
	if len(v) == 0 {
		return append(dst, '-')
	}
	return Quote(append(dst, v...), len(dst), false)
}
