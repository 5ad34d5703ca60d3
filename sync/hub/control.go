package hub

import (
	"context"
	"encoding/json"
	"sync"
	"time"
)

// controlChannel is how nodes speak of connections. No client can be in it: its
// name cannot be printed.
const controlChannel = "\x00control"

// order is what one node tells the others.
type order struct {
	From uint64 `json:"from"`
	Op   op     `json:"op"`
	Who  Target `json:"who,omitzero"`

	Channel string `json:"channel,omitempty"` // to join or leave
	Code    uint16 `json:"code,omitempty"`    // of a Close
	Reason  string `json:"reason,omitempty"`
	Kind    Kind   `json:"kind,omitempty"`
	Data    []byte `json:"data,omitempty"` // to send

	Nonce    uint64    `json:"nonce,omitempty"` // of a question and its answers
	Presence *Presence `json:"presence,omitempty"`
}

type op string

const (
	opHere   op = "here" // each node says so, again and again
	opBye    op = "bye"
	opClose  op = "close"
	opJoin   op = "join"
	opLeave  op = "leave"
	opSend   op = "send"
	opAsk    op = "ask"
	opAnswer op = "answer"
)

// Target says which connections are meant: those to which all that is not
// empty applies. Zero value: none.
type Target struct {
	Conn    string `json:"conn,omitempty"`
	Channel string `json:"channel,omitempty"`
	Session string `json:"session,omitempty"`
}

// Disconnect closes connections on every node.
func (h *Hub) Disconnect(ctx context.Context, who Target, code uint16, reason string) error {
	return h.command(ctx, order{Op: opClose, Who: who, Code: code, Reason: reason})
}

// Subscribe and Unsubscribe change the channels of connections on any node.
func (h *Hub) Subscribe(ctx context.Context, who Target, channel string) error {
	if !ValidName(channel) {
		return h.Stats.refuse(BadName)
	}
	return h.command(ctx, order{Op: opJoin, Who: who, Channel: channel})
}

func (h *Hub) Unsubscribe(ctx context.Context, who Target, channel string) error {
	return h.command(ctx, order{Op: opLeave, Who: who, Channel: channel})
}

// Send shows a message to connections on any node, whatever channels they are in.
func (h *Hub) Send(ctx context.Context, who Target, kind Kind, data []byte) error {
	switch {
	case len(data) > maxSend:
		return h.Stats.refuse(TooLong)
	case kind != Text && kind != Binary:
		return h.Stats.refuse(BadKind)
	}
	return h.command(ctx, order{Op: opSend, Who: who, Kind: kind, Data: data})
}

// maxSend leaves room for base64.
const maxSend = MaxMessage / 2

// command does what o says here, and tells the others, but for a connection
// that is here: it is nowhere else.
func (h *Hub) command(ctx context.Context, o order) error {
	h.obey(&o)
	if o.Who.Conn != "" && h.Conn(o.Who.Conn) != nil {
		return nil
	}
	return h.tellAll(ctx, &o)
}

func (h *Hub) tellAll(ctx context.Context, o *order) error {
	o.From = h.node
	text, err := json.Marshal(o)
	if err != nil {
		return err
	}
	_, err = h.broker.Publish(ctx, controlChannel, text, History{})
	return err
}

// control hears another node's order. It may not wait.
func (h *Hub) control(text []byte) {
	var o order
	if err := json.Unmarshal(text, &o); err != nil {
		h.Stats.refuse(Foreign)
		return
	}
	if o.From == h.node {
		return
	}
	if h.peers.heard(o.From, o.Op != opBye, time.Now()) {
		h.work.start(func() { h.say(h.ctx, opHere) })
	}
	switch o.Op {
	case opAsk:
		h.work.start(func() { h.answer(&o) })
	case opAnswer:
		h.asks.answered(o.Nonce, o.Presence)
	case opHere, opBye:
	default:
		h.work.start(func() { h.obey(&o) })
	}
}

// obey does what is to be done with connections.
func (h *Hub) obey(o *order) {
	for _, c := range h.match(o.Who) {
		switch o.Op {
		case opClose:
			c.m.Close(o.Code, o.Reason)
		case opJoin:
			c.Subscribe(o.Channel)
		case opLeave:
			c.Unsubscribe(o.Channel)
		case opSend:
			if h.post(c.m, newMessage("", ID{}, o.Kind, "", o.Data)) == Full {
				h.tooSlow(c)
			}
		}
	}
}

func (h *Hub) match(who Target) []*Conn {
	switch {
	case who == Target{}:
		return nil
	case who.Conn != "":
		c := h.Conn(who.Conn)
		if c == nil || !c.is(who) {
			return nil
		}
		return []*Conn{c}
	}
	return h.conns(func(c *Conn) bool { return c.is(who) })
}

func (c *Conn) is(who Target) bool {
	if who.Session != "" && who.Session != c.Session {
		return false
	}
	if who.Channel == "" {
		return true
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.find(who.Channel) >= 0
}

// Nodes say that they are there every beatEvery, and are taken for gone when
// they have not for gone.
const (
	beatEvery = 5 * time.Second
	gone      = 3*beatEvery + time.Second
)

// peers are the other nodes.
type peers struct {
	mu  sync.Mutex
	all map[uint64]time.Time // guarded by mu; when each was heard last
}

// heard tells whether the node is new, and has to hear of us.
func (p *peers) heard(node uint64, there bool, now time.Time) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.all == nil {
		p.all = make(map[uint64]time.Time)
	}
	if !there {
		delete(p.all, node)
		return false
	}
	_, known := p.all[node]
	p.all[node] = now
	return !known
}

// alive tells whether a node was heard lately.
func (p *peers) alive(node uint64, now time.Time) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	last, ok := p.all[node]
	return ok && now.Sub(last) <= gone
}

// count forgets who is gone.
func (p *peers) count(now time.Time) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	for node, last := range p.all {
		if now.Sub(last) > gone {
			delete(p.all, node)
		}
	}
	return len(p.all)
}

// Node is this one's number, and Alive tells whether another was heard lately:
// within 16 s.
func (h *Hub) Node() uint64 { return h.node }

func (h *Hub) Alive(node uint64) bool { return h.peers.alive(node, time.Now()) }

// beat says that this node is there, until it is not; Joined says it first.
func (h *Hub) beat() {
	for h.pause(beatEvery) {
		h.say(h.ctx, opHere)
	}
	h.say(context.Background(), opBye)
}

// say is for what may get lost.
func (h *Hub) say(ctx context.Context, what op) {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	_ = h.tellAll(ctx, &order{Op: what})
}
