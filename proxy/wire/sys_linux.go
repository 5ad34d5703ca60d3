package wire

import (
	"syscall"
	"unsafe"
)

// The socket calls of the hot path. The sockets are non-blocking, so the
// scheduler need not be told: that saves its bookkeeping on every call.

func sysRead(fd uintptr, p []byte) (int, error)  { return sysIO(syscall.SYS_READ, fd, p) }
func sysWrite(fd uintptr, p []byte) (int, error) { return sysIO(syscall.SYS_WRITE, fd, p) }

func sysIO(trap, fd uintptr, p []byte) (int, error) {
	for {
		n, _, e := syscall.RawSyscall(trap, fd, uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(len(p)))
		switch e {
		case 0:
			return int(n), nil
		case syscall.EAGAIN:
			return -1, syscall.EAGAIN
		case syscall.EINTR:
			continue
		}
		return -1, e
	}
}

// left asks the kernel for the TCP state: the peer has closed (CLOSE_WAIT) or
// reset (CLOSE), whatever is still unread. The state is the first byte of
// struct tcp_info.
func left(fd uintptr) bool {
	const closed, closeWait = 7, 8
	info, err := syscall.GetsockoptInt(int(fd), syscall.IPPROTO_TCP, syscall.TCP_INFO)
	if err != nil {
		return peeksEOF(fd)
	}
	state := info & 0xff
	return state == closed || state == closeWait
}
