package pool

import (
	"errors"
	"math/rand/v2"
	"net"
	"slices"
	"sync/atomic"
	"time"

	"multiserver/proxy/wire"
)

// What is known of an upstream's health comes from the exchanges themselves
// (this file) and from checks (check.go). Whoever is found ill is left out of
// the next snapshot; requests learn of it by nothing but being sent elsewhere.

const (
	// An upstream that takes no connection is tried again, apart from
	// requests, after retryFirst, then ever later up to retryMost.
	retryFirst = 250 * time.Millisecond
	retryMost  = 2 * time.Second

	maxEject = time.Minute // the longest that failing in a row puts one out
	// forgiven is how many times its last ejection one must do well to be
	// put out for no longer than the first time.
	forgiven = 10
)

// judge looks at a failure of the upstream's.
func (u *Upstream) judge(f *Fault) {
	switch {
	case f.Reason.down():
		u.lose(f)
		return
	case f.Reason == Hung: // has been judged
		return
	}
	if most := u.pool.opt().MaxFails; most > 0 && int(u.fails.Add(1)) >= most {
		u.eject(f)
	}
}

// Doubtful tells whether a status is a failure of an upstream that is out for
// failures, or is by the next one.
func (u *Upstream) Doubtful(status int) bool {
	most := u.pool.opt().MaxFails
	return failure(status) && most > 0 && (u.ejected.Load() || int(u.fails.Load()) >= most-1)
}

// lose takes u out of the choice until it takes connections again.
func (u *Upstream) lose(f *Fault) {
	p := u.pool
	p.mu.Lock()
	lost := !p.closed() && !u.retired.Load() && u.down.CompareAndSwap(false, true)
	if lost {
		p.rebuild()
		p.wg.Go(u.regain)
	}
	p.mu.Unlock()
	if lost {
		u.Stats.Ejected[f.Reason].Add(1)
		p.opt().Log.Warn("upstream down", "upstream", u.Name(), "reason", f.Reason.String(), "cause", f.Err)
	}
}

// regain tries to connect until it works.
func (u *Upstream) regain() {
	p := u.pool
	for wait := retryFirst; ; wait = min(2*wait, retryMost) {
		if !p.sleep(jitter(wait)) || u.retired.Load() || !u.down.Load() {
			return
		}
		if nc, err := u.knock(p.opt().Connect); err == nil {
			_ = nc.Close()
			break
		}
	}
	u.back("upstream up", &u.down)
}

// eject puts u out for a while, longer each time, unless too many are out: if
// half of them seem ill, the illness is likely to be elsewhere, and the other
// half would not stand the load.
func (u *Upstream) eject(f *Fault) {
	p := u.pool
	p.mu.Lock()
	out := !p.closed() && !u.retired.Load() && p.canSpare(u) && u.ejected.CompareAndSwap(false, true)
	d := min(p.opt().EjectFor<<min(u.times, 10), maxEject)
	if out {
		u.fails.Store(0)
		u.mute = u.mute || f.Reason == AnswerTime
		u.times++
		p.rebuild()
		times := u.times
		p.wg.Go(func() { u.sitOut(d, times) })
	}
	p.mu.Unlock()
	if out {
		u.Stats.Ejected[f.Reason].Add(1)
		p.opt().Log.Warn("upstream ejected", "upstream", u.Name(), "reason", f.Reason.String(), "cause", f.Err, "for", d)
	}
}

// late tells whether a failure is that nothing came in time.
func late(err error) bool {
	var ne net.Error
	return err == wire.ErrTime || errors.As(err, &ne) && ne.Timeout()
}

// call has whoever waits for an answer of a hanging upstream try one that
// lives, if he may: the Guard sees hung within a wire.Tick. One that only fails
// may be stopping in good order, or answer with its failures; who waits there
// waits on. Called with mu held.
func (p *Pool) call() {
	some := slices.ContainsFunc(p.all, (*Upstream).well)
	for _, u := range p.all {
		if hung := some && u.mute && !u.well(); hung != u.hung.Load() {
			if hung {
				p.budget.grant(uint64(max(u.Load(), 0)), p.opt().Guard.Now())
			}
			u.hung.Store(hung)
		}
	}
}

// canSpare tells whether putting u out leaves at least half of its tier in,
// and never nobody. Called with mu held.
func (p *Pool) canSpare(u *Upstream) bool {
	all, in := 0, 0
	for _, v := range p.all {
		if v.target.Backup == u.target.Backup && !v.drained.Load() {
			all++
			if v != u && v.well() {
				in++
			}
		}
	}
	return in >= 1 && 2*in >= all
}

// sitOut returns after d, on probation: one failure puts u out again, until
// something has gone well. It is forgiven after doing well for long.
func (u *Upstream) sitOut(d time.Duration, times int) {
	p := u.pool
	if !p.sleep(jitter(d)) {
		return
	}
	p.mu.Lock()
	mine := u.times == times // else checks have ended this one, and another has begun
	p.mu.Unlock()
	if mine {
		u.back("upstream back", &u.ejected)
	}
	if !p.sleep(forgiven * d) {
		return
	}
	p.mu.Lock()
	if u.times == times {
		u.times = 0
	}
	p.mu.Unlock()
}

// back takes u's fault away, if it has that, and puts it into the choice again:
// on probation, and at a tenth of its share if it is to start slowly.
func (u *Upstream) back(say string, fault *atomic.Bool) {
	p := u.pool
	p.mu.Lock()
	cured := fault.Load()
	if cured {
		if fault == &u.ejected { // before it is lifted: nobody finds u free of doubt between the two
			u.fails.Store(int32(p.opt().MaxFails - 1))
		}
		fault.Store(false)
		u.mute = u.mute && !u.well()
		if u.well() && p.opt().SlowStart > 0 && !p.closed() && u.warmth == 0 {
			u.warmth = 1
			p.wg.Go(u.warm)
		}
		p.rebuild()
	}
	p.mu.Unlock()
	if cured {
		p.opt().Log.Info(say, "upstream", u.Name())
	}
}

// fullyWarm is the warmth at which an upstream takes its whole share.
const fullyWarm = 10

// warm raises u's share by a tenth at a time.
func (u *Upstream) warm() {
	p := u.pool
	for step := uint32(2); p.sleep(p.opt().SlowStart / fullyWarm); step++ {
		p.mu.Lock()
		u.warmth = step
		done := step == fullyWarm || !u.well()
		if done {
			u.warmth = 0
		}
		p.rebuild()
		p.mu.Unlock()
		if done {
			return
		}
	}
}

// Drain takes an upstream out of the choice, or puts it back; exchanges under
// way end as they do. It tells whether there is one of that name.
func (p *Pool) Drain(name string, out bool) bool {
	return p.change(name, func(u *Upstream) { u.drained.Store(out) })
}

// Weigh changes an upstream's share of the work until Set says otherwise. It
// tells whether there is one of that name.
func (p *Pool) Weigh(name string, weight uint32) bool {
	return p.change(name, func(u *Upstream) { u.target.Weight = max(weight, 1) })
}

func (p *Pool) change(name string, f func(*Upstream)) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	found := false
	for _, u := range p.all {
		if u.target.Name == name {
			f(u)
			found = true
		}
	}
	if found {
		p.rebuild()
	}
	return found
}

// closed tells whether Close was called; with mu held it stays so or not.
func (p *Pool) closed() bool {
	select {
	case <-p.done:
		return true
	default:
		return false
	}
}

// sleep waits, and tells whether the pool is still open then.
func (p *Pool) sleep(d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-p.done:
		return false
	case <-t.C:
		return true
	}
}

// jitter is d give or take a quarter, so that many of us do not come at once.
func jitter(d time.Duration) time.Duration { return d*3/4 + rand.N(max(d/2, 1)) }
