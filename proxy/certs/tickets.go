package certs

import (
	"context"
	"crypto/rand"
	"slices"
	"time"
)

// Shared is where nodes keep ticket keys together, so that each can resume
// what another began.
type Shared interface {
	// Keys returns the keys of n epochs from one on, the same ones on every
	// node. What there is none for yet it makes up, and keeps for long enough.
	Keys(ctx context.Context, from int64, n int) ([][32]byte, error)
}

// TicketAge is an epoch: how long a key is handed out under. Whoever has it
// can read what TLS 1.2 clients said that resumed under it, so none lives for
// long.
const TicketAge = 12 * time.Hour

// ticketKeys is how many are taken: a session can be resumed for 24 hours.
const ticketKeys = 3

// shareTime is for an answer of Shared.
const shareTime = 2 * time.Second

// tickets are the keys of session tickets.
type tickets struct {
	own    [][32]byte // the present one first
	since  time.Time  // of own[0]
	shared map[int64][32]byte
	set    [][32]byte // what a Config has: the one to hand out under, then those still taken
	trouble
}

// rotate puts a new key before the others if it is time.
func (t *tickets) rotate(now time.Time) {
	if len(t.own) > 0 && now.Sub(t.since) < TicketAge {
		return
	}
	own := make([][32]byte, 1, ticketKeys)
	_, _ = rand.Read(own[0][:]) // never fails
	t.own = append(own, t.own[:min(len(t.own), ticketKeys-1)]...)
	t.since = now
}

// settle works out what a Config should have now, and tells whether that is
// something else than before. The nodes' common key comes first. That of the
// next epoch is taken already, for the others' clocks are not ours; and it is
// there when the epoch comes, should Shared be away then. After that we are on
// our own.
func (t *tickets) settle(now time.Time) (changed bool) {
	t.rotate(now)
	e, keys := epoch(now), [][32]byte(nil)
	if k, ok := t.shared[e]; ok {
		keys = append(keys, k)
	}
	keys = append(keys, t.own...)
	for _, e := range []int64{e + 1, e - 1, e - 2} {
		if k, ok := t.shared[e]; ok {
			keys = append(keys, k)
		}
	}
	changed = !slices.Equal(keys, t.set)
	t.set = keys
	return changed
}

func epoch(now time.Time) int64 { return now.Unix() / int64(TicketAge/time.Second) }

// share gets the keys that all nodes have, if they are not all here.
func (s *Store) share(ctx context.Context) {
	now := epoch(time.Now())
	s.mu.Lock()
	_, has := s.tickets.shared[now+1]
	s.mu.Unlock()
	if has || s.opt.Shared == nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, shareTime)
	defer cancel()
	first := now - ticketKeys + 1
	keys, err := s.opt.Shared.Keys(ctx, first, ticketKeys+1)
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.tickets.repeats(err):
	case err != nil:
		s.opt.Log.Warn("ticket keys are not shared, this node resumes its own sessions only", "cause", err)
	default:
		s.tickets.shared = map[int64][32]byte{}
		for i, k := range keys {
			s.tickets.shared[first+int64(i)] = k
		}
		s.opt.Log.Info("ticket keys shared")
	}
}
