//go:build !linux

package wire

import "syscall"

func sysRead(fd uintptr, p []byte) (int, error)  { return syscall.Read(int(fd), p) }
func sysWrite(fd uintptr, p []byte) (int, error) { return syscall.Write(int(fd), p) }

func sysWrite2(fd uintptr, a, b []byte) (int, error) {
	if len(a) > 0 {
		return sysWrite(fd, a)
	}
	return sysWrite(fd, b)
}

func left(fd uintptr) bool { return peeksEOF(fd) }
