//go:build !linux

package wire

// CanSplice: only Linux can.
func CanSplice(dst, src *Conn) bool { return false }

// Splice is not called where CanSplice is false.
func Splice(dst, src *Conn, n int64, moved func(int64)) (fromSrc bool, err error) {
	panic("BUG: Splice without CanSplice")
}

// SpliceBehind is the same.
func SpliceBehind(dst, src *Conn, head, body []byte, n int64, moved func(int64)) (fromSrc bool, err error) {
	panic("BUG: SpliceBehind without CanSplice")
}
