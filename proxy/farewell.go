package proxy

import (
	"sync"
	"time"
)

// farewell is how long both ends of a tunnel have to answer a Close of ours; in
// the place of a client that has not by half of it, we tell its upstream.
//
// The code is 1001 and not 1012: who stops is not to know whether somebody
// starts in his place, libraries take 1001 for a good end that one comes back
// from, and some take 1012 for an error.
const farewell = 2 * time.Second

// parting tells whether our Close can be said to the client.
func (d *direction) parting() bool {
	t := d.t
	return d == &t.down && !d.mute && t.told.Load() && (d.frames.AtFrame() || d.frames.closed && d.frames.left == 0)
}

// part says Close to the client, and no more; its answer is what tells the
// upstream, behind all that the client had sent before.
func (d *direction) part() {
	if q := d.posts(); q != nil {
		q.seize()
		defer d.t.yield()
		d.lost = d.t.flush()
	}
	d.mute = true
	d.src.EndWithin(farewell)
	d.dst.EndWithin(farewell / 2)
	if d.lost == nil && d.frames.AtFrame() {
		d.lost = d.dst.Write(d.t.goodbye(), nil)
	}
}

// goodbye is the Close to say.
func (t *Tunnel) goodbye() []byte {
	if w := t.word.Load(); w != nil {
		return *w
	}
	return goingAway
}

// tunnels are those that are open and have not been told to end.
type tunnels struct {
	mu  sync.Mutex
	all map[*Tunnel]struct{} // guarded by mu
}

func (s *tunnels) add(t *Tunnel) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.all == nil {
		s.all = map[*Tunnel]struct{}{}
	}
	s.all[t] = struct{}{}
}

func (s *tunnels) remove(t *Tunnel) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.all, t)
}

// EndTunnels tells one in parts of the open tunnels that they are to end, any
// of them; called once a Tick with fewer parts each time down to 1, it spreads
// them over that time, so that their clients do not all come back at once. A
// tunnel at the end of a frame says Close 1001 to both its ends and waits a
// moment for theirs; others go on up to there.
func (p *Proxy) EndTunnels(parts int) {
	s := &p.tunnels
	s.mu.Lock()
	defer s.mu.Unlock()
	n := (len(s.all) + parts - 1) / parts
	for t := range s.all { // in an order that changes each time
		if n--; n < 0 {
			return
		}
		delete(s.all, t)
		p.Stats.TunnelsTold.Add(1)
		t.told.Store(true)
		t.rouse()
	}
}
