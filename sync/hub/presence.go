package hub

import (
	"context"
	"slices"
	"sync"
	"time"
)

// Presence is who is there, on all nodes that have answered.
type Presence struct {
	Nodes    int              `json:"nodes"`             // that answered, this one too
	Missing  int              `json:"missing,omitempty"` // that did not in time
	Cut      bool             `json:"cut,omitempty"`     // there is more than is shown
	Channels map[string]int   `json:"channels,omitempty"`
	Members  []PresenceMember `json:"members,omitempty"`
}

// PresenceMember is one connection.
type PresenceMember struct {
	ID       string   `json:"id"`
	Session  string   `json:"session,omitempty"`
	Addr     string   `json:"addr,omitempty"`
	Path     string   `json:"path,omitempty"`
	Channels []string `json:"channels,omitempty"`
}

// What one node tells at most, so that an answer stays below MaxMessage.
const (
	maxPresence = 2000
	askWithin   = time.Second
)

// Channels tells how many members each channel has.
func (h *Hub) Channels(ctx context.Context) Presence { return h.ask(ctx, Target{}) }

// Members tells who they are to which all that is not empty in who applies.
func (h *Hub) Members(ctx context.Context, who Target) Presence { return h.ask(ctx, who) }

// ask puts a question to all nodes and waits for as many answers as there
// seem to be nodes, and not for long.
func (h *Hub) ask(ctx context.Context, who Target) Presence {
	all := h.present(who)
	want := h.peers.count(time.Now())
	if want == 0 {
		return all
	}
	ctx, cancel := context.WithTimeout(ctx, askWithin)
	defer cancel()
	nonce := number64()
	answers := h.asks.open(nonce, want)
	defer h.asks.close(nonce)
	if err := h.tellAll(ctx, &order{Op: opAsk, Nonce: nonce, Who: who}); err != nil {
		all.Missing = want
		return all
	}
	for ; want > 0; want-- {
		select {
		case p := <-answers:
			all.add(p)
		case <-ctx.Done():
			all.Missing = want
			return all
		case <-h.ctx.Done():
			return all
		}
	}
	return all
}

func (h *Hub) answer(o *order) {
	ctx, cancel := context.WithTimeout(h.ctx, askWithin)
	defer cancel()
	p := h.present(o.Who)
	_ = h.tellAll(ctx, &order{Op: opAnswer, Nonce: o.Nonce, Presence: &p}) // who asked stops waiting
}

// present is this node's part.
func (h *Hub) present(who Target) Presence {
	p := Presence{Nodes: 1}
	if who == (Target{}) {
		p.Channels, p.Cut = h.counts()
		return p
	}
	for _, c := range h.match(who) {
		if len(p.Members) == maxPresence {
			p.Cut = true
			break
		}
		p.Members = append(p.Members, c.present())
	}
	return p
}

func (c *Conn) present() PresenceMember {
	m := PresenceMember{ID: c.ID, Session: c.Session, Path: c.Path, Channels: c.Channels()}
	if c.Addr.IsValid() {
		m.Addr = c.Addr.String()
	}
	return m
}

func (h *Hub) counts() (counts map[string]int, cut bool) {
	counts = make(map[string]int)
	for i := range h.shards {
		s := &h.shards[i]
		s.mu.Lock()
		for name, ch := range s.channels {
			if len(ch.subs) > 0 && len(counts) < maxPresence {
				counts[name] = len(ch.subs)
			} else if len(ch.subs) > 0 {
				cut = true
			}
		}
		s.mu.Unlock()
	}
	return counts, cut
}

// add adds another node's part.
func (p *Presence) add(other *Presence) {
	p.Nodes += other.Nodes
	p.Cut = p.Cut || other.Cut
	p.Members = slices.Concat(p.Members, other.Members)
	for name, n := range other.Channels {
		p.Channels[name] += n
	}
}

// asks are questions that answers are waited for.
type asks struct {
	mu  sync.Mutex
	all map[uint64]chan *Presence // guarded by mu; by nonce
}

func (a *asks) open(nonce uint64, most int) chan *Presence {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.all == nil {
		a.all = make(map[uint64]chan *Presence)
	}
	answers := make(chan *Presence, most)
	a.all[nonce] = answers
	return answers
}

func (a *asks) close(nonce uint64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.all, nonce)
}

func (a *asks) answered(nonce uint64, p *Presence) {
	a.mu.Lock()
	answers := a.all[nonce]
	a.mu.Unlock()
	if p == nil || answers == nil {
		return
	}
	select {
	case answers <- p:
	default: // a node more than there seemed to be
	}
}
