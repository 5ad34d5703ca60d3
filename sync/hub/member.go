package hub

import (
	"net/netip"
	"slices"
	"sync"
)

// Member is a client's connection as the hub sees it. Both methods return at
// once: what cannot be written now is the connection's to queue, within a
// budget of its own. They are called from any goroutine, one message at a time
// for each channel.
type Member interface {
	Post(m *Message) Verdict

	// Close ends the connection with a Close of its kind, behind what is queued
	// if there is room.
	Close(code uint16, reason string)
}

// nearer is a Member that can have what its Post looks at fetched from memory,
// shortly before. What is returned is of no account.
type nearer interface{ Near() int64 }

// Verdict is what became of a message.
type Verdict uint8

const (
	Written Verdict = iota // to the kernel
	Queued                 // behind others
	Evicted                // queued, and older ones have been dropped for it
	Full                   // dropped: over budget
	Closed                 // the connection has ended
)

// Codes of a Close (RFC 6455 section 7.4.1, and the registry it begins).
const (
	GoingAway     = 1001
	PolicyBroken  = 1008
	TryAgainLater = 1013
)

// Who is what is known of a connection.
type Who struct {
	ID      string // NewID's
	Addr    netip.Addr
	Session string // "": it has none
	Path    string
	Origin  string // the upstream that it hangs on; for bridges
}

// Conn is a connection's place in the hub. Its methods may be called from any
// goroutine.
type Conn struct {
	Who
	h *Hub
	m Member

	mu    sync.Mutex
	subs  []*sub     // guarded by mu; few
	ended bool       // guarded by mu
	alive *beatTimer // guarded by mu; nil: there is no keep-alive
}

// people are all connections of this node.
type people struct {
	mu     sync.RWMutex
	byID   map[string]*Conn   // guarded by mu
	byAddr map[netip.Addr]int // guarded by mu
}

// Enter gives a connection its place. OK is the only Reason with a Conn; it
// must Leave.
func (h *Hub) Enter(m Member, who Who) (*Conn, Reason) {
	c := &Conn{Who: who, h: h, m: m}
	p := &h.people
	p.mu.Lock()
	defer p.mu.Unlock()
	if h.ctx.Err() != nil || p.byID[who.ID] != nil {
		return nil, h.Stats.refuse(Ended)
	}
	if h.full(who.Addr) {
		return nil, h.Stats.refuse(AddressFull)
	}
	p.byID[who.ID] = c
	p.byAddr[who.Addr]++
	h.Stats.Members.Add(1)
	return c, OK
}

// Crowded tells whether Enter would refuse one more connection of an address,
// and counts it as refused.
func (h *Hub) Crowded(addr netip.Addr) bool {
	if h.opt.MaxPerAddr == 0 { // fast path
		return false
	}
	h.people.mu.RLock()
	full := h.full(addr)
	h.people.mu.RUnlock()
	if full {
		h.Stats.refuse(AddressFull)
	}
	return full
}

// full is called with people.mu held. Who has no address, as on a Unix socket,
// may be anyone.
func (h *Hub) full(addr netip.Addr) bool {
	most := h.opt.MaxPerAddr
	return most > 0 && addr.IsValid() && h.people.byAddr[addr] >= most
}

// Leave takes the connection out of all channels. It may be called twice.
func (c *Conn) Leave() {
	c.mu.Lock()
	subs, ended := c.subs, c.ended
	c.subs, c.ended = nil, true
	if c.alive != nil {
		c.alive.Stop()
	}
	c.mu.Unlock()
	if ended {
		return
	}
	for _, s := range subs {
		c.h.remove(s)
	}
	p := &c.h.people
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.byID, c.ID)
	if p.byAddr[c.Addr]--; p.byAddr[c.Addr] <= 0 {
		delete(p.byAddr, c.Addr)
	}
	c.h.Stats.Members.Add(-1)
}

// Subscribe makes the connection a member of a channel, if it is none yet. What
// other nodes publish is heard a round trip to the broker later, and so is
// what is kept, where the channel had no member here.
func (c *Conn) Subscribe(channel string) Reason { return c.subscribe(channel, nil) }

func (c *Conn) subscribe(channel string, r *resume) Reason {
	if !ValidName(channel) {
		return c.h.Stats.refuse(BadName)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.ended:
		return c.h.Stats.refuse(Ended)
	case c.find(channel) >= 0:
		return OK
	case len(c.subs) >= c.h.opt.MaxJoined:
		return c.h.Stats.refuse(TooManyJoined)
	}
	s, why := c.h.add(c, channel, r)
	if why == OK {
		c.subs = append(c.subs, s)
	}
	return why
}

// Unsubscribe ends that. A message that is on its way may still come.
func (c *Conn) Unsubscribe(channel string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if i := c.find(channel); i >= 0 {
		c.h.remove(c.subs[i])
		c.subs = slices.Delete(c.subs, i, i+1)
	}
}

// find returns the index of a channel's sub, or -1. Called with mu held.
func (c *Conn) find(channel string) int {
	return slices.IndexFunc(c.subs, func(s *sub) bool { return s.ch.name == channel })
}

// Channels are those that it is in.
func (c *Conn) Channels() (names []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, s := range c.subs {
		names = append(names, s.ch.name)
	}
	return names
}

// Conn finds one of this node; nil: there is none.
func (h *Hub) Conn(id string) *Conn {
	h.people.mu.RLock()
	defer h.people.mu.RUnlock()
	return h.people.byID[id]
}

// conns are those that f says.
func (h *Hub) conns(f func(c *Conn) bool) (some []*Conn) {
	h.people.mu.RLock()
	defer h.people.mu.RUnlock()
	for _, c := range h.people.byID {
		if f(c) {
			some = append(some, c)
		}
	}
	return some
}

// End closes every connection of this node, as a drain does.
func (h *Hub) End(code uint16, reason string) {
	for _, c := range h.conns(func(*Conn) bool { return true }) {
		c.m.Close(code, reason)
	}
}
