package pool

import "sync"

// budget bounds retries to a share of the requests, so that upstreams which
// fail because they are overloaded are not asked all the more.
type budget struct {
	mu    sync.Mutex
	since int64  // guarded by mu; when the window began, in the Guard's milliseconds
	base  uint64 // guarded by mu; tries up to then
	spent uint64 // guarded by mu; retries since
}

// Of the requests in a window of budgetWindow milliseconds, a fifth may be
// tried again, and budgetFree more, which is what a quiet proxy lives on.
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

// MayRetry takes a retry out of the budget, if there is one left.
func (p *Pool) MayRetry() bool {
	tries := uint64(0)
	for _, u := range p.snap.Load().all {
		tries += u.Stats.Picked.Load()
	}
	b, now := &p.budget, p.opt.Guard.Now()
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
