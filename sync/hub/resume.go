package hub

import (
	"context"
	"errors"
	"sync"
	"time"
)

// resume is a member that is being shown what it has missed. What comes
// meanwhile waits here.
type resume struct {
	since ID

	mu   sync.Mutex
	held []*Message // guarded by mu
	over bool       // guarded by mu; too much was to be held
	done bool       // guarded by mu
	top  ID         // guarded by mu; the newest that it was shown
}

const (
	maxHeld = 1024
	// patience is how long a member that takes nothing is waited for while it is
	// shown what it has missed.
	patience     = 10 * time.Second
	patienceStep = 5 * time.Millisecond
)

// Newest is where a channel's history ends; zero: nothing is kept. To Resume from
// there misses nothing, also from zero.
func (c *Conn) Newest(ctx context.Context, channel string) (ID, error) {
	if !ValidName(channel) || !c.h.opt.History(channel).Kept() {
		return ID{}, nil
	}
	return c.h.broker.Replay(ctx, channel, ID{}, nil)
}

// Resume makes the connection a member of a channel and shows it what was
// published behind since (all that is kept, if that is zero), then what is new,
// each once. If that cannot be had any more, it is shown a reset. From zero, in a
// channel of which nothing is kept, it is Subscribe.
func (c *Conn) Resume(channel string, since ID) Reason {
	if since == (ID{}) && !c.h.opt.History(channel).Kept() {
		return c.Subscribe(channel)
	}
	r := &resume{since: since}
	why := c.subscribe(channel, r)
	if why != OK {
		return why
	}
	c.mu.Lock()
	i := c.find(channel)
	var one *sub
	if i >= 0 {
		one = c.subs[i]
	}
	c.mu.Unlock()
	if one == nil || one.behind.Load() != r { // it has been a member all along
		return OK
	}
	c.h.Stats.Resumed.Add(1)
	c.h.work.start(func() { c.h.resumes(one, r) })
	return OK
}

// holds tells whether m is not to be shown now.
func (r *resume) holds(one *sub, m *Message) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.done {
		shown := m.ID != (ID{}) && m.ID.Epoch == r.top.Epoch && m.ID.Offset <= r.top.Offset
		if !shown && m.ID != (ID{}) {
			one.behind.CompareAndSwap(r, nil)
		}
		return shown
	}
	if len(r.held) >= maxHeld {
		r.over = true
		return true
	}
	r.held = append(r.held, m)
	return true
}

// resumes shows what was missed. It is looked for behind the channel's own end,
// not before: what is published between would be old to the channel, and too
// new for what was found.
func (h *Hub) resumes(one *sub, r *resume) {
	if one.ch.keep {
		select {
		case <-one.ch.located:
		case <-h.ctx.Done():
			return
		}
	}
	var missed []*Message
	newest, err := h.replay(one.ch.name, r.since, func(id ID, msg []byte) {
		if m := h.open(one.ch.name, id, msg); m != nil {
			missed = append(missed, m)
		}
	})
	top := r.since
	unknown := err != nil || r.since.Epoch == newest.Epoch && r.since.Offset > newest.Offset
	trimmed := len(missed) > 0 && missed[0].ID.Offset != r.since.Offset+1 ||
		len(missed) == 0 && newest.Offset > r.since.Offset
	if unknown || trimmed {
		h.Stats.Resets.Add(1)
		h.insist(one.c, resetMessage(one.ch.name, newest))
	}
	if unknown {
		top = newest
	}
	if err != nil && !errors.Is(err, ErrEpoch) {
		h.opt.Log.Warn("a client cannot be shown what it has missed, as it cannot be read", "channel", one.ch.name, "err", err)
	}
	for batch := missed; ; {
		for _, m := range batch {
			if m.ID != (ID{}) {
				if m.ID.Epoch == top.Epoch && m.ID.Offset <= top.Offset {
					continue
				}
				top = m.ID
			}
			if m.Exclude != one.c.ID && !h.insist(one.c, m) {
				return // it is gone, or will be at once
			}
		}
		if batch = r.more(top); batch == nil {
			break
		}
	}
	if r.over {
		h.Stats.refuse(TooMuchToReplay)
		one.c.m.Close(TryAgainLater, "too much to replay")
	}
}

// more returns what was held meanwhile; nil: nothing, and nothing is any more.
func (r *resume) more(top ID) []*Message {
	r.mu.Lock()
	defer r.mu.Unlock()
	held := r.held
	r.held = nil
	if len(held) == 0 {
		r.done, r.top = true, top
		return nil
	}
	return held
}

// insist shows m to a member, and waits for room if it has none: history comes
// faster than a network takes it.
func (h *Hub) insist(c *Conn, m *Message) bool {
	for waited := time.Duration(0); ; waited += patienceStep {
		switch v := h.post(c.m, m); {
		case v == Closed:
			return false
		case v != Full:
			h.Stats.Queued.Add(1)
			return true
		case waited >= patience:
			h.tooSlow(c)
			return h.opt.DropNewest
		}
		if !h.pause(patienceStep) {
			return false
		}
	}
}
