package wire

import (
	"io"
	"net"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// socket is a plain TCP or Unix socket of which the runtime's poller knows
// nothing: a lot's loop hears what happens on it, and wakes who waits. It is a
// net.Conn, and as a bareSocket a syscall.RawConn, with the contracts of the
// runtime's; only Close waits for nobody, but has the last call close the
// descriptor.
type socket struct {
	fd           int
	use          atomic.Uint32
	mu           sync.Mutex // for deadlines
	in, out      side
	local, there net.Addr
}

// use says who uses fd: one may read and one write, others look at it or change
// options.
const (
	useShut  = 1 << iota // no more: Close was called
	useIn                // one reads
	useOut               // one writes
	useQueue             // some wait for one of them
	useOne               // and upwards: how many calls are under way
)

// newSocket is a socket of its own for what nc is one for, as long as nc is
// open; nil: there are no descriptors left.
func newSocket(nc net.Conn, raw syscall.RawConn) *socket {
	s := &socket{fd: -1, local: nc.LocalAddr(), there: nc.RemoteAddr()}
	_ = raw.Control(func(fd uintptr) {
		if n, _, e := syscall.Syscall(syscall.SYS_FCNTL, fd, syscall.F_DUPFD_CLOEXEC, 0); e == 0 {
			s.fd = int(n)
		}
	})
	if s.fd < 0 {
		return nil
	}
	return s
}

// SyscallConn is s as a bareSocket.
func (s *socket) SyscallConn() (syscall.RawConn, error) { return (*bareSocket)(s), nil }

// LocalAddr is as it was when s was made.
func (s *socket) LocalAddr() net.Addr { return s.local }

// RemoteAddr is as it was when s was made.
func (s *socket) RemoteAddr() net.Addr { return s.there }

// Read reads what there is, once there is something.
func (s *socket) Read(p []byte) (n int, err error) {
	if len(p) == 0 {
		return 0, nil
	}
	var failed error
	err = s.try(&s.in, useIn, func(fd uintptr) bool {
		n, failed = sysRead(fd, p)
		return failed != syscall.EAGAIN
	})
	if err == nil {
		err = failed
	}
	if n == 0 && err == nil {
		err = io.EOF
	}
	return max(n, 0), s.named("read", err)
}

// Write writes all of p.
func (s *socket) Write(p []byte) (n int, err error) {
	var failed error
	err = s.try(&s.out, useOut, func(fd uintptr) bool {
		for n < len(p) && failed == nil {
			var k int
			k, failed = sysWrite(fd, p[n:])
			n += max(k, 0)
		}
		if failed == syscall.EAGAIN {
			failed = nil
			return false
		}
		return true
	})
	if err == nil {
		err = failed
	}
	return n, s.named("write", err)
}

// begin has fd be what it is until finish; as is useIn, useOut or 0. false: it
// was closed.
func (s *socket) begin(as uint32) bool {
	for {
		now := s.use.Load()
		switch {
		case now&useShut != 0:
			return false
		case now&as != 0:
			s.queue(as)
		case s.use.CompareAndSwap(now, now+as+useOne):
			return true
		}
	}
}

func (s *socket) finish(as uint32) {
	now := s.use.Add(-(as + useOne))
	if as != 0 && now&useQueue != 0 {
		s.next()
	}
	if now&^useQueue == useShut {
		_ = syscall.Close(s.fd)
	}
}

// turns is where those wait who want to read, or write, while others do. There
// are none but by mistake, so one queue does for all sockets.
var turns = sync.NewCond(new(sync.Mutex))

func (s *socket) queue(as uint32) {
	turns.L.Lock()
	defer turns.L.Unlock()
	if now := s.use.Or(useQueue); now&as != 0 && now&useShut == 0 {
		turns.Wait()
	}
}

func (s *socket) next() {
	turns.L.Lock()
	defer turns.L.Unlock()
	s.use.And(^uint32(useQueue))
	turns.Broadcast()
}

// Close ends the calls under way, with net.ErrClosed.
func (s *socket) Close() error {
	if !s.begin(0) {
		return s.named("close", net.ErrClosed)
	}
	defer s.finish(0)
	was := s.use.Or(useShut)
	if was&useShut != 0 { // another was faster
		return s.named("close", net.ErrClosed)
	}
	s.in.end()
	s.out.end()
	if was&useQueue != 0 {
		s.next()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.in.stop()
	s.out.stop()
	return nil
}

// CloseWrite tells the peer that nothing more comes.
func (s *socket) CloseWrite() error {
	return s.set("close", func(fd int) error { return syscall.Shutdown(fd, syscall.SHUT_WR) })
}

// SetLinger is that of *net.TCPConn.
func (s *socket) SetLinger(seconds int) error {
	l := syscall.Linger{Onoff: 1, Linger: int32(seconds)}
	if seconds < 0 {
		l = syscall.Linger{}
	}
	return s.set("set", func(fd int) error {
		return syscall.SetsockoptLinger(fd, syscall.SOL_SOCKET, syscall.SO_LINGER, &l)
	})
}

// set is for what neither reads nor writes.
func (s *socket) set(op string, f func(fd int) error) error {
	if !s.begin(0) {
		return s.named(op, net.ErrClosed)
	}
	defer s.finish(0)
	return s.named(op, f(s.fd))
}

// SetDeadline is SetReadDeadline and SetWriteDeadline.
func (s *socket) SetDeadline(t time.Time) error {
	if err := s.SetReadDeadline(t); err != nil {
		return err
	}
	return s.SetWriteDeadline(t)
}

// SetReadDeadline ends reads at t, also one under way.
func (s *socket) SetReadDeadline(t time.Time) error { return s.named("set", s.limit(&s.in, t)) }

// SetWriteDeadline ends writes at t, also one under way.
func (s *socket) SetWriteDeadline(t time.Time) error { return s.named("set", s.limit(&s.out, t)) }

// named is err as package net would have it.
func (s *socket) named(op string, err error) error {
	if err == nil || err == io.EOF {
		return err
	}
	return &net.OpError{Op: op, Net: s.local.Network(), Source: s.local, Addr: s.there, Err: err}
}
