package wire

import (
	"errors"
	"net"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// Conn is a connection with a read buffer and a limit on every wait. One
// goroutine may read while another writes.
//
// Plain TCP and Unix sockets are read and written by system calls of our own
// inside the runtime's readiness loop (syscall.RawConn), or one of our own (see
// settle), which is what lets Ask save a call; anything else (TLS, a test's pipe)
// goes by Read and Write.
type Conn struct {
	swap  sync.Mutex // for the next three, but for who owns c: settle replaces them
	nc    net.Conn
	raw   syscall.RawConn        // nil: no plain socket
	sock  syscall.RawConn        // the socket under all, if there is one
	own   atomic.Pointer[socket] // behind settle, else nil
	guard *Guard
	shard *shard
	place int // guarded by shard.mu

	buf   []byte // nil while nothing is buffered and nobody reads
	r, w  int    // unread: buf[r:w]
	base  int    // buf[:base] is pinned: the head of the message under way
	held  []byte // where it stays if the buffer had to grow
	first int    // size of the buffer to begin with

	rd, wr wait
	wrote  int64         // bytes, of the writing goroutine
	given  atomic.Bool   // up, by Interrupt
	parks  atomic.Bool   // see MayPark
	state  atomic.Uint32 // see Park
	plain  bool          // it may be settled, or is
	ends   atomic.Int64  // of EndWithin, in Unix nanoseconds; 0: none
	stops  atomic.Int64  // of EndWrites, the same
	since  int64         // when it was parked; 0: it was not
	lot    *lot          // nil: it was never parked
	spot   int32         // in the lot
	turn   int32         // its own; 0: none yet
	waker  Waker
	inTurn bool                 // see InTurn
	corked bool                 // see Cork
	full   bool                 // there may be more to read than was read for a turn
	client atomic.Pointer[Conn] // whose exchange this upstream connection serves
	off    *atomic.Bool         // see CallOff; nil: never
	fd     uintptr              // behind Own, else 0

	*reads  // nil: nobody does
	*writes // the same
}

// ErrBroken: Interrupt ended the wait.
var ErrBroken = errors.New("connection given up")

// NewConn takes over nc; Close closes it. first is the size of the buffer that
// reading begins with.
func NewConn(nc net.Conn, g *Guard, first int) *Conn {
	c := &Conn{nc: nc, guard: g, first: first}
	c.rd.by, c.wr.by = forever, forever
	c.raw = rawConn(nc)
	c.sock = c.raw
	if t, ok := nc.(interface{ NetConn() net.Conn }); ok && c.raw == nil { // *tls.Conn
		c.sock = rawConn(t.NetConn())
	}
	switch nc.(type) {
	case *net.TCPConn, *net.UnixConn:
		c.plain = c.raw != nil
	}
	g.join(c)
	return c
}

func rawConn(nc net.Conn) syscall.RawConn {
	if sc, ok := nc.(syscall.Conn); ok {
		if raw, err := sc.SyscallConn(); err == nil {
			return raw
		}
	}
	return nil
}

// Close closes the connection and takes back its buffer.
func (c *Conn) Close() error {
	c.guard.leave(c)
	if c.lot != nil {
		c.lot.leave(c)
	}
	err := c.nc.Close()
	c.r, c.fd = c.w, 0
	c.Release()
	return err
}

// Abort closes the connection so that the peer sees it break: by a reset, not
// by an end that could pass for the end of a body.
func (c *Conn) Abort() {
	nc := c.nc
	if t, ok := nc.(interface{ NetConn() net.Conn }); ok {
		nc = t.NetConn() // TLS would say goodbye, which is an end
	}
	if t, ok := nc.(interface{ SetLinger(int) error }); ok {
		_ = t.SetLinger(0)
	}
	_ = nc.Close()
	_ = c.Close()
}

// NetConn is the connection underneath.
func (c *Conn) NetConn() net.Conn { return c.nc }

// Interrupt ends the reads and writes under way and to come; they return
// ErrBroken. It may be called from any goroutine.
func (c *Conn) Interrupt() {
	c.given.Store(true)
	c.deadline(net.Conn.SetDeadline, past)
	c.unpark()
}

// deadline sets one on whatever is underneath just now. It may be called from
// any goroutine.
func (c *Conn) deadline(set func(net.Conn, time.Time) error, t time.Time) {
	if c.plain { // what is beneath others may have locks of its own
		c.swap.Lock()
		defer c.swap.Unlock()
	}
	_ = set(c.nc, t)
}

// InterruptRead is Interrupt for reads only; ResumeRead takes it back once
// no read is under way.
func (c *Conn) InterruptRead() {
	c.given.Store(true)
	c.deadline(net.Conn.SetReadDeadline, past)
	c.unpark()
}

// ResumeRead lets reads go on after InterruptRead.
func (c *Conn) ResumeRead() {
	c.given.Store(false)
	c.deadline(net.Conn.SetReadDeadline, time.Time{})
}

// ReadWithin limits the reads from here on to end d from now; 0: no limit.
func (c *Conn) ReadWithin(d time.Duration) { c.rd.within(c.guard.Now(), d) }

// WriteWithin limits how long the writes from here on may make no progress; 0:
// no limit.
func (c *Conn) WriteWithin(d time.Duration) { c.wr.within(c.guard.Now(), d) }

// EndWithin limits what is still read to end d from now, whatever limits come
// later; the goroutine that reads need not know.
func (c *Conn) EndWithin(d time.Duration) {
	end := time.Now().Add(d)
	c.ends.Store(end.UnixNano())
	c.parks.Store(false) // the Guard knows nothing of this limit
	c.deadline(net.Conn.SetReadDeadline, end)
	c.unpark()
}

// EndWrites is EndWithin for what is still written.
func (c *Conn) EndWrites(d time.Duration) {
	end := time.Now().Add(d)
	c.stops.Store(end.UnixNano())
	c.deadline(net.Conn.SetWriteDeadline, end)
}

// Wrote is how many bytes were written so far.
func (c *Conn) Wrote() int64 { return c.wrote }

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

// Unread takes back a Pin(n), which nothing has been read or consumed behind.
func (c *Conn) Unread(n int) {
	c.r -= n
	c.base = 0
}

// Unpin lets what was pinned be overwritten.
func (c *Conn) Unpin() { c.base = 0 }

// Release unpins, and gives the buffer back if nothing in it is unread.
func (c *Conn) Release() {
	c.base = 0
	if c.held != nil {
		ReleaseBuffer(c.held)
		c.held = nil
	}
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
		c.buf = AcquireBuffer(c.first)
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
		c.grow(n)
	}
}

// grow moves what is unread to a larger buffer. A pinned head stays where it
// is, for it is borrowed.
func (c *Conn) grow(n int) {
	b := AcquireBuffer(n)
	c.w = copy(b, c.buf[c.r:c.w])
	switch {
	case c.base == 0:
		ReleaseBuffer(c.buf)
	case c.held == nil:
		c.held = c.buf
	}
	c.buf, c.r, c.base = b, 0, 0
}
