package pipe

import (
	"net"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"multiserver/proxy/wire"
)

// conn is one connection and its line. One goroutine reads from it, run; of who
// asks, the one who finds nobody writing writes for all.
//
// A request is in the line from join on, and sent from the moment its write
// begins. While none is sent run does not touch the connection, so that who
// sends the next one can see whether it is silent.
type conn struct {
	*wire.Conn
	set  *Conns
	born int64 // of the Guard's milliseconds
	ear

	used   atomic.Int64 // when all was answered last
	places atomic.Int32 // kept or taken
	asked  atomic.Int64 // requests that were in the line so far
	wanted atomic.Int32 // answers that somebody waits for
	shut   atomic.Bool  // lets nobody in any more
	held   atomic.Bool  // nor while the first of the line takes so long

	res     wire.Response // of run
	body    wire.Body     // of run
	skipped int           // of run; bytes of this answer that nobody took

	mu      sync.Mutex
	news    sync.Cond // something was sent, or is over
	line    []*Seat   // guarded by mu; a ring, with room for one whose place is free again
	first   int       // guarded by mu; who is answered next
	n       int       // guarded by mu; how many there are
	sent    int       // guarded by mu; and of how many the request is sent
	dealt   uint64    // guarded by mu; answers so far
	out     []byte    // guarded by mu; requests that are not sent
	writing bool      // guarded by mu
	over    bool      // guarded by mu; it has ended, or is about to
	seen    seen      // guarded by mu

	spare []byte // of who writes: the out before
}

const (
	// writeWithin bounds how long an upstream may take no byte of a request.
	writeWithin = 10 * time.Second
	// mostSpare is up to where a buffer for requests is kept.
	mostSpare = 64 << 10
)

func newConn(s *Conns, nc net.Conn) *conn {
	c := &conn{Conn: wire.NewConn(nc, s.opt.Guard, wire.LargeBuffer), set: s, line: make([]*Seat, s.opt.Depth+1)}
	c.ear.begin(nc)
	c.news.L = &c.mu
	c.born = s.opt.Guard.Now()
	c.used.Store(c.born)
	return c
}

// reserve keeps a place for one more, if these are then depth at most.
func (c *conn) reserve(depth int32) bool {
	if c.shut.Load() || c.held.Load() {
		return false
	}
	if c.places.Add(1) <= depth && !c.shut.Load() {
		return true
	}
	c.places.Add(-1)
	return false
}

// join puts a request in the line, at a place that was kept, and sees to it that
// it is sent. It tells whether that is still possible.
func (c *conn) join(s *Seat, head []byte) bool {
	c.mu.Lock()
	if c.over {
		c.mu.Unlock()
		return false
	}
	c.asked.Add(1)
	s.asked = true
	c.line[(c.first+c.n)%len(c.line)] = s
	c.n++
	c.wanted.Add(1)
	c.out = append(c.out, head...)
	lead := !c.writing
	c.writing = true
	c.mu.Unlock()
	c.set.arm()
	if lead {
		c.send()
	}
	return true
}

// send writes what is there to be sent. First the scheduler lets those have
// their turn who can run now, and may add to it.
func (c *conn) send() {
	runtime.Gosched()
	c.WriteWithin(writeWithin)
	for {
		out, fresh := c.gather()
		if out == nil {
			return
		}
		ok := fresh == 0 || c.silent() && c.wake(fresh)
		if !ok || c.Write(out, nil) != nil {
			c.giveUp()
		}
		if c.spare = out; cap(out) > mostSpare {
			c.spare = nil
		}
	}
}

// gather takes what is to be sent; nil: nothing, and the next one writes. fresh
// is how many requests that are if none is sent yet, else 0.
func (c *conn) gather() (out []byte, fresh int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.out) == 0 || c.over {
		c.writing = false
		c.news.Broadcast() // end may be waiting
		return nil, 0
	}
	out, c.out = c.out, c.spare[:0]
	if c.sent == 0 {
		return out, c.n
	}
	c.sent = c.n
	return out, 0
}

// wake: that many requests are being sent, on a connection that was silent.
func (c *conn) wake(sent int) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.sent = sent
	c.news.Broadcast()
	return !c.over
}

// retire lets nobody in any more, and ends a connection that nobody needs.
func (c *conn) retire() {
	c.shut.Store(true)
	if c.places.Load() == 0 {
		c.giveUp()
	}
}

// unwanted is called when one of those who wait does so no more. What remains
// to be answered on a connection that was shut is nothing to wait for.
func (c *conn) unwanted() {
	if c.wanted.Add(-1) == 0 && c.shut.Load() {
		c.giveUp()
	}
}

// giveUp has run end the connection.
func (c *conn) giveUp() {
	c.shut.Store(true)
	c.mu.Lock()
	c.over = true
	c.news.Broadcast()
	c.mu.Unlock()
	c.Interrupt()
}

// end closes the connection. Who is in the line has had no byte, but perhaps the
// first, who then knows.
func (c *conn) end() {
	c.giveUp()
	c.set.remove(c)
	c.mu.Lock()
	defer c.mu.Unlock()
	for c.writing {
		c.news.Wait()
	}
	_ = c.Close()
	for ; c.n > 0; c.n-- {
		if s := c.line[c.first]; s.fail(errEnded) {
			c.set.debt.Add(1)
		}
		c.first = (c.first + 1) % len(c.line)
	}
}

// ear tells whether a socket is silent, without reading from it.
type ear struct {
	raw    syscall.RawConn  // nil: it is no socket
	listen func(fd uintptr) // bound once, so that it allocates nothing
	quiet  bool
}

func (e *ear) begin(nc net.Conn) {
	e.listen = e.peek
	if sc, ok := nc.(syscall.Conn); ok {
		e.raw, _ = sc.SyscallConn()
	}
}

func (e *ear) silent() bool {
	e.quiet = false
	return e.raw != nil && e.raw.Control(e.listen) == nil && e.quiet
}

func (e *ear) peek(fd uintptr) {
	var b [1]byte
	_, _, err := syscall.Recvfrom(int(fd), b[:], syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
	e.quiet = err == syscall.EAGAIN
}
