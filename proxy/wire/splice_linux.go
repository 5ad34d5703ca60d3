package wire

import (
	"io"
	"sync"
	"syscall"
)

// CanSplice tells whether both ends are plain sockets, and may be waited for.
func CanSplice(dst, src *Conn) bool { return dst.raw != nil && src.raw != nil && !dst.inTurn }

// Splice is SpliceBehind with nothing before the bytes.
func Splice(dst, src *Conn, n int64, moved func(int64)) (fromSrc bool, err error) {
	return SpliceBehind(dst, src, nil, nil, n, moved)
}

// SpliceBehind writes head and body, either of which may be empty, and then
// moves n bytes from src to dst inside the kernel, through a pipe, without ever
// mapping them. Nothing may be buffered in src. It calls moved after each piece
// that has arrived at dst, and waits with none held back. fromSrc tells which
// side an error came from; after ErrNoPipe, what was not moved can still be
// copied.
func SpliceBehind(dst, src *Conn, head, body []byte, n int64, moved func(int64)) (fromSrc bool, err error) {
	m := movers.Get().(*mover)
	m.dst, m.src, m.left = dst, src, n
	defer m.release()
	if err := m.lead(head, body); err != nil {
		return false, err
	}
	for m.held+m.left > 0 {
		if err := m.take(); err != nil {
			return true, err
		}
		piece := m.held
		if err := m.give(); err != nil {
			return false, err
		}
		moved(piece)
	}
	return false, nil
}

// mover is what is on its way from src to dst. Its functions are bound once, so
// that handing them to a RawConn allocates nothing.
type mover struct {
	dst, src *Conn
	pipe     pipe
	held     int64 // bytes in the pipe; 0: there is none
	left     int64 // bytes that src has to give yet
	full     bool  // src has most likely more, for which dst waits with the end of a piece
	looks    bool  // without waiting
	failed   error

	head, body []byte // of lead

	on struct{ fill, drain, hold func(fd uintptr) bool }
}

var movers = sync.Pool{New: func() any {
	m := &mover{}
	m.on.fill, m.on.drain, m.on.hold = m.fill, m.drain, m.hold
	return m
}}

func (m *mover) release() {
	if m.held > 0 {
		m.pipe.close()
	}
	*m = mover{on: m.on}
	movers.Put(m)
}

// lead writes what goes before the bytes: with the first of them, if those are
// here, which saves a packet, and waking the peer for it alone.
func (m *mover) lead(head, body []byte) error {
	if len(head)+len(body) == 0 {
		return nil
	}
	m.looks = true
	_ = m.src.raw.Read(m.on.fill) // what is wrong, take finds
	m.looks, m.failed = false, nil
	if m.held > 0 {
		m.head, m.body = head, body
		_ = m.dst.raw.Write(m.on.hold)
		head, body = m.head, m.body
	}
	if len(head)+len(body) == 0 {
		return nil // fast path
	}
	return m.dst.Write(head, body)
}

// hold writes as much as the socket takes at once, to be sent with what
// follows.
func (m *mover) hold(fd uintptr) bool {
	n, _ := sysSend2(fd, m.head, m.body, syscall.MSG_MORE)
	if n > 0 {
		m.dst.wrote += int64(n)
		k := min(n, len(m.head))
		m.head, m.body = m.head[k:], m.body[n-k:]
	}
	return true
}

// take waits until there is something in the pipe.
func (m *mover) take() error {
	if m.held > 0 {
		return nil
	}
	err := m.src.raw.Read(m.on.fill)
	if err == nil {
		err = m.failed
	}
	return m.src.readErr(err)
}

func (m *mover) fill(fd uintptr) bool {
	p, err := acquirePipe()
	if err != nil {
		m.failed = err
		return true
	}
	n, err := splice(int(fd), p.w, min(m.left, pipeSize), 0)
	if n > 0 { // fast path
		m.pipe, m.held, m.full = p, n, n == pipeSize
		m.left -= n
		return true
	}
	p.release()
	switch {
	case err == nil:
		m.failed = io.ErrUnexpectedEOF
	case err != syscall.EAGAIN:
		m.failed = err
	case !m.looks:
		m.uncork()
		m.src.rd.begin(0)
		return false
	}
	return true
}

// give waits until dst has taken all that the pipe holds.
func (m *mover) give() error {
	for m.held > 0 {
		err := m.dst.raw.Write(m.on.drain)
		if err == nil {
			err = m.failed
		}
		if err := m.dst.writeErr(err); err != nil {
			return err
		}
	}
	m.pipe.release()
	return nil
}

func (m *mover) drain(fd uintptr) bool {
	flags := 0
	if m.full && m.left > 0 {
		flags = spliceMore
	}
	n, err := splice(m.pipe.r, int(fd), m.held, flags)
	if err == syscall.EAGAIN {
		m.dst.wr.renew(m.dst.guard.Now())
		m.dst.wr.begin(0)
		return false
	}
	m.held -= n
	m.failed = err
	return true
}

// uncork has dst send what it keeps for more to come, before that is waited for.
func (m *mover) uncork() {
	if !m.full {
		return
	}
	m.full = false
	_ = m.dst.raw.Control(func(fd uintptr) { // pushes what waits, see tcp(7)
		_ = syscall.SetsockoptInt(int(fd), syscall.IPPROTO_TCP, syscall.TCP_NODELAY, 1)
	})
}

const (
	spliceMove     = 1
	spliceNonblock = 2
	spliceMore     = 4
)

// splice returns 0 with an error.
func splice(r, w int, n int64, flags int) (int64, error) {
	for {
		k, err := sysSplice(r, w, int(n), flags|spliceMove|spliceNonblock)
		if err != syscall.EINTR {
			return int64(max(k, 0)), err
		}
	}
}
