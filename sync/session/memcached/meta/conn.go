package meta

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"slices"
	"syscall"
	"time"
)

// conn is a connection on which one command at a time is asked and answered.
type conn struct {
	net.Conn
	raw    syscall.RawConn // nil: no socket
	in     *bufio.Reader
	out    []byte // the command that is being written
	opaque uint64 // of the last command
	since  time.Time

	look  func(fd uintptr) bool // bound once, so that peek allocates nothing
	one   [1]byte
	quiet bool
}

// roomy: a connection does not keep a larger buffer than this for commands.
const roomy = 128 << 10

func newConn(nc net.Conn) *conn {
	c := &conn{Conn: nc, in: bufio.NewReaderSize(nc, 4<<10)}
	if s, ok := nc.(syscall.Conn); ok {
		c.raw, _ = s.SyscallConn()
	}
	c.look = func(fd uintptr) bool {
		n, err := syscall.Read(int(fd), c.one[:])
		c.quiet = n < 0 && (err == syscall.EAGAIN || err == syscall.EINTR)
		return true
	}
	return c
}

// silent tells whether a connection that was left is still open, and nothing
// has come that nobody asked for. A deadline that is still to come must be set.
func (c *conn) silent() bool {
	if c.raw == nil {
		return true
	}
	c.quiet = false
	return c.raw.Read(c.look) == nil && c.quiet
}

// ask sends what begin and its callers have put together, and reads the line
// that answers. What it says holds for this command.
func (c *conn) ask() (reply, error) {
	if _, err := c.Write(c.out); err != nil {
		return reply{}, err
	}
	line, err := c.line()
	if err != nil {
		return reply{}, err
	}
	r, err := parse(line)
	if err == nil && r.opaque != c.opaque {
		err = fmt.Errorf("an answer to another question: %w", errProtocol)
	}
	return r, err
}

// enter shows name and password, in the only form that memcached has for that.
func (c *conn) enter(login []byte) error {
	if login == nil {
		return nil
	}
	if _, err := c.Write(login); err != nil {
		return err
	}
	line, err := c.line()
	if err == nil && string(line) != "STORED" {
		err = refusal(line)
	}
	return err
}

func login(user, password string) []byte {
	if user == "" && password == "" {
		return nil
	}
	both := user + " " + password
	return fmt.Appendf(nil, "set auth 0 0 %d\r\n%s\r\n", len(both), both)
}

// line is borrowed until the next read.
func (c *conn) line() ([]byte, error) {
	line, err := c.in.ReadSlice('\n')
	if err == bufio.ErrBufferFull {
		return nil, refusal(line)
	}
	if err != nil {
		return nil, err
	}
	if n := len(line); n >= 2 && line[n-2] == '\r' {
		return line[:n-2], nil
	}
	return nil, refusal(line)
}

// value appends the size bytes that follow a VA line.
func (c *conn) value(dst []byte, size int) ([]byte, error) {
	had := len(dst)
	dst = slices.Grow(dst, size+2)[:had+size+2]
	if _, err := io.ReadFull(c.in, dst[had:]); err != nil {
		return dst[:had], err
	}
	if end := dst[had+size:]; end[0] != '\r' || end[1] != '\n' {
		return dst[:had], errProtocol
	}
	return dst[:had+size], nil
}

// rested makes it ready to be kept: nothing unread, no large buffer.
func (c *conn) rested() bool {
	if cap(c.out) > roomy {
		c.out = nil
	}
	return c.in.Buffered() == 0
}
