package proxy

import (
	"io"
	"runtime/debug"
	"sync/atomic"
	"time"

	"multiserver/proxy/wire"
)

// tunnel is a WebSocket between its handshake and its end: two directions of
// bytes, each with a goroutine that reads, writes the same at once, and waits
// with no buffer in hand. Nothing else ever writes to either end, so that what
// we have to say ourselves cannot fall between the bytes of a frame.
type tunnel struct {
	p    *Proxy
	down direction // to the client
	up   direction

	last atomic.Int64 // the Guard's milliseconds when bytes passed, either way
	half atomic.Bool  // one direction has ended
	told atomic.Bool  // it is to end
}

// direction is one of the two, and belongs to its goroutine.
type direction struct {
	t        *tunnel
	src, dst *wire.Conn
	frames   frames
	passed   int64
	lost     error // dst's
	heard    bool  // that the tunnel is told
	mute     bool  // our Close was the last word to dst
}

// halfOpen is how long one direction may stay silent once the other has ended.
const halfOpen = 30 * time.Second

// join passes bytes between a client and an upstream until both have ended,
// and returns how many the client got.
func (p *Proxy) join(client, up *wire.Conn) (sent int64) {
	t := &tunnel{p: p}
	t.down = direction{t: t, src: up, dst: client}
	t.up = direction{t: t, src: client, dst: up, frames: frames{masked: true}}
	t.last.Store(p.opt.Guard.Now())
	for _, d := range [...]*direction{&t.down, &t.up} {
		d.src.ReadWithin(0)
		d.dst.WriteWithin(p.opt.Idle)
	}
	up.ReadWithin(p.opt.TunnelIdle) // one of them looks after the silence of both
	p.tunnels.add(t)
	defer p.tunnels.remove(t)
	client.Hold(func() { up.Hold(t.run) })
	return t.down.passed
}

func (t *tunnel) run() {
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer t.rescue()
		t.up.run()
	}()
	t.down.run()
	<-done
}

// rescue has a panic cost this tunnel and nothing else.
func (t *tunnel) rescue() {
	if r := recover(); r != nil {
		t.p.Stats.Panics.Add(1)
		t.p.opt.Log.Error("BUG: panic", "cause", r, "stack", string(debug.Stack()))
		t.cut()
	}
}

// cut ends both directions where they are.
func (t *tunnel) cut() {
	t.down.src.Interrupt()
	t.down.dst.Interrupt()
}

// run passes bytes on until src has ended, or the tunnel.
func (d *direction) run() {
	pass := d.pass
	for {
		err := d.next(pass)
		switch {
		case d.lost != nil:
			d.t.cut()
			return
		case err != nil && !d.goesOn(err):
			d.end(err)
			return
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
	return d.frames.Left() >= splicedBody && !d.mute && len(d.src.Buffered()) == 0 && wire.CanSplice(d.dst, d.src)
}

// pass writes what has been read, in one piece, and tells whether to read on.
// It leaves when there is something else to do, and behind a Close, for the
// end that may have come with it: see wire's Each.
func (d *direction) pass() bool {
	b := d.src.Buffered()
	if d.mute {
		d.src.Skip(len(b))
		return true
	}
	d.frames.Follow(b)
	if d.lost = d.dst.Write(b, nil); d.lost != nil {
		return false
	}
	d.passed += int64(len(b))
	d.src.Skip(len(b))
	d.t.last.Store(d.t.p.opt.Guard.Now())
	return d.frames.Left() < splicedBody && !d.frames.closed && !d.t.told.Load()
}

// goesOn tells whether reading goes on behind err.
func (d *direction) goesOn(err error) bool {
	t := d.t
	switch err {
	case wire.ErrGone: // its end came with its last bytes, and is to be read yet
	case wire.ErrBroken:
		if d.heard || !t.told.Load() {
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
func (t *tunnel) silence(half bool) time.Duration {
	limit := t.p.opt.TunnelIdle
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
