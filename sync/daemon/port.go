package daemon

import (
	"net"
	"strconv"
	"syscall"
)

// Addr is an address of loopback, as host:port, at which connections are
// refused while nobody listens on it. Until the test ends nobody gets it by
// chance. Who listens there must set SO_REUSEADDR, as Go does, and most servers.
//
// A port that was found free and let go is everybody's: the system gives it to
// the next listener or outgoing connection of any of the processes that test at
// the same time. This one is bound, and never listened on.
func Addr(t interface {
	T
	Cleanup(func())
}) string {
	t.Helper()
	fd, port, err := hold()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = syscall.Close(fd) })
	return net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
}

// Port is that of an Addr that stays ours for as long as this process lives:
// nobody takes it while a server is down.
func Port() (int, error) {
	_, port, err := hold()
	return port, err
}

func hold() (fd, port int, err error) {
	syscall.ForkLock.RLock() // a server that were begun now would keep the port, too
	fd, err = syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, 0)
	if err == nil {
		syscall.CloseOnExec(fd)
	}
	syscall.ForkLock.RUnlock()
	if err != nil {
		return 0, 0, err
	}
	if port, err = bind(fd); err != nil {
		_ = syscall.Close(fd)
	}
	return fd, port, err
}

// bind lets others listen on the port it finds (SO_REUSEADDR on both sides).
func bind(fd int) (port int, err error) {
	if err = syscall.SetsockoptInt(fd, syscall.SOL_SOCKET, syscall.SO_REUSEADDR, 1); err != nil {
		return 0, err
	}
	if err = syscall.Bind(fd, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		return 0, err
	}
	name, err := syscall.Getsockname(fd)
	if err != nil {
		return 0, err
	}
	return name.(*syscall.SockaddrInet4).Port, nil
}
