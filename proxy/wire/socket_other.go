//go:build !linux

package wire

// socket: only Linux has one.
type socket struct{}

func (c *Conn) settle() bool { return false }

func (c *Conn) move(l *lot) { c.lot = l }
