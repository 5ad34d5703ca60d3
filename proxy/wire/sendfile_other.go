//go:build !linux

package wire

// CanSendFile: only Linux can.
func CanSendFile(c *Conn) bool { return false }

// SendFile is not called where CanSendFile is false.
func (c *Conn) SendFile(head []byte, fd int, off, n int64) (sent int64, err error) {
	panic("BUG: SendFile without CanSendFile")
}
