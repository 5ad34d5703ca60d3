//go:build !linux

package wire

// lot: only Linux has one.
type lot struct{}

func newLot() *lot              { return nil }
func (l *lot) close()           {}
func (l *lot) watch(*Conn) bool { return false }
func (l *lot) leave(*Conn)      {}
