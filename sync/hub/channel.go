package hub

import (
	"hash/maphash"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// shard is some of the channels, by the hash of their names.
type shard struct {
	box *outbox // where their messages leave by

	mu       sync.Mutex
	channels map[string]*channel // guarded by mu
}

// channel is one that has members on this node, or had until a moment ago. All
// of it but name and keep is guarded by its shard's mu.
type channel struct {
	name  string
	shard *shard
	keep  bool // its messages have ids

	subs  []*sub
	empty time.Time // since when it has no member
	said  bool      // the broker was told to join it

	queue []*Message // to be shown, in order
	bytes int        // of queue
	busy  bool       // somebody shows it

	last    ID            // the newest that is kept and was shown, or was there before
	known   bool          // last says something; zero then: nothing was kept
	asked   bool          // last has been asked for
	located chan struct{} // closed when that was answered, or nobody wants to know any more; nil: nothing is kept
	filling bool          // somebody looks for what is behind last; the queue waits
	again   bool          // and has to look once more
}

// sub is a connection in a channel, and what a message to it needs.
type sub struct {
	m      Member                 // c's
	near   nearer                 // the same; nil: it is none
	behind atomic.Pointer[resume] // nil: it is shown what comes
	c      *Conn
	ch     *channel
	at     int // in ch.subs; guarded by the shard's mu
}

func (h *Hub) shard(channel string) *shard {
	return &h.shards[maphash.String(h.seed, channel)%uint64(len(h.shards))]
}

// add makes c a member.
func (h *Hub) add(c *Conn, name string, r *resume) (*sub, Reason) {
	s := h.shard(name)
	s.mu.Lock()
	defer s.mu.Unlock()
	ch := s.channels[name]
	if ch == nil {
		ch = &channel{name: name, shard: s, keep: h.opt.History(name).Kept()}
		if ch.keep {
			ch.located = make(chan struct{})
		}
		s.channels[name] = ch
	}
	if most := h.opt.MaxMembers; most > 0 && len(ch.subs) >= most {
		return nil, h.Stats.refuse(ChannelFull)
	}
	if len(ch.subs) == 0 {
		h.Stats.Channels.Add(1)
		h.dirty.add(ch)
	}
	one := &sub{m: c.m, c: c, ch: ch, at: len(ch.subs)}
	one.near, _ = c.m.(nearer)
	one.behind.Store(r)
	ch.subs = append(ch.subs, one)
	return one, OK
}

// remove ends a membership. The last of a channel leaves it to the tender.
func (h *Hub) remove(one *sub) {
	ch := one.ch
	ch.shard.mu.Lock()
	defer ch.shard.mu.Unlock()
	last := len(ch.subs) - 1
	ch.subs[one.at] = ch.subs[last]
	ch.subs[one.at].at = one.at
	ch.subs[last] = nil
	ch.subs = ch.subs[:last]
	if last == 0 {
		ch.subs = nil
		ch.empty = time.Now()
		h.Stats.Channels.Add(-1)
		h.dirty.add(ch)
	}
}

// dirty are channels that the broker may have to be told of.
type dirty struct {
	wake chan struct{}

	mu  sync.Mutex
	all []*channel // guarded by mu
}

func (d *dirty) add(some ...*channel) {
	d.mu.Lock()
	d.all = append(d.all, some...)
	d.mu.Unlock()
	select {
	case d.wake <- struct{}{}:
	default: // it is awake
	}
}

func (d *dirty) take() (all []*channel) {
	d.mu.Lock()
	defer d.mu.Unlock()
	all, d.all = d.all, nil
	return all
}

// batch bounds how many channels the broker is told of at once.
const batch = 512

// tend tells the broker what this node wants to hear. One goroutine does, so
// that the last word about a channel is the true one.
func (h *Hub) tend() {
	h.broker.Join(controlChannel)
	var leaving []*channel // empty since a moment
	tick := time.NewTicker(max(h.opt.LeaveBehind/5, time.Millisecond))
	defer tick.Stop()
	for {
		select {
		case <-h.ctx.Done():
			return
		case <-h.dirty.wake:
			leaving = h.tell(append(leaving, h.dirty.take()...))
		case <-tick.C:
			leaving = h.tell(leaving)
		}
	}
}

// tell joins and leaves, and returns what is to be looked at once more.
func (h *Hub) tell(some []*channel) (later []*channel) {
	now := time.Now()
	for part := range slices.Chunk(some, batch) {
		var join, leave []string
		for _, ch := range part {
			switch h.wish(ch, now) {
			case wishJoin:
				join = append(join, ch.name)
			case wishLeave:
				leave = append(leave, ch.name)
			case wishWait:
				later = append(later, ch)
			}
		}
		if len(leave) > 0 { // first: a channel may have ended and begun again
			h.broker.Leave(leave...)
		}
		if len(join) > 0 {
			h.broker.Join(join...)
		}
	}
	return later
}

type wish uint8

const (
	wishNothing wish = iota
	wishJoin
	wishLeave
	wishWait
)

// wish is what the broker is to be told of a channel.
func (h *Hub) wish(ch *channel, now time.Time) wish {
	s := ch.shard
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.channels[ch.name] != ch: // it was left before
		return wishNothing
	case len(ch.subs) > 0 && ch.said:
		return wishNothing
	case len(ch.subs) > 0 && ch.keep && !ch.asked:
		h.locate(ch)
		return wishNothing
	case len(ch.subs) > 0:
		ch.said = true
		return wishJoin
	case now.Sub(ch.empty) < h.opt.LeaveBehind || ch.busy || ch.filling:
		return wishWait
	}
	delete(s.channels, ch.name)
	if ch.keep && !ch.asked {
		close(ch.located)
	}
	if !ch.said {
		return wishNothing
	}
	return wishLeave
}
