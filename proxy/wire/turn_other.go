//go:build !linux

package wire

// Gather is of no use where nobody has turns.
func (c *Conn) Gather(int) bool { return false }

func (c *Conn) hushed() bool { return false }
