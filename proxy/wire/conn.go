package wire

import (
	"errors"
	"io"
	"net"
	"os"
	"sync/atomic"
	"syscall"
	"time"
)

// Conn is a connection with a read buffer and a limit on every wait. One
// goroutine may read while another writes.
//
// Plain TCP and Unix sockets are read and written by system calls of our own
// inside the runtime's readiness loop (syscall.RawConn), which is what lets
// Ask save a call; anything else (TLS, a test's pipe) goes by Read and Write.
type Conn struct {
	nc    net.Conn
	raw   syscall.RawConn // nil: no plain socket
	guard *Guard
	shard *shard
	place int // guarded by shard.mu

	buf  []byte // nil while nothing is buffered and nobody reads
	r, w int    // unread: buf[r:w]
	base int    // buf[:base] is pinned: the head of the message under way

	rd, wr wait
	client atomic.Pointer[Conn] // whose exchange this upstream connection serves

	// Of the read and the write under way. The methods are bound once, so
	// that handing them to the RawConn allocates nothing.
	in                                     []byte
	n                                      int
	rerr                                   error
	flag                                   int64
	ready                                  func() bool // of Each
	turns                                  int         // of Each
	drained                                bool        // of Each: the last read took all there was
	out                                    []byte
	werr                                   error
	asking                                 uint8
	onRead, onWait, onEach, onWrite, onAsk func(fd uintptr) bool
}

// ErrBroken: Interrupt ended the wait.
var ErrBroken = errors.New("connection given up")

// NewConn takes over nc. Close gives up both.
func NewConn(nc net.Conn, g *Guard) *Conn {
	c := &Conn{nc: nc, guard: g}
	c.rd.by, c.wr.by = forever, forever
	if sc, ok := nc.(syscall.Conn); ok {
		if raw, err := sc.SyscallConn(); err == nil {
			c.raw = raw
			c.onRead, c.onWait, c.onEach = c.read, c.await, c.each
			c.onWrite, c.onAsk = c.write, c.ask
		}
	}
	g.join(c)
	return c
}

// Close closes the connection and takes back its buffer.
func (c *Conn) Close() error {
	c.guard.leave(c)
	err := c.nc.Close()
	c.drop()
	return err
}

// Abort closes the connection so that the peer sees it break: by a reset, not
// by an end that could pass for the end of a body.
func (c *Conn) Abort() {
	if t, ok := c.nc.(interface{ SetLinger(int) error }); ok {
		_ = t.SetLinger(0)
	}
	_ = c.Close()
}

// NetConn is the connection underneath.
func (c *Conn) NetConn() net.Conn { return c.nc }

// Interrupt ends the reads and writes under way and to come; they return
// ErrBroken. It may be called from any goroutine.
func (c *Conn) Interrupt() { _ = c.nc.SetDeadline(past) }

// InterruptRead is Interrupt for reads only; ResumeRead takes it back once
// no read is under way.
func (c *Conn) InterruptRead() { _ = c.nc.SetReadDeadline(past) }

// ResumeRead lets reads go on after InterruptRead.
func (c *Conn) ResumeRead() { _ = c.nc.SetReadDeadline(time.Time{}) }

// ReadWithin limits the reads from here on to end d from now; 0: no limit.
func (c *Conn) ReadWithin(d time.Duration) { c.rd.within(c.guard.Now(), d) }

// WriteWithin limits the writes from here on to end d from now; 0: no limit.
func (c *Conn) WriteWithin(d time.Duration) { c.wr.within(c.guard.Now(), d) }

// EndWithin limits what is still read to end d from now, whatever limits come
// later; the goroutine that reads need not know.
func (c *Conn) EndWithin(d time.Duration) { _ = c.nc.SetReadDeadline(time.Now().Add(d)) }

// Serve tells for whom this upstream connection works; if that client leaves
// while an answer is waited for, the wait ends with ErrGone. nil: for nobody.
func (c *Conn) Serve(client *Conn) { c.client.Store(client) }

// Buffered returns the unread bytes, borrowed until the next Fill, Pin or
// Release.
func (c *Conn) Buffered() []byte { return c.buf[c.r:c.w] }

// Skip consumes n buffered bytes.
func (c *Conn) Skip(n int) { c.r += n }

// Pin consumes n buffered bytes and keeps all before them where they are,
// for a head that is borrowed while its body flows; Release ends it.
func (c *Conn) Pin(n int) {
	c.r += n
	c.base = c.r
}

// Release unpins, and gives the buffer back if nothing in it is unread.
func (c *Conn) Release() {
	c.base = 0
	if c.r == c.w {
		c.drop()
	}
}

func (c *Conn) drop() {
	if c.buf != nil {
		ReleaseBuffer(c.buf)
	}
	c.buf, c.r, c.w, c.base = nil, 0, 0, 0
}

// Fill reads once, waiting until at least one byte is there. limit bounds how
// many bytes may be buffered behind what is pinned: longHead beyond it.
func (c *Conn) Fill(limit int) error {
	if err := c.room(limit); err != nil {
		return err
	}
	n, err := c.Read(c.buf[c.w:])
	c.w += n
	return err
}

// room makes space for at least one more byte, by moving what is unread to
// the front, or by growing up to limit unread bytes.
func (c *Conn) room(limit int) error {
	if c.buf == nil {
		c.buf = AcquireBuffer(SmallBuffer)
	}
	if c.r == c.w {
		c.r, c.w = c.base, c.base
	}
	if c.w-c.r >= limit {
		return longHead
	}
	if c.w < len(c.buf) {
		return nil
	}
	if c.r > c.base {
		c.w = c.base + copy(c.buf[c.base:], c.buf[c.r:c.w])
		c.r = c.base
		return nil
	}
	c.grow(2 * len(c.buf))
	return nil
}

// Reserve makes room for n unread bytes in all, so that a body of known length
// arrives in as few reads as it can.
func (c *Conn) Reserve(n int) {
	if c.r+n > len(c.buf) {
		c.grow(c.r + n)
	}
}

// grow moves to a larger buffer. The old one is left to the collector if a
// pinned head in it is still borrowed.
func (c *Conn) grow(n int) {
	b := AcquireBuffer(n)
	copy(b, c.buf[:c.w])
	if c.base == 0 {
		ReleaseBuffer(c.buf)
	}
	c.buf = b
}

// Read reads straight from the connection, past the buffer, which must be
// empty but for bytes that come before these.
func (c *Conn) Read(p []byte) (int, error) {
	if c.raw == nil {
		c.rd.begin(0)
		n, err := c.nc.Read(p)
		return n, c.readErr(err)
	}
	c.in, c.n, c.rerr = p, 0, nil
	err := c.raw.Read(c.onRead)
	c.in = nil
	if err == nil {
		err = c.rerr
	}
	return c.n, c.readErr(err)
}

// readErr gives the Guard's reason for err, if it had one.
func (c *Conn) readErr(err error) error {
	if err == nil || err == io.EOF {
		if why := c.rd.finish(); why == nil || err != nil {
			return err
		}
		// The Guard ended a wait that bytes ended too. Its deadline stands
		// or is about to: the next read will say so.
		c.rd.due.Store(timedOut)
		return nil
	}
	return c.why(&c.rd, err)
}

func (c *Conn) why(w *wait, err error) error {
	if why := w.finish(); why != nil {
		return why
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return ErrBroken
	}
	return err
}

// read is one try of Read: true ends it.
func (c *Conn) read(fd uintptr) bool {
	n, err := sysRead(fd, c.in)
	if err == syscall.EAGAIN {
		c.rd.begin(0)
		return false
	}
	c.n, c.rerr = n, err
	if n == 0 && err == nil {
		c.rerr = io.EOF
	}
	return true
}

// Await waits for bytes with no buffer in hand, so that a connection on which
// nothing happens costs none. between tells that it is a wait between two
// messages, which Guard.EndIdle ends.
func (c *Conn) Await(between bool) error {
	if c.r < c.w {
		return nil
	}
	if c.flag = 0; between {
		c.flag = idle
	}
	if c.raw == nil {
		if err := c.room(1); err != nil {
			return err
		}
		c.rd.begin(c.flag)
		n, err := c.nc.Read(c.buf[c.w:])
		c.w += n
		return c.readErr(err)
	}
	c.rerr = nil
	err := c.raw.Read(c.onWait)
	if err == nil {
		err = c.rerr
	}
	return c.readErr(err)
}

func (c *Conn) await(fd uintptr) bool {
	if c.buf == nil {
		c.buf = AcquireBuffer(SmallBuffer)
	}
	n, err := sysRead(fd, c.buf)
	if err == syscall.EAGAIN {
		c.drop()
		c.rd.begin(c.flag)
		return false
	}
	c.r, c.w, c.rerr = 0, max(n, 0), err
	if n == 0 && err == nil {
		c.rerr = io.EOF
	}
	return true
}

// Each waits for a message, with no buffer in hand, and calls f; and so on
// until f returns false or the connection ends. f must take all that is
// buffered before it returns true, and must not read from the connection.
//
// Fast path: f runs inside the runtime's readiness loop. As long as that is
// not left no wake-up can be missed, so behind a read that took less than it
// could there is no need to read once more in vain, as every new wait must.
// What such a read would have shown is an end that came with the last bytes:
// the first turn does read in vain, for clients that say one thing and hang
// up, and the Guard looks after the others.
func (c *Conn) Each(f func() bool) error {
	if c.raw == nil {
		for {
			if err := c.Await(true); err != nil || !f() {
				return err
			}
		}
	}
	c.ready, c.turns, c.drained, c.rerr = f, 0, false, nil
	err := c.raw.Read(c.onEach)
	c.ready = nil
	if err == nil {
		err = c.rerr
	}
	return c.readErr(err)
}

func (c *Conn) each(fd uintptr) bool {
	if c.rd.due.Load() != 0 { // it has waited
		if c.rerr = c.rd.finish(); c.rerr != nil {
			return true
		}
		c.drained = false
	}
	for {
		if c.r == c.w && (c.drained || !c.gain(fd)) {
			if c.rerr != nil {
				return true
			}
			c.drop()
			c.rd.begin(idle)
			return false
		}
		if !c.ready() {
			return true
		}
		c.turns++
	}
}

// gain reads what is there into the empty buffer, and tells whether that was
// anything.
func (c *Conn) gain(fd uintptr) bool {
	if c.buf == nil {
		c.buf = AcquireBuffer(SmallBuffer)
	}
	n, err := sysRead(fd, c.buf)
	switch {
	case n > 0:
		c.r, c.w = 0, n
		c.drained = n < len(c.buf) && c.turns > 0
		return true
	case n == 0:
		c.rerr = io.EOF
	case err != syscall.EAGAIN:
		c.rerr = err
	}
	return false
}

// Write writes all of p.
func (c *Conn) Write(p []byte) error {
	if c.raw == nil {
		c.wr.begin(0)
		_, err := c.nc.Write(p)
		return c.writeErr(err)
	}
	c.out, c.werr = p, nil
	err := c.raw.Write(c.onWrite)
	c.out = nil
	if err == nil {
		err = c.werr
	}
	return c.writeErr(err)
}

func (c *Conn) writeErr(err error) error {
	if err == nil {
		c.wr.due.Store(0)
		return nil
	}
	return c.why(&c.wr, err)
}

func (c *Conn) write(fd uintptr) bool {
	for len(c.out) > 0 {
		n, err := sysWrite(fd, c.out)
		if n > 0 {
			c.out = c.out[n:]
			continue
		}
		if err == syscall.EAGAIN {
			c.wr.begin(0)
			return false
		}
		c.werr = err
		return true
	}
	return true
}

// The states of Ask.
const (
	askClean uint8 = iota // look whether the connection is what it should be
	askSend               // the request
	askWait               // for the answer
	askBlock              // the socket did not take all of the request at once
)

// Ask sends a whole request on a connection that must be silent, and fills
// the buffer with the answer's first bytes. ErrStale: it was closed or not
// silent, and nothing was sent. sent tells whether any byte may have left.
//
// The silence is proved by a read that finds nothing. A Go program reads once
// in vain anyway, before it parks; here that read is made before the request
// instead of after it, where it also costs nothing: an answer cannot come
// earlier, and if it comes at once, the runtime remembers the wake-up.
func (c *Conn) Ask(req []byte) (sent bool, err error) {
	if c.r != c.w {
		return false, ErrStale
	}
	if err := c.room(1); err != nil {
		return false, err
	}
	if c.raw == nil {
		if err := c.Write(req); err != nil {
			return true, err
		}
		return true, c.Fill(len(c.buf))
	}
	c.asking, c.out, c.rerr = askClean, req, nil
	err = c.raw.Read(c.onAsk)
	if err == nil {
		err = c.rerr
	}
	sent = c.asking > askSend
	if c.asking == askBlock && err == nil {
		if err := c.Write(c.out); err != nil {
			return true, err
		}
		return true, c.Fill(len(c.buf))
	}
	c.out = nil
	return sent, c.readErr(err)
}

func (c *Conn) ask(fd uintptr) bool {
	switch c.asking {
	case askClean:
		if _, err := sysRead(fd, c.buf[c.w:]); err != syscall.EAGAIN {
			c.rerr = ErrStale
			return true
		}
		c.asking = askSend
		fallthrough
	case askSend:
		return c.send(fd)
	}
	n, err := sysRead(fd, c.buf[c.w:])
	if err == syscall.EAGAIN {
		c.rd.begin(0)
		return false
	}
	c.w += max(n, 0)
	if c.rerr = err; n == 0 && err == nil {
		c.rerr = io.EOF
	}
	return true
}

// send is Ask's write. It is made while the read waits, and so takes no lock
// against other writers: a connection that is asked has none.
func (c *Conn) send(fd uintptr) bool {
	n, err := sysWrite(fd, c.out)
	if n < len(c.out) && (n > 0 || err == syscall.EAGAIN) {
		c.out, c.asking = c.out[max(n, 0):], askBlock
		return true
	}
	if err != nil {
		// EPIPE and ECONNRESET here mean that the peer had closed before:
		// not one byte was taken.
		c.rerr = ErrStale
		return true
	}
	c.asking = askWait
	c.rd.begin(0)
	return false
}

// Silent tells whether the connection is open and has nothing to read, by
// trying to read.
func (c *Conn) Silent() bool {
	if c.raw == nil {
		return c.r == c.w
	}
	silent := false
	err := c.raw.Read(func(fd uintptr) bool {
		var b [1]byte
		_, err := sysRead(fd, b[:])
		silent = err == syscall.EAGAIN
		return true
	})
	return err == nil && silent && c.r == c.w
}

// Unpin lets what was pinned be overwritten.
func (c *Conn) Unpin() { c.base = 0 }
