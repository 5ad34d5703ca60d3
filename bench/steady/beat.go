//go:build linux

package steady

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"runtime"
	"slices"
	"strconv"
	"syscall"
	"time"
	"unsafe"
)

// Beat asks as Load does, for a third of the CPU time: one thread with an epoll
// set writes and reads bytes, and looks at no more of an answer than its status
// and its length. It is for rates near what a server can do, where Load would
// have to wait for itself.
type Beat struct {
	Addr    string // of IPv4
	Pace    *Pace
	Conns   int           // opened before the first is due; who finds none free waits, and that counts
	Limit   time.Duration // for the answers, after the last was due
	Request []byte
	Seen    func(due, took time.Duration, err error) // for each; took counts from when it was due
}

// ErrUnanswered is the end of a request that was sent, and had no whole answer
// within the limit. What was not even sent ends by ErrUnsent.
var ErrUnanswered = errors.New("no answer until the end")

var (
	errStatus = errors.New("an answer other than 200")
	errClosed = errors.New("the connection ended")
	errForm   = errors.New("an answer without a length")
)

// beating is a Beat under way.
type beating struct {
	*Beat
	to    syscall.SockaddrInet4
	epoll int
	conns []*beatConn // by descriptor
	alive int         // of them
	free  []*beatConn // the one used last on top
	due   []time.Duration
	at    int // in due: before it all are sent
	began time.Time
	buf   [256 << 10]byte
}

// beatConn is one connection.
type beatConn struct {
	fd   int
	due  time.Duration // of the request under way
	busy bool
	head []byte // of an answer whose head has not all come
	left int    // of its body
}

// Run asks until the pace ends, and returns when all is answered or the limit
// is over.
func (b *Beat) Run(ctx context.Context) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	r := &beating{Beat: b}
	if err := r.open(); err != nil {
		return err
	}
	defer r.close()
	r.began = time.Now()
	next, more := b.Pace.Next()
	for ctx.Err() == nil {
		now := time.Since(r.began)
		for ; more && next <= now; next, more = b.Pace.Next() {
			r.due = append(r.due, next)
		}
		r.send()
		end := b.Pace.Length() + b.Limit
		if !more && len(r.free) == r.alive || now > end {
			break
		}
		if more {
			end = next
		}
		if err := r.hear(end - time.Since(r.began)); err != nil {
			return err
		}
	}
	r.lost()
	return ctx.Err()
}

func (r *beating) open() (err error) {
	a, err := net.ResolveTCPAddr("tcp4", r.Addr)
	if err != nil {
		return err
	}
	r.to.Port = a.Port
	copy(r.to.Addr[:], a.IP.To4())
	if r.epoll, err = syscall.EpollCreate1(syscall.EPOLL_CLOEXEC); err != nil {
		return fmt.Errorf("epoll: %w", err)
	}
	for range r.Conns {
		if err := r.connect(); err != nil {
			r.close()
			return fmt.Errorf("connect to %s: %w", r.Addr, err)
		}
	}
	return nil
}

// connect adds a connection. It waits for it: on a loopback that takes microseconds.
func (r *beating) connect() error {
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	err = errors.Join(
		syscall.Connect(fd, &r.to),
		syscall.SetNonblock(fd, true),
		syscall.SetsockoptInt(fd, syscall.IPPROTO_TCP, syscall.TCP_NODELAY, 1),
		syscall.EpollCtl(r.epoll, syscall.EPOLL_CTL_ADD, fd, &syscall.EpollEvent{Events: syscall.EPOLLIN, Fd: int32(fd)}))
	if err != nil {
		_ = syscall.Close(fd)
		return err
	}
	for len(r.conns) <= fd {
		r.conns = append(r.conns, nil)
	}
	r.conns[fd] = &beatConn{fd: fd}
	r.free = append(r.free, r.conns[fd])
	r.alive++
	return nil
}

func (r *beating) close() {
	for _, c := range r.conns {
		if c != nil {
			_ = syscall.Close(c.fd)
		}
	}
	_ = syscall.Close(r.epoll)
}

// send gives what is due to connections that are free.
func (r *beating) send() {
	for r.at < len(r.due) && len(r.free) > 0 {
		c := r.free[len(r.free)-1]
		r.free = r.free[:len(r.free)-1]
		c.due, c.busy = r.due[r.at], true
		r.at++
		if n, _ := syscall.Write(c.fd, r.Request); n != len(r.Request) {
			r.fail(c, errClosed) // short: the socket held but a request's bytes
		}
	}
	if r.at == len(r.due) {
		r.due, r.at = r.due[:0], 0
	}
}

// hear waits for answers, at most until something is due.
func (r *beating) hear(limit time.Duration) error {
	var events [128]syscall.EpollEvent
	wait := syscall.NsecToTimespec(int64(max(limit, 0)))
	n, _, e := syscall.Syscall6(sysEpollPwait2, uintptr(r.epoll), uintptr(unsafe.Pointer(&events)), uintptr(len(events)), uintptr(unsafe.Pointer(&wait)), 0, 0)
	if e != 0 && e != syscall.EINTR {
		return fmt.Errorf("epoll_pwait2: %w", e)
	}
	for i := range int(n) {
		if e == 0 {
			r.read(r.conns[events[i].Fd])
		}
	}
	return nil
}

// sysEpollPwait2 waits by nanoseconds, where epoll_wait has milliseconds; the same on all
// architectures.
const sysEpollPwait2 = 441

func (r *beating) read(c *beatConn) {
	n, err := syscall.Read(c.fd, r.buf[:])
	switch {
	case err == syscall.EAGAIN:
	case err != nil || n <= 0 || !c.busy:
		r.fail(c, errClosed)
	default:
		done, err := c.take(r.buf[:n])
		if err != nil {
			r.fail(c, err)
		} else if done {
			r.end(c, nil)
			r.free = append(r.free, c)
		}
	}
}

// end tells how the request under way ended.
func (r *beating) end(c *beatConn, err error) {
	c.busy = false
	r.Seen(c.due, time.Since(r.began)-c.due, err)
}

// fail drops a connection, with what was asked on it, for a new one.
func (r *beating) fail(c *beatConn, err error) {
	if c.busy {
		r.end(c, err)
	}
	_ = syscall.Close(c.fd)
	r.conns[c.fd] = nil
	r.alive--
	r.free = slices.DeleteFunc(r.free, func(f *beatConn) bool { return f == c })
	_ = r.connect() // else there is one less
}

// lost tells of all that were never answered, with the time that they waited.
func (r *beating) lost() {
	now := time.Since(r.began)
	for _, c := range r.conns {
		if c != nil && c.busy {
			r.Seen(c.due, now-c.due, ErrUnanswered)
		}
	}
	for _, due := range r.due[r.at:] {
		r.Seen(due, now-due, ErrUnsent)
	}
}

// take counts bytes of an answer; true: it is whole.
func (c *beatConn) take(b []byte) (bool, error) {
	if c.left > 0 {
		c.left -= len(b)
		return c.left == 0, nil
	}
	if len(c.head) > 0 {
		c.head = append(c.head, b...)
		b = c.head
	}
	end := bytes.Index(b, []byte("\r\n\r\n"))
	if end < 0 {
		c.head = append(c.head[:0], b...)
		return false, nil
	}
	if !bytes.HasPrefix(b, []byte("HTTP/1.1 200")) {
		return false, fmt.Errorf("%w: %.40q", errStatus, b)
	}
	length, ok := contentLength(b[:end+2])
	if !ok {
		return false, errForm
	}
	c.left = length - len(b[end+4:])
	c.head = c.head[:0]
	return c.left == 0, nil
}

var lengthName = []byte("\r\ncontent-length:")

// contentLength is what a head says; each of its lines has its end.
func contentLength(head []byte) (int, bool) {
	for at := 0; ; at++ {
		line := bytes.IndexByte(head[at:], '\r')
		if line < 0 || len(head)-at-line < len(lengthName) {
			return 0, false
		}
		at += line
		if !bytes.EqualFold(head[at:at+len(lengthName)], lengthName) {
			continue
		}
		value := head[at+len(lengthName):]
		n, err := strconv.Atoi(string(bytes.TrimSpace(value[:bytes.IndexByte(value, '\r')])))
		return n, err == nil && n >= 0
	}
}
