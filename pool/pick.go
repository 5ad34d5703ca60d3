package pool

import (
	"multiserver/pool/balance"
	"multiserver/proxy/wire"
)

// Tried remembers where a request has been. The zero value is ready.
type Tried struct {
	ups [maxTries]*Upstream
	n   int
}

const maxTries = 4

// Count is how many upstreams were tried.
func (t *Tried) Count() int { return t.n }

// Reset forgets all.
func (t *Tried) Reset() { t.n = 0 }

func (t *Tried) has(u *Upstream) bool {
	for _, v := range t.ups[:t.n] {
		if v == u {
			return true
		}
	}
	return false
}

// Take is Pick for client, which waits in the pool's queue while all that
// could be picked are full. Second tries have a line of their own: they may go
// to fewer upstreams than others, who would wait behind them for nothing.
func (p *Pool) Take(client *wire.Conn, key uint64, tried *Tried) (*Upstream, *Fault) {
	q := p.queue
	if tried.n > 0 {
		q = p.second
	}
	if !q.Busy() { // fast path
		if u, full := p.pick(key, tried); u != nil || !full {
			return u, noneLeft(u)
		}
	}
	var u *Upstream
	err := q.Wait(client, func() bool {
		var full bool
		u, full = p.pick(key, tried)
		return !full
	})
	if err != nil {
		return nil, QueueFault(err)
	}
	return u, noneLeft(u)
}

// TryTake is Take for who may not wait. nil: Take may have more to say.
func (p *Pool) TryTake(key uint64, tried *Tried) *Upstream {
	if p.queue.Busy() {
		return nil
	}
	u, _ := p.pick(key, tried)
	return u
}

// Pick chooses an upstream that was not tried yet and has a free slot, notes
// it in tried and takes a slot there, which Done gives back. nil: there is
// none, or enough were tried.
func (p *Pool) Pick(key uint64, tried *Tried) *Upstream {
	u, _ := p.pick(key, tried)
	return u
}

// pick is Pick, and tells whether somebody was passed over only for being
// full.
func (p *Pool) pick(key uint64, tried *Tried) (u *Upstream, full bool) {
	s := p.snap.Load()
	if len(s.ups) == 0 || tried.n == maxTries {
		return nil, false
	}
	i := s.picker.Pick(key)
	if u = s.ups[i]; !tried.has(u) && u.take() { // fast path
		return tried.note(u), false
	}
	return s.walk(key, i, tried)
}

// walk looks further when the one picked cannot be had: a few more picks, so
// that his load is spread as the algorithm spreads load, then all in order.
func (s *snapshot) walk(key uint64, i int, tried *Tried) (u *Upstream, full bool) {
	for range 2 {
		key = balance.Next(key)
		if u := s.ups[s.picker.Pick(key)]; !tried.has(u) && u.take() {
			return tried.note(u), false
		}
	}
	for range s.ups {
		if u := s.ups[i]; !tried.has(u) {
			if u.take() {
				return tried.note(u), false
			}
			full = true
		}
		if i++; i == len(s.ups) {
			i = 0
		}
	}
	return nil, full
}

func (t *Tried) note(u *Upstream) *Upstream {
	t.ups[t.n] = u
	t.n++
	return u
}

// take takes a slot, if there is one.
func (u *Upstream) take() bool {
	if most := u.limit.Load(); most == 0 {
		u.load.Add(1)
	} else if !takeOne(&u.load, most) {
		return false
	}
	u.pool.total.Add(1)
	return true
}

// give gives it back.
func (u *Upstream) give() {
	u.load.Add(-1)
	u.pool.total.Add(-1)
	u.pool.wake()
}
