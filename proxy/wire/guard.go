package wire

import (
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// Tick is how often a Guard looks, and so how exact time limits are: a wait
// ends at its limit or up to two Ticks after it, never before.
const Tick = 50 * time.Millisecond

// stride is the most that the Guard's time advances in one look. On a machine
// that is starved a look may come late; time then stood still meanwhile, so
// that nobody is told to have waited longer than he had a chance to.
const stride = Tick + Tick/5

// Guard ends the waits of many connections that last too long. Setting a
// deadline on a socket costs a timer; here a wait costs two atomic operations,
// and one goroutine looks at all of them.
type Guard struct {
	now    atomic.Int64 // milliseconds the Guard has seen pass
	unix   atomic.Int64 // the time of day, in milliseconds
	date   atomic.Pointer[[]byte]
	last   time.Time // of the Guard's goroutine: when it looked
	shards [16]shard
	next   atomic.Uint32
	stop   chan struct{}
	done   chan struct{}
	lots   lots
}

type shard struct {
	mu    sync.Mutex
	conns []*Conn // guarded by mu; a Conn knows its place
	_     [64]byte
}

// NewGuard starts a Guard; Close ends it.
func NewGuard() *Guard {
	g := &Guard{last: time.Now(), stop: make(chan struct{}), done: make(chan struct{})}
	g.look()
	go g.run()
	return g
}

// Close stops the Guard and waits for its goroutine. Waits that are under way
// or begin later have no limit any more: close the connections first.
func (g *Guard) Close() {
	close(g.stop)
	<-g.done
	g.lots.close()
}

// Now is the time as of the last Tick, in milliseconds that the Guard has seen
// pass.
func (g *Guard) Now() int64 { return g.now.Load() }

// Unix is the time of day as of the last Tick, in milliseconds: for who asks for
// each request, and would pay the system's clock a hundredth of it.
func (g *Guard) Unix() int64 { return g.unix.Load() }

// Date is the time as of the last Tick as a Date field, name and CRLF
// included. It is never changed, only replaced.
func (g *Guard) Date() []byte { return *g.date.Load() }

func (g *Guard) run() {
	defer close(g.done)
	t := time.NewTicker(Tick)
	defer t.Stop()
	for n := 0; ; n++ {
		select {
		case <-g.stop:
			return
		case <-t.C:
		}
		now := g.look()
		for i := range g.shards {
			g.shards[i].sweep(now, n%askEvery == 0)
		}
	}
}

func (g *Guard) look() int64 {
	t := time.Now()
	now := g.now.Load() + min(t.Sub(g.last), stride).Milliseconds()
	g.last = t
	g.now.Store(now)
	g.unix.Store(t.UnixMilli())
	line := append(t.UTC().AppendFormat([]byte("Date: "), "Mon, 02 Jan 2006 15:04:05 GMT"), "\r\n"...)
	g.date.Store(&line)
	return now
}

// Every askEvery Ticks the Guard asks whether the clients of long waits are
// still there, and believes a no after askPatience times: a client may also have
// said that it will send no more and be waiting for its answer.
const (
	askEvery    = 4
	askPatience = 5
)

// Of thousands of clients who come at once, say one thing and are silent, each
// holds a stack until he is parked. So for the first time that is after two
// Ticks; who comes back may go on doing so, and is let wait for longer.

// sweep ends what is overdue, what is called off, and the waits whose client
// has left.
func (s *shard) sweep(now int64, ask bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.conns {
		if d := c.wr.due.Load(); d > 0 && d>>seqBits <= now {
			c.endWrite(d)
		}
		d := c.rd.due.Load()
		switch {
		case d <= 0:
		case d>>seqBits <= now:
			c.endRead(d, timedOut)
		case d&asked != 0 && c.off != nil && c.off.Load():
			c.endRead(d, calledOff)
		case ask, d&idle != 0 && !c.rd.calm && c.parks.Load():
			c.askClient(d)
		}
	}
}

// askClient looks at the wait d of c, with the shard's mu held.
func (c *Conn) askClient(d int64) {
	w := &c.rd
	if w.seen != d { // a new one: short waits are not asked about
		w.seen, w.missed = d, 0
		return
	}
	client := c.client.Load()
	switch {
	case d&(idle|lull) != 0 && c.parks.Load():
		if c.state.Load() == awake { // where an end that comes later is seen as well
			w.calm = true
			if w.end(d, quiet) {
				c.deadline(net.Conn.SetReadDeadline, past)
			}
		}
	case d&(idle|lull) != 0:
		if w.missed == 0 && c.Left() { // see Each
			c.endRead(d, clientLeft)
		}
		w.missed = 1 // once is enough: an end that comes later wakes the wait
	case client != nil && client.Left():
		if w.missed++; w.missed >= askPatience || !client.plain && client.sock == nil { // what is no socket knows for sure
			c.endRead(d, clientLeft)
		}
	}
}

// endRead ends the wait d for bytes, also a parked one.
func (c *Conn) endRead(d, why int64) {
	if c.rd.end(d, why) && !c.unpark() {
		c.deadline(net.Conn.SetReadDeadline, past)
	}
}

func (c *Conn) endWrite(d int64) {
	if c.wr.end(d, timedOut) {
		c.deadline(net.Conn.SetWriteDeadline, past)
	}
}

// EndIdle ends the waits for a next request, so that a server that stops is
// left by the clients that want nothing.
func (g *Guard) EndIdle() {
	for i := range g.shards {
		s := &g.shards[i]
		s.mu.Lock()
		for _, c := range s.conns {
			if d := c.rd.due.Load(); d > 0 && d&idle != 0 {
				c.endRead(d, timedOut)
			}
		}
		s.mu.Unlock()
	}
}

// EndAll interrupts every connection.
func (g *Guard) EndAll() {
	for i := range g.shards {
		s := &g.shards[i]
		s.mu.Lock()
		for _, c := range s.conns {
			c.Interrupt()
		}
		s.mu.Unlock()
	}
}

func (g *Guard) join(c *Conn) {
	s := &g.shards[g.next.Add(1)%uint32(len(g.shards))]
	s.mu.Lock()
	c.shard, c.place = s, len(s.conns)
	s.conns = append(s.conns, c)
	s.mu.Unlock()
}

func (g *Guard) leave(c *Conn) {
	s := c.shard
	s.mu.Lock()
	defer s.mu.Unlock()
	if c.place < 0 {
		return // closed before
	}
	last := len(s.conns) - 1
	s.conns[c.place] = s.conns[last]
	s.conns[c.place].place = c.place
	s.conns[last] = nil
	s.conns = s.conns[:last]
	c.place = -1
}

// wait is one direction of a connection as the Guard sees it.
type wait struct {
	due    atomic.Int64  // 0: nobody waits; > 0: limit, flags, seq; < 0: ended by the Guard
	seq    int64         // of the waiting goroutine
	each   time.Duration // what within was given
	by     int64         // limit in milliseconds of the Guard's time, of the waiting goroutine
	seen   int64         // of the Guard: the wait it saw last
	missed int32         // of the Guard: how often the client of that wait was not there
	calm   bool          // of the Guard: it was told to park before
}

// The seq makes each wait's due its own, so that the Guard can never end the
// wait after the one it looked at.
const (
	seqBits = 17
	idle    = 1 << (seqBits - 1) // for a next request
	asked   = 1 << (seqBits - 2) // for the first bytes of an answer
	lull    = 1 << (seqBits - 3) // for more of a stream
	seqMask = lull - 1
	forever = 1<<(62-seqBits) - 1
)

const (
	timedOut   = -1
	clientLeft = -2
	calledOff  = -3
	quiet      = -4
)

var past = time.Unix(1, 0)

// end claims the wait d, whose goroutine is then to be woken. If it has just
// woken by itself, the claim fails.
func (w *wait) end(d, why int64) bool { return w.due.CompareAndSwap(d, why) }

// renew is within again, for a wait behind some progress.
func (w *wait) renew(now int64) { w.within(now, w.each) }

// begin is called before a goroutine parks, finish after it woke.
func (w *wait) begin(flag int64) {
	w.seq = (w.seq + 1) & seqMask
	w.due.Store(w.by<<seqBits | flag | w.seq)
}

func (w *wait) finish() error {
	switch w.due.Swap(0) {
	case timedOut:
		return ErrTime
	case clientLeft:
		return ErrGone
	case calledOff:
		return ErrCalledOff
	case quiet:
		return ErrQuiet
	}
	return nil
}

// within sets the limit of the waits from here on; 0 means none.
func (w *wait) within(now int64, d time.Duration) {
	w.each = d
	if w.by = forever; d > 0 {
		w.by = now + (d + stride).Milliseconds()
	}
}
