package hub

import (
	"runtime/debug"
	"sync"
)

// What may wait to be shown in one channel. Beyond it the newest is dropped; if
// it is kept, it is found again as a gap.
const (
	maxQueue      = 1024
	maxQueueBytes = 16 << 20
)

// few members are shown a message by whoever publishes it; more, by a goroutine.
const few = 32

// show puts m in its channel's queue and sees to it that somebody shows it. By
// mine the caller says that he may, if that is quick.
func (h *Hub) show(m *Message, mine bool) {
	s := h.shard(m.Channel)
	s.mu.Lock()
	ch := s.channels[m.Channel]
	if ch == nil {
		s.mu.Unlock()
		return
	}
	if len(ch.queue) >= maxQueue || ch.bytes+len(m.frame) > maxQueueBytes {
		s.mu.Unlock()
		h.Stats.refuse(Overrun)
		return
	}
	ch.queue = append(ch.queue, m)
	ch.bytes += len(m.frame)
	mine = mine && len(ch.subs) <= few
	begin := h.begin(ch, !mine)
	s.mu.Unlock()
	if begin && mine {
		h.drain(ch, 1)
	}
}

// begin tells whether somebody has to start showing, and starts a goroutine if
// told to. Called with the shard's mu held.
func (h *Hub) begin(ch *channel, apart bool) bool {
	if ch.busy || ch.filling || len(ch.queue) == 0 {
		return false
	}
	ch.busy = true
	if apart && !h.work.start(func() { h.drain(ch, -1) }) {
		ch.busy = false
	}
	return true
}

// lists are copies of channels' members, for as long as one message takes.
var lists = sync.Pool{New: func() any { return new([]*sub) }}

// drain shows what waits, in order, to whoever is a member at that moment; at
// most most messages, and what is left is a goroutine's. No lock is held while
// connections are written to.
func (h *Hub) drain(ch *channel, most int) {
	list := lists.Get().(*[]*sub)
	defer func() {
		clear(*list)
		*list = (*list)[:0]
		lists.Put(list)
	}()
	s := ch.shard
	for ; ; most-- {
		s.mu.Lock()
		if most == 0 {
			ch.busy = false
			h.begin(ch, true)
			s.mu.Unlock()
			return
		}
		m := h.next(ch)
		if m == nil {
			ch.busy = false
			s.mu.Unlock()
			return
		}
		*list = append((*list)[:0], ch.subs...)
		s.mu.Unlock()
		h.spread(*list, m)
	}
}

// spread is the fan-out: one call for each member, which does not wait.
func (h *Hub) spread(list []*sub, m *Message) {
	var count [Closed + 1]uint64
	for i, one := range list {
		if i%together == 0 {
			approach(list[i:min(i+together, len(list))])
		}
		if m.spares(one.c) {
			continue
		}
		if r := one.behind.Load(); r != nil && r.holds(one, m) {
			continue
		}
		v := h.post(one.m, m)
		count[v]++
		if v == Full {
			h.tooSlow(one.c)
		}
	}
	h.Stats.Written.Add(count[Written])
	h.Stats.Queued.Add(count[Queued])
	h.Stats.Evicted.Add(count[Evicted])
	h.Stats.Dropped.Add(count[Full])
}

// together is how many members are looked at before they are written to. A core's
// cache does not hold a thousand: each Post would wait for memory ten times, one
// after the other, and a system call lets none of these waits begin early. Of
// several members they pass side by side: a fifth of what a delivery to 1,000
// costs beside its write.
const together = 8

func approach(list []*sub) {
	for _, one := range list {
		if one.near != nil {
			one.near.Near()
		}
	}
}

// spares tells whether c is not to get it.
func (m *Message) spares(c *Conn) bool {
	return m.Exclude != "" && c.ID == m.Exclude || m.origin != "" && c.Origin == m.origin
}

// post has a panic of a member cost that member and nobody else.
func (h *Hub) post(to Member, m *Message) (v Verdict) {
	defer func() {
		if r := recover(); r != nil {
			h.opt.Log.Error("BUG: a member panicked", "cause", r, "stack", string(debug.Stack()))
			v = Closed
		}
	}()
	return to.Post(m)
}

// tooSlow is for a member that could not be given a message.
func (h *Hub) tooSlow(c *Conn) {
	h.Stats.refuse(Slow)
	if !h.opt.DropNewest {
		c.m.Close(TryAgainLater, "too slow")
	}
}

// next takes the next message that is to be shown from the queue; nil: there
// is none, or it has to wait. Called with the shard's mu held.
func (h *Hub) next(ch *channel) *Message {
	for len(ch.queue) > 0 && !ch.filling {
		m := ch.queue[0]
		fits := ch.fits(m)
		if fits == ahead && !m.sure {
			h.Stats.Gaps.Add(1)
			h.fill(ch)
			return nil
		}
		ch.queue[0] = nil
		ch.queue = ch.queue[1:]
		ch.bytes -= len(m.frame)
		if len(ch.queue) == 0 {
			ch.queue = nil
		}
		if fits == old {
			continue
		}
		if fits == ahead && m.ID.Epoch == ch.last.Epoch {
			h.Stats.Lost.Add(m.ID.Offset - ch.last.Offset - 1)
		}
		if m.ID != (ID{}) {
			ch.last, ch.known = m.ID, true
		}
		if !m.hidden {
			return m
		}
	}
	return nil
}

type fit uint8

const (
	right fit = iota
	old
	ahead
)

// fits tells where m stands to what was shown last.
func (ch *channel) fits(m *Message) fit {
	switch id := m.ID; {
	case id == ID{}, !ch.known:
		return right
	case id.Epoch != ch.last.Epoch:
		if id.Offset == 1 {
			return right
		}
		return ahead
	case id.Offset <= ch.last.Offset:
		return old
	case id.Offset > ch.last.Offset+1:
		return ahead
	}
	return right
}
