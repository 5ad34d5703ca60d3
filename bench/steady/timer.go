//go:build linux

package steady

import (
	"fmt"
	"os"
	"syscall"
	"time"
	"unsafe"
)

// Timer sleeps to within some 50 µs. Go's own timers wake up to a millisecond
// late when a program is idle, which is a service time's worth here.
type Timer struct{ f *os.File }

const clockMonotonic = 1 // CLOCK_MONOTONIC

// NewTimer opens one; it serves one goroutine.
func NewTimer() (*Timer, error) {
	fd, _, e := syscall.Syscall(syscall.SYS_TIMERFD_CREATE, clockMonotonic, syscall.O_NONBLOCK|syscall.O_CLOEXEC, 0)
	if e != 0 {
		return nil, fmt.Errorf("timerfd_create: %w", e)
	}
	return &Timer{os.NewFile(fd, "timer")}, nil
}

// Sleep returns after d.
func (t *Timer) Sleep(d time.Duration) error {
	if d <= 0 {
		return nil
	}
	spec := [2]syscall.Timespec{1: syscall.NsecToTimespec(int64(d))} // once: no interval
	c, err := t.f.SyscallConn()
	if err != nil {
		return err
	}
	var e syscall.Errno
	if err := c.Control(func(fd uintptr) {
		_, _, e = syscall.Syscall6(syscall.SYS_TIMERFD_SETTIME, fd, 0, uintptr(unsafe.Pointer(&spec)), 0, 0, 0)
	}); err != nil {
		return err
	}
	if e != 0 {
		return fmt.Errorf("timerfd_settime: %w", e)
	}
	var times [8]byte
	_, err = t.f.Read(times[:])
	return err
}

// Close gives the descriptor back.
func (t *Timer) Close() error { return t.f.Close() }
