package proxy

import (
	"io"
	"runtime/debug"
	"sync/atomic"
	"time"

	"multiserver/pool"
	"multiserver/proxy/wire"
)

// Tunnel is a WebSocket between its handshake and its end: two directions of
// bytes. Between plain sockets a direction is parked: what comes is passed on
// where it was read (Pass), by a goroutine that many share. Where that does not
// do, for dst does not take all of it, src ends, a frame is long or to be
// looked at, it has a goroutine of its own that reads and writes the same, and
// waits with no buffer in hand, until src is quiet (Wake). Without plain sockets
// it has that all the time.
// Nothing else ever writes to either end, but for what a Watcher posts to the
// client, so that what we have to say ourselves cannot fall between the bytes
// of a frame.
type Tunnel struct {
	Tag any // the Watcher's own

	p     *Proxy
	route *Route
	down  direction // to the client
	up    direction

	last atomic.Int64 // the Guard's milliseconds when bytes passed, either way
	half atomic.Bool  // one direction has ended
	told atomic.Bool  // it is to end
	dead atomic.Bool  // it was cut
	open atomic.Int32 // directions that have not ended

	// Who hears that both have ended, and whether directions with nothing to
	// pass have no goroutine: done where one waits, else client, and they have
	// none.
	done   chan struct{}
	client *Client
	link   *pool.Link

	word  atomic.Pointer[[]byte]   // the Close to say; nil: goingAway
	posts *posts                   // what its Watcher has to do with it; nil: nobody watches
	alone atomic.Pointer[solitude] // nil: Detach has not been called
}

// direction is one of the two, and belongs to its goroutine.
type direction struct {
	t        *Tunnel
	src, dst *wire.Conn
	frames   frames
	passed   int64
	lost     error // dst's
	heard    bool  // that the tunnel is told
	mute     bool  // our Close was the last word to dst
}

// halfOpen is how long one direction may stay silent once the other has ended.
const halfOpen = 30 * time.Second

// join has t be between x's client and its upstream.
func (t *Tunnel) join(x *Exchange) {
	t.p, t.route = x.Client.p, x.route
	x.part() // nothing of what the routes lead to is asked any more
	client, up := x.Client.Conn, x.link.Conn
	t.down = direction{t: t, src: up, dst: client}
	t.up = direction{t: t, src: client, dst: up, frames: frames{masked: true}}
}

// carry passes bytes between the two until both have ended.
func (t *Tunnel) carry() {
	t.done = make(chan struct{})
	t.start()
	<-t.done
}

// start begins to pass bytes. From here on each direction is a goroutine, or
// parked if it may be; the one that ends last ends the tunnel.
func (t *Tunnel) start() {
	p, client, up := t.p, t.down.dst, t.down.src
	t.last.Store(p.opt.Guard.Now())
	t.open.Store(2)
	if t.done == nil {
		up.Beside(client)
	}
	for _, c := range [...]*wire.Conn{client, up} {
		c.ReadWithin(0)
		c.WriteWithin(t.route.Idle)
		c.MayPark(t.done == nil)
		c.Own()
	}
	up.ReadWithin(t.route.TunnelIdle) // one of them looks after the silence of both
	p.tunnels.add(t)
	if t.posts != nil {
		t.yield() // the turn that begin took
	}
	for _, d := range [...]*direction{&t.down, &t.up} {
		if t.done != nil || !d.park() {
			go d.Wake()
		}
	}
}

// Wake passes bytes on until src is quiet and parked, or has ended.
func (d *direction) Wake() {
	if !d.carry() {
		d.t.ended()
	}
}

func (d *direction) carry() (parked bool) {
	defer d.t.rescue()
	return d.run()
}

// ended is for a direction that has.
func (t *Tunnel) ended() {
	if t.open.Add(-1) > 0 {
		return
	}
	if t.posts != nil {
		t.close()
	}
	t.p.tunnels.remove(t)
	if t.done != nil {
		close(t.done)
		return
	}
	t.client.tunneled(t)
}

// rescue has a panic cost this tunnel and nothing else.
func (t *Tunnel) rescue() {
	if r := recover(); r != nil {
		t.p.Stats.Panics.Add(1)
		t.p.opt.Log.Error("BUG: panic", "cause", r, "stack", string(debug.Stack()))
		t.cut()
	}
}

// cut ends both directions where they are.
func (t *Tunnel) cut() {
	t.dead.Store(true)
	t.down.src.Interrupt()
	t.down.dst.Interrupt()
}

// park leaves src parked, and tells whether that worked.
func (d *direction) park() bool {
	if d.sieved() || d.t.alone.Load() != nil {
		return d.src.Park((*looker)(d), false)
	}
	return d.src.Park(d, false)
}

// looker is a direction whose bytes are looked at, which takes a goroutine.
type looker direction

// Wake is the direction's.
func (l *looker) Wake() { (*direction)(l).Wake() }

// Pass passes on what has been read while src is parked, as much of it as dst
// takes at once, if nobody else writes there; the rest is for Wake.
func (d *direction) Pass() (stays bool) {
	defer d.t.rescue()
	q := d.posts()
	switch {
	case d.mute, d.t.told.Load(), d.t.alone.Load() != nil:
		return false
	case q == nil:
		return d.offer()
	case !q.grab():
		return false
	}
	defer d.t.yield()
	return d.offer()
}

// offer is give for no more than dst takes at once.
func (d *direction) offer() (all bool) {
	b := d.src.Buffered()
	n, err := d.dst.Try(b)
	d.lost = err
	d.src.Skip(n)
	d.went(b[:n])
	return n == len(b) && d.more()
}

// run passes bytes on until src has ended, or the tunnel, or src is parked.
func (d *direction) run() (parked bool) {
	pass := d.pass
	if d.posts() != nil {
		pass = d.passInTurn
	}
	for {
		if d.detached() {
			return d.apart()
		}
		err := d.next(pass)
		switch {
		case d.detached():
		case d.lost != nil:
			d.t.cut()
			return false
		case err == wire.ErrQuiet:
			if d.park() {
				return true
			}
		case err != nil && !d.goesOn(err):
			d.end(err)
			return false
		}
		if d.parting() {
			d.part()
		}
	}
}

// next passes bytes on until there is something else to do: a payload that is
// long goes through the kernel, for its length is known.
func (d *direction) next(pass func() bool) error {
	if !d.long() {
		return d.src.Stream(pass)
	}
	d.src.Release()
	if q := d.posts(); q != nil {
		q.seize()
		defer d.t.yield()
	}
	fromSrc, err := wire.Splice(d.dst, d.src, int64(d.frames.Left()), func(n int64) {
		d.frames.Passed(n)
		d.passed += n
		d.t.last.Store(d.t.p.opt.Guard.Now())
	})
	switch {
	case err != nil && !fromSrc:
		d.lost = err
	case err == io.ErrUnexpectedEOF:
		return io.EOF
	}
	return err
}

func (d *direction) long() bool {
	return d.frames.Left() >= splicedFrame && !d.mute && !d.sieved() && len(d.src.Buffered()) == 0 && wire.CanSplice(d.dst, d.src)
}

// posts is what may be written between src's frames; nil: nothing.
func (d *direction) posts() *posts {
	if d == &d.t.down {
		return d.t.posts
	}
	return nil
}

// sieved tells whether src's frames may not all pass.
func (d *direction) sieved() bool { return d.posts() != nil && d.posts().sieve != nil }

// pass writes what has been read, in one piece, and tells whether to read on.
// It leaves when there is something else to do, and behind a Close, for the
// end that may have come with it: see wire's Each.
func (d *direction) pass() bool {
	b := d.src.Buffered()
	if d.mute {
		d.src.Skip(len(b))
		return true
	}
	more := d.give(b)
	d.src.Skip(len(b))
	return more
}

// give writes the next bytes, and tells whether to read on.
func (d *direction) give(b []byte) bool {
	if len(b) > 0 {
		d.lost = d.dst.Write(b, nil)
	}
	if d.lost != nil {
		return false
	}
	d.went(b)
	return d.more()
}

// went counts bytes that dst has.
func (d *direction) went(b []byte) {
	d.frames.Follow(b)
	d.passed += int64(len(b))
	d.t.last.Store(d.t.p.opt.Guard.Now())
}

// more tells whether nothing but more bytes is to be waited for.
func (d *direction) more() bool {
	return d.lost == nil && d.frames.Left() < splicedFrame && !d.frames.closed && !d.t.told.Load()
}

// goesOn tells whether reading goes on behind err.
func (d *direction) goesOn(err error) bool {
	t := d.t
	switch err {
	case wire.ErrGone: // its end came with its last bytes, and is to be read yet
	case wire.ErrBroken:
		if d.heard || t.dead.Load() || !t.told.Load() {
			return false
		}
		d.heard = true
	case wire.ErrTime:
		if !d.waits() {
			return false
		}
	default:
		return false
	}
	d.src.ResumeRead()
	if d.mute { // told while it said so: the limit is gone with the interruption
		d.src.EndWithin(farewell)
	}
	return true
}

// waits sets the limit of the next wait, and tells whether there is any.
func (d *direction) waits() bool {
	t := d.t
	half := t.half.Load()
	switch limit := t.silence(half); {
	case d.mute, d == &t.up && t.told.Load():
		return false
	case limit == 0:
		d.src.ReadWithin(0)
	case limit > 0:
		d.src.ReadWithin(limit)
	case half || t.told.Load():
		return false
	default:
		t.p.Stats.TunnelsIdle.Add(1)
		t.p.tunnels.remove(t)
		d.heard = true
		t.told.Store(true)
		d.src.ReadWithin(farewell)
	}
	return true
}

// silence is for how much longer there may be some; 0: without limit; less:
// there was too much of it.
func (t *Tunnel) silence(half bool) time.Duration {
	limit := t.route.TunnelIdle
	if half && (limit == 0 || limit > halfOpen) {
		limit = halfOpen
	}
	if limit == 0 {
		return 0
	}
	limit -= time.Duration(t.p.opt.Guard.Now()-t.last.Load()) * time.Millisecond
	if limit == 0 {
		return -1
	}
	return limit
}

// end hands the end of src on: the direction's alone if it is one, the
// tunnel's if the connection broke or took too long.
func (d *direction) end(err error) {
	t := d.t
	if err == wire.ErrTime && d == &t.up && t.told.Load() {
		if d.frames.AtFrame() {
			_ = d.dst.Write(maskedAway, nil)
		}
		return // the other direction waits for the answer
	}
	if d.posts() != nil && d.last() != nil {
		t.cut()
		return
	}
	half, ok := d.dst.NetConn().(interface{ CloseWrite() error })
	if err != io.EOF || !ok || half.CloseWrite() != nil {
		t.cut()
		return
	}
	t.half.Store(true)
	if t.told.Load() {
		d.dst.EndWithin(farewell)
	} else {
		d.dst.EndWithin(halfOpen)
	}
}
