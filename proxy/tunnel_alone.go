package proxy

import (
	"sync/atomic"

	"multiserver/proxy/wire"
)

// Detach lets the upstream go, which has said that it wants no more of this
// client: it hears a Close of 1000, and its connection ends. The client stays,
// and hears what is posted. What it says is for nobody from here on, but for
// its Close and its pings, which are answered in the upstream's place.
//
// It is for Heard to call, of a tunnel with Terms.Eat; what the upstream says
// behind that message nobody gets.
func (t *Tunnel) Detach() { t.posts.sieve.over = true }

// solitude is that of a client whose upstream has been let go: of the two
// directions, down sees the upstream's connection out, and up goes on alone.
type solitude struct {
	left atomic.Int32 // directions that have to do with the upstream yet
	ears ears         // up's
}

// detached tells d, at the head of its loop, that it is not to go on as before.
func (d *direction) detached() bool {
	t := d.t
	if d == &t.up {
		return t.alone.Load() != nil
	}
	return d.sieved() && t.posts.sieve.over && !d.mute && !t.told.Load() && d.frames.AtMessage()
}

// apart is what d does then.
func (d *direction) apart() (parked bool) {
	if d == &d.t.down {
		d.sees()
		return false
	}
	return d.stays()
}

// sees reads what the upstream still says, for nobody, until it ends.
func (d *direction) sees() {
	s := &solitude{}
	s.left.Store(2)
	d.t.alone.Store(s)
	d.src.EndWrites(farewell) // up may be at it
	d.src.EndWithin(farewell)
	d.t.up.src.InterruptRead()
	_ = d.src.Stream(d.ignore)
	d.t.frees(s)
}

func (d *direction) ignore() bool {
	d.src.Skip(len(d.src.Buffered()))
	return true
}

// frees closes the upstream's connection when neither direction has to do with
// it any more.
func (t *Tunnel) frees(s *solitude) {
	if s.left.Add(-1) == 0 {
		_ = t.down.src.Close() // and once more, in vain, behind the tunnel
	}
}

// stays hears the client, until it or the tunnel ends.
func (d *direction) stays() (parked bool) {
	t := d.t
	s := t.alone.Load()
	if !s.ears.open {
		s.ears = ears{open: true, in: d.frames}
		d.partUp()
		t.frees(s)
		d.src.ReadWithin(t.route.TunnelIdle)
		if s.ears.over() { // its Close has gone to the upstream
			t.says(closeNormal)
		}
	}
	for {
		d.src.ResumeRead()
		if t.dead.Load() {
			return false
		}
		if t.told.Load() && !t.down.mute {
			t.bow()
		}
		if t.down.mute && s.ears.over() {
			t.cut()
			return false
		}
		switch err := d.src.Stream(d.hears); {
		case err == nil, err == wire.ErrBroken, err == wire.ErrGone:
		case err == wire.ErrQuiet:
			if d.park() {
				return true
			}
		case err == wire.ErrTime && d.waits():
		default:
			t.cut()
			return false
		}
	}
}

// partUp says Close to the upstream, if the client's last frame has gone whole.
func (d *direction) partUp() {
	if d.lost == nil && d.frames.AtFrame() {
		_ = d.dst.Write(maskedNormal, nil)
	}
	d.lost = nil
}

// Closes: 1000 as a server and as a client says it (see maskedAway), and 1002,
// for what are no frames of a client.
var (
	closeNormal  = []byte{finBit | opClose, 2, 1000 >> 8, 1000 & 0xff}
	maskedNormal = []byte{finBit | opClose, maskBit | 2, 0, 0, 0, 0, 1000 >> 8, 1000 & 0xff}
	closeBroken  = []byte{finBit | opClose, 2, 1002 >> 8, 1002 & 0xff}
)

// bow says Close to the client behind what is posted: part, of an upstream that
// has gone.
func (t *Tunnel) bow() {
	t.posts.seize()
	defer t.yield()
	t.up.src.ReadWithin(farewell)
	if t.flush() == nil {
		_ = t.down.dst.Write(t.goodbye(), nil)
	}
	t.down.mute = true
}

// hears is for what the client has said. It does not read on when there is a
// Close to say, or to end by.
func (d *direction) hears() bool {
	t := d.t
	b, e := d.src.Buffered(), &t.alone.Load().ears
	t.last.Store(t.p.opt.Guard.Now())
	e.hear(b, t.answer)
	d.src.Skip(len(b))
	if e.in.lost {
		t.says(closeBroken)
	}
	return !e.over() && (!t.told.Load() || t.down.mute)
}

// answer is for a control frame of the client, not masked any more.
func (t *Tunnel) answer(op byte, payload []byte) {
	frame := append([]byte{finBit | opPong, byte(len(payload))}, payload...)
	switch op {
	case opPing:
		t.Post(frame)
	case opClose: // RFC 6455 section 5.5.1: usually by the same code
		frame[0] = finBit | opClose
		t.says(frame)
	}
}

// says has stays say a Close, if none is to be said yet.
func (t *Tunnel) says(frame []byte) {
	t.word.CompareAndSwap(nil, &frame)
	t.p.tunnels.remove(t)
	t.told.Store(true)
	t.down.dst.EndWrites(farewell)
}

// rouse wakes the direction that is to say our Close to the client.
func (t *Tunnel) rouse() {
	if t.alone.Load() != nil {
		t.up.src.InterruptRead()
		return
	}
	t.down.src.InterruptRead()
}
