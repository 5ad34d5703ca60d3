package session

import (
	"sync/atomic"
	"time"
)

// breaker keeps requests from waiting for a store that does not answer. After
// three failures in a row one request in a quarter of a second asks; when it is
// answered, all do again.
type breaker struct {
	fails atomic.Int32 // in a row
	ask   atomic.Int64 // when it may be asked next, in unix ms
}

const (
	tolerance = 3
	askEvery  = 250 * time.Millisecond
)

// pass tells whether the store may be asked, at now in unix ms.
func (b *breaker) pass(now int64) bool {
	if b.fails.Load() < tolerance { // fast path
		return true
	}
	next := b.ask.Load()
	return now >= next && b.ask.CompareAndSwap(next, now+askEvery.Milliseconds())
}

// tell says how it went.
func (b *breaker) tell(away bool, now int64) {
	switch {
	case !away:
		if b.fails.Load() != 0 {
			b.fails.Store(0)
		}
	case b.fails.Add(1) == tolerance:
		b.ask.Store(now + askEvery.Milliseconds())
	}
}
