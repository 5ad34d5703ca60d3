package wire

import "syscall"

// Left tells whether the peer has closed its side. A peer that only shut down
// its sending side cannot be told from one that is gone, and counts as gone,
// as it does for nginx. What is no socket may know by a method of that name;
// else it is not known: false.
func (c *Conn) Left() bool {
	if c.plain {
		c.swap.Lock()
		defer c.swap.Unlock()
	}
	if c.sock == nil {
		l, ok := c.nc.(interface{ Left() bool })
		return ok && l.Left()
	}
	gone := false
	_ = c.sock.Control(func(fd uintptr) { gone = left(fd) })
	return gone
}

// peeksEOF is for sockets that are not TCP.
func peeksEOF(fd uintptr) bool {
	var b [1]byte
	n, _, err := syscall.Recvfrom(int(fd), b[:], syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
	return n == 0 && err == nil || err == syscall.ECONNRESET
}
