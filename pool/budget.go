package pool

import "sync"

// budget bounds retries to a share of the requests, so that upstreams which
// fail because they are overloaded are not asked all the more.
type budget struct {
	mu    sync.Mutex
	since int64  // guarded by mu; when the window began, in the Guard's milliseconds
	base  uint64 // guarded by mu; tries up to then
	spent uint64 // guarded by mu; retries since
	moves uint64 // guarded by mu; retries that one who hangs has brought
	next  int64  // guarded by mu; until then they count, and nobody brings more
}

// Of the requests in a window of budgetWindow milliseconds, a fifth may be
// tried again, and budgetFree more, which is what a quiet proxy lives on.
//
// An upstream that hangs brings more at once than that: all who wait there,
// at full load most of the clients there are. These may go to others beside
// the budget, but those of one upstream in a window only: if others begin to
// hang under what came over from the first, it is the load that hangs them,
// and who waits there draws on the budget, or waits on.
const (
	budgetWindow = 10_000
	budgetShare  = 5
	budgetFree   = 100
)

// Left tells whether there is somebody that was not tried yet.
func (p *Pool) Left(tried *Tried) bool {
	if tried.n == maxTries {
		return false
	}
	for _, u := range p.snap.Load().ups {
		if !tried.has(u) {
			return true
		}
	}
	return false
}

// MayMove is MayRetry for a request that waits at an upstream that hangs.
func (p *Pool) MayMove() bool { return p.budget.move(p.opt().Guard.Now()) || p.MayRetry() }

// grant lets n requests move: those that are under way at one who hangs.
func (b *budget) grant(n uint64, now int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if n > 0 && now >= b.next {
		b.moves, b.next = n, now+budgetWindow
	}
}

func (b *budget) move(now int64) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.moves == 0 || now >= b.next {
		return false
	}
	b.moves--
	return true
}

// MayRetry takes a retry out of the budget, if there is one left.
func (p *Pool) MayRetry() bool {
	tries := uint64(0)
	for _, u := range p.snap.Load().all {
		tries += u.Stats.Picked.Load()
	}
	b, now := &p.budget, p.opt().Guard.Now()
	b.mu.Lock()
	defer b.mu.Unlock()
	if now-b.since > budgetWindow {
		b.since, b.base, b.spent = now, tries, 0
	}
	b.base = min(b.base, tries) // some upstream has left, with its count
	if b.spent >= budgetFree+(tries-b.base)/budgetShare {
		return false
	}
	b.spent++
	return true
}
