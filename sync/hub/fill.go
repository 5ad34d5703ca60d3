package hub

import (
	"context"
	"errors"
	"time"
)

const (
	replayWithin = 5 * time.Second
	replayTries  = 3
	replayPause  = 200 * time.Millisecond
)

// Joined is the Broker's word that a channel is heard from here on: what is
// kept and was said before, and behind what was shown, is looked for.
func (h *Hub) Joined(name string) {
	if name == controlChannel { // others answer, and are known
		h.work.start(func() { h.say(h.ctx, opHere) })
		return
	}
	s := h.shard(name)
	s.mu.Lock()
	defer s.mu.Unlock()
	if ch := s.channels[name]; ch != nil && ch.keep && ch.known {
		h.fill(ch)
	}
}

// locate asks where a channel's history ends, before it is joined: all that is
// behind is for its members. Called with the shard's mu held.
func (h *Hub) locate(ch *channel) {
	ch.asked = true
	h.work.start(func() {
		newest, err := h.replay(ch.name, ID{}, nil)
		s := ch.shard
		s.mu.Lock()
		if !ch.known { // a message may have come and told it
			ch.last, ch.known = newest, err == nil
		}
		close(ch.located)
		s.mu.Unlock()
		h.dirty.add(ch)
	})
}

// fill looks for what was kept behind the last that was shown. The queue waits.
// Called with the shard's mu held.
func (h *Hub) fill(ch *channel) {
	if ch.filling {
		ch.again = true
		return
	}
	ch.filling = h.work.start(func() { h.fills(ch, ch.last) })
}

func (h *Hub) fills(ch *channel, after ID) {
	var missed []*Message
	collect := func(id ID, msg []byte) {
		if m := h.open(ch.name, id, msg); m != nil {
			missed = append(missed, m)
		}
	}
	newest, err := h.replay(ch.name, after, collect)
	if errors.Is(err, ErrEpoch) && newest != (ID{}) { // it began anew: all of it is new
		_, err = h.replay(ch.name, ID{Epoch: newest.Epoch}, collect)
	}
	if err != nil && !errors.Is(err, ErrEpoch) {
		h.opt.Log.Warn("a gap in a channel stays, as its history cannot be read", "channel", ch.name, "err", err)
	}
	h.filled(ch, missed)
}

// filled puts what was missed before what has come meanwhile: next drops what
// is there twice. If the link was lost again, it is all to be looked for again.
func (h *Hub) filled(ch *channel, missed []*Message) {
	s := ch.shard
	s.mu.Lock()
	defer s.mu.Unlock()
	ch.filling = false
	if ch.again {
		ch.again = false
		h.fill(ch)
		return
	}
	h.Stats.Replayed.Add(uint64(len(missed)))
	for _, m := range missed {
		ch.bytes += len(m.frame)
	}
	ch.queue = append(missed, ch.queue...)
	for _, m := range ch.queue {
		m.sure = true
	}
	h.begin(ch, true)
}

// replay asks the Broker, a few times if it fails, and not for long.
func (h *Hub) replay(channel string, after ID, f func(id ID, msg []byte)) (newest ID, err error) {
	for try := range replayTries {
		if try > 0 && !h.pause(replayPause) {
			break
		}
		ctx, cancel := context.WithTimeout(h.ctx, replayWithin)
		newest, err = h.broker.Replay(ctx, channel, after, f)
		cancel()
		if err == nil || errors.Is(err, ErrEpoch) {
			break
		}
	}
	return newest, err
}

// pause tells whether the hub still lives behind it.
func (h *Hub) pause(d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-h.ctx.Done():
		return false
	}
}
