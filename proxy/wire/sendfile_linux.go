package wire

import (
	"io"
	"sync"
	"syscall"
)

// CanSendFile tells whether c is a plain socket, and may be waited for.
func CanSendFile(c *Conn) bool { return c.raw != nil && !c.inTurn }

// SendFile writes head, which may be empty, and behind it n bytes of a file from
// off on, which the kernel has in memory and does not copy: they must not change
// any more. sent is how many of these the socket took.
func (c *Conn) SendFile(head []byte, fd int, off, n int64) (sent int64, err error) {
	s := senders.Get().(*sender)
	s.c, s.head, s.fd, s.off, s.left = c, head, fd, off, n
	defer s.release()
	err = c.raw.Write(s.on)
	if err == nil {
		err = s.failed
	}
	return n - s.left, c.writeErr(err)
}

// sender is what is left of a SendFile. Its function is bound once, as a
// mover's are.
type sender struct {
	c      *Conn
	head   []byte
	fd     int
	off    int64
	left   int64
	failed error
	on     func(fd uintptr) bool
}

var senders = sync.Pool{New: func() any {
	s := &sender{}
	s.on = s.send
	return s
}}

func (s *sender) release() {
	*s = sender{on: s.on}
	senders.Put(s)
}

func (s *sender) send(fd uintptr) bool {
	for len(s.head)+int(s.left) > 0 {
		err := s.push(fd)
		if err == syscall.EAGAIN {
			s.c.wr.renew(s.c.guard.Now())
			s.c.wr.begin(0)
			return false
		}
		if s.failed = err; err != nil {
			return true
		}
	}
	return true
}

// push writes once: of the head as long as there is any, to be sent with what
// follows.
func (s *sender) push(fd uintptr) error {
	if len(s.head) > 0 {
		n, err := sysSend2(fd, s.head, nil, syscall.MSG_MORE)
		if err != nil {
			return err
		}
		s.c.wrote += int64(n)
		s.head = s.head[n:]
		return nil
	}
	n, err := sysSendFile(fd, s.fd, &s.off, int(s.left))
	if err == nil && n == 0 {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		return err
	}
	s.c.wrote += int64(n)
	s.left -= int64(n)
	return nil
}
