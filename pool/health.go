package pool

import (
	"math/rand/v2"
	"time"
)

// How long an upstream that took no connection is left alone before it is
// tried again, apart from requests: at first, and at most.
const (
	retryFirst = 250 * time.Millisecond
	retryMost  = 2 * time.Second
)

// eject takes u out of the choice until it takes connections again.
func (u *Upstream) eject(f *Fault) {
	p := u.pool
	p.mu.Lock()
	defer p.mu.Unlock()
	select {
	case <-p.done:
		return
	default:
	}
	if u.retired.Load() || !u.down.CompareAndSwap(false, true) {
		return
	}
	p.rebuild()
	p.opt.Log.Warn("upstream down", "upstream", u.Name(), "reason", f.Reason.String(), "cause", f.Err)
	p.wg.Go(u.recover)
}

// recover tries to connect until it works, then puts u back into the choice.
// The waits double, with jitter so that many of us do not come at once.
func (u *Upstream) recover() {
	p := u.pool
	for wait := retryFirst; ; wait = min(2*wait, retryMost) {
		select {
		case <-p.done:
			return
		case <-time.After(wait*3/4 + rand.N(wait/2)):
		}
		if u.retired.Load() {
			return
		}
		if nc, err := u.connect(); err == nil {
			_ = nc.Close()
			break
		}
	}
	p.mu.Lock()
	u.down.Store(false)
	p.rebuild()
	p.mu.Unlock()
	p.opt.Log.Info("upstream up", "upstream", u.Name())
}
