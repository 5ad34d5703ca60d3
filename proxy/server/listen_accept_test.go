package server

import (
	"fmt"
	"net"
	"os"
	"syscall"
	"testing"
)

// failing is a listener whose Accept fails with these, one after the other,
// before it gives a connection.
type failing struct {
	net.Listener
	with []error
}

func (f *failing) Accept() (net.Conn, error) {
	if len(f.with) == 0 {
		one, other := net.Pipe()
		_ = other.Close()
		return one, nil
	}
	err := f.with[0]
	f.with = f.with[1:]
	return nil, err
}

func TestWantOfDescriptorsIsNotTheEndOfAListener(t *testing.T) {
	of := func(n syscall.Errno) error {
		return &net.OpError{Op: "accept", Err: os.NewSyscallError("accept4", n)}
	}
	f := func(starved uint64, want error, with ...error) {
		t.Helper()
		c := &crowd{log: quiet()}
		nc, err := patient{&failing{with: with}, c}.Accept()
		if nc != nil {
			_ = nc.Close()
		}
		if err != want || c.starved.Load() != starved {
			t.Errorf("%v: %v and %d starved, want %v and %d", with, err, c.starved.Load(), want, starved)
		}
	}
	f(0, nil)
	f(2, nil, of(syscall.EMFILE), of(syscall.ENFILE))
	f(1, nil, fmt.Errorf("wrapped: %w", of(syscall.ENOBUFS)))
	f(0, net.ErrClosed, net.ErrClosed)
	gone := of(syscall.EINVAL)
	f(1, gone, of(syscall.ENOMEM), gone)
}
