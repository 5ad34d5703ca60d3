package wire

import (
	"os"
	"sync"
	"syscall"
)

// lot is where connections are parked: an epoll set beside the runtime's, and
// one goroutine. A connection's place in it is made the first time and kept
// until the connection is closed; each time it is parked it is armed, for one
// event or, where bytes are passed, for all that come. One comes at once if
// there was something before. Those that are settled are in this set alone, and
// always armed.
type lot struct {
	f    *os.File // the set, which the runtime waits for
	raw  syscall.RawConn
	fd   int
	done chan struct{}
	loop loop

	mu    sync.Mutex
	conns []*Conn // guarded by mu; by place, nil: free
	free  []int32 // guarded by mu
	turn  int32   // guarded by mu; of the last place taken
}

func newLot() *lot {
	fd, err := syscall.EpollCreate1(syscall.EPOLL_CLOEXEC)
	if err != nil {
		return nil
	}
	_ = syscall.SetNonblock(fd, true) // so that os takes it for something to wait for
	l := &lot{f: os.NewFile(uintptr(fd), "parked connections"), fd: fd, done: make(chan struct{})}
	if l.raw, err = l.f.SyscallConn(); err != nil {
		_ = l.f.Close()
		return nil
	}
	go l.run()
	return l
}

func (l *lot) close() {
	_ = l.f.Close()
	<-l.done
}

// at is who has that place; mu is held.
func (l *lot) at(place, turn int32) *Conn {
	if c := l.conns[place]; c != nil && c.turn == turn {
		return c
	}
	return nil // it was closed since
}

// watch arms c, and tells whether that worked. One that is settled is armed
// already, but what has happened before may have ended a wait that the Guard
// ended as well, and so have been seen by nobody: it is looked at again.
func (l *lot) watch(c *Conn) (ok bool) {
	if s := c.own.Load(); s != nil {
		s.in.forget()
		return l.arm(c, c.raw, syscall.EPOLL_CTL_MOD, always)
	}
	op := syscall.EPOLL_CTL_MOD
	if c.turn == 0 {
		op = syscall.EPOLL_CTL_ADD
		l.take(c)
	}
	until := uint32(once)
	if c.fd != 0 {
		until = edges
	}
	return l.arm(c, c.raw, op, syscall.EPOLLIN|syscall.EPOLLRDHUP|until)
}

// How many events one is armed for. By edges, the set has not to look again at
// those who have had theirs: a twentieth of a message at 1,000 tunnels.
const (
	once  = 1 << 30 // EPOLLONESHOT
	edges = 1 << 31 // EPOLLET
)

func (l *lot) arm(c *Conn, raw syscall.RawConn, op int, events uint32) (ok bool) {
	e := syscall.EpollEvent{Events: events, Fd: c.spot, Pad: c.turn}
	err := raw.Control(func(fd uintptr) { ok = syscall.EpollCtl(l.fd, op, int(fd), &e) == nil })
	return ok && err == nil
}

// add has raw, which is c's, be in the set for good.
func (l *lot) add(c *Conn, raw syscall.RawConn) bool {
	l.take(c)
	if l.arm(c, raw, syscall.EPOLL_CTL_ADD, always) {
		return true
	}
	l.leave(c)
	c.turn = 0
	return false
}

// drop takes c out of the set, though it is not closed.
func (l *lot) drop(c *Conn) {
	l.arm(c, c.raw, syscall.EPOLL_CTL_DEL, 0)
	l.leave(c)
	c.turn = 0
}

func (l *lot) take(c *Conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.turn++; l.turn == 0 {
		l.turn++
	}
	c.turn = l.turn
	if n := len(l.free); n > 0 {
		c.spot = l.free[n-1]
		l.free = l.free[:n-1]
		l.conns[c.spot] = c
		return
	}
	c.spot = int32(len(l.conns))
	l.conns = append(l.conns, c)
}

// leave is for a connection that is closed; the set forgets it by itself.
func (l *lot) leave(c *Conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if c.turn == 0 || l.conns[c.spot] != c {
		return
	}
	l.conns[c.spot] = nil
	l.free = append(l.free, c.spot)
}
