package hub

import (
	"context"
	"time"
)

// Post is what somebody publishes.
type Post struct {
	Channel string
	Kind    Kind   // zero: Text
	Exclude string // a connection that does not get it
	Origin  string // of Show: an upstream; who hangs on it does not get it
	Data    []byte // borrowed until Publish or Offer returns
}

// Messages of one channel go out one after the other, those of different ones
// side by side.
const (
	outboxes   = 16
	outboxSize = 256
	sendWithin = 5 * time.Second
)

type outbox struct{ waiting chan *outgoing }

// outgoing is one message on its way to other nodes.
type outgoing struct {
	channel string
	keep    History
	msg     []byte   // envelope
	shown   *Message // what is shown here if nobody can be told; nil: nothing
	seq     uint64
	done    chan sent // nil: nobody waits
}

type sent struct {
	id  ID
	err error
}

// Publish shows a message to all members of its channel on every node. It
// returns when other nodes are told, with its ID if it is kept. A Reason as
// error: nobody has got it. Any other: the members of this node have, and
// others may not.
func (h *Hub) Publish(ctx context.Context, p Post) (ID, error) {
	o, why := h.pack(p)
	if why != OK {
		return ID{}, why
	}
	o.done = make(chan sent, 1)
	select {
	case h.shard(o.channel).box.waiting <- o:
	case <-ctx.Done():
		return ID{}, h.Stats.refuse(Busy)
	case <-h.ctx.Done():
		return ID{}, h.Stats.refuse(Ended)
	}
	h.shows(o)
	select {
	case s := <-o.done:
		return s.id, s.err
	case <-ctx.Done():
		return ID{}, ctx.Err()
	case <-h.ctx.Done():
		return ID{}, h.ctx.Err()
	}
}

// Offer is Publish for who must not wait: what cannot be queued is refused.
func (h *Hub) Offer(p Post) Reason {
	o, why := h.pack(p)
	if why != OK {
		return why
	}
	select {
	case h.shard(o.channel).box.waiting <- o:
		h.shows(o)
		return OK
	default:
		return h.Stats.refuse(Busy)
	}
}

// Show shows a message to the channel's members on this node, and tells no
// other. It is not kept.
func (h *Hub) Show(p Post) Reason {
	if why := h.judge(&p); why != OK {
		return why
	}
	if h.has(p.Channel) {
		m := newMessage(p.Channel, ID{}, p.Kind, p.Exclude, p.Data)
		m.origin = p.Origin
		h.show(m, true)
	}
	return OK
}

// judge refuses what nobody may publish.
func (h *Hub) judge(p *Post) Reason {
	if p.Kind == 0 {
		p.Kind = Text
	}
	switch {
	case h.ctx.Err() != nil:
		return h.Stats.refuse(Ended)
	case !ValidName(p.Channel):
		return h.Stats.refuse(BadName)
	case len(p.Data) > MaxMessage:
		return h.Stats.refuse(TooLong)
	case p.Kind != Text && p.Kind != Binary:
		return h.Stats.refuse(BadKind)
	case len(p.Exclude) > maxName:
		p.Exclude = "" // nobody's
	}
	return OK
}

// pack judges and encodes.
func (h *Hub) pack(p Post) (*outgoing, Reason) {
	if why := h.judge(&p); why != OK {
		return nil, why
	}
	h.Stats.Published.Add(1)
	e := envelope{from: h.node, seq: h.seq.Add(1), kind: p.Kind, exclude: p.Exclude, data: p.Data}
	o := &outgoing{channel: p.Channel, keep: h.opt.History(p.Channel), seq: e.seq}
	o.msg = e.append(make([]byte, 0, envelopeHead+len(e.exclude)+len(e.data)))
	if h.has(p.Channel) {
		o.shown = newMessage(p.Channel, ID{}, p.Kind, p.Exclude, p.Data)
	}
	return o, OK
}

// shows shows what is not kept, at once; the rest comes back with its ID.
func (h *Hub) shows(o *outgoing) {
	if o.shown != nil && !o.keep.Kept() {
		h.show(o.shown, true)
	}
}

func (h *Hub) has(channel string) bool {
	s := h.shard(channel)
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.channels[channel] != nil
}

// send empties an outbox.
func (h *Hub) send(b *outbox) {
	for {
		select {
		case o := <-b.waiting:
			id, err := h.carry(o)
			if o.done != nil {
				o.done <- sent{id, err}
			}
		case <-h.ctx.Done():
			return
		}
	}
}

// carry hands o to the Broker. What was to be kept and cannot be is shown here
// all the same, once: an error does not say that it has not arrived.
func (h *Hub) carry(o *outgoing) (ID, error) {
	ctx, cancel := context.WithTimeout(h.ctx, sendWithin)
	defer cancel()
	kept := o.keep.Kept()
	if kept {
		h.shown.leaves(o.seq)
	}
	id, err := h.broker.Publish(ctx, o.channel, o.msg, o.keep)
	if err != nil {
		h.Stats.Unshared.Add(1)
	}
	switch {
	case !kept:
	case err == nil:
		h.shown.settle(o.seq)
	case h.shown.claim(o.seq) && o.shown != nil:
		h.show(o.shown, true)
	}
	return id, err
}

// Message is what the Broker has for this node.
func (h *Hub) Message(channel string, id ID, msg []byte) {
	if channel == controlChannel {
		h.control(msg)
		return
	}
	if m := h.open(channel, id, msg); m != nil {
		h.show(m, false)
	}
}

// open reads what came from the Broker; nil: it is nothing to show.
func (h *Hub) open(channel string, id ID, msg []byte) *Message {
	var e envelope
	if !e.parse(msg) {
		h.Stats.refuse(Foreign)
		return nil
	}
	if e.from != h.node {
		h.Stats.Received.Add(1)
	} else if id == (ID{}) {
		return nil // it was shown when it left
	}
	m := newMessage(channel, id, e.kind, e.exclude, e.data)
	m.hidden = e.from == h.node && h.shown.comes(e.seq)
	return m
}
