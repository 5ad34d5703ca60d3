package redis

import (
	"cmp"
	"context"
	"errors"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"github.com/redis/rueidis"

	"multiserver/sync/link/place"
)

// tender is what only the goroutine that tends the link touches.
type tender struct {
	untracked bool          // the server refused to track
	mark      uint64        // armed when news were last known to come
	seen      uint64        // number of the last mark heard of from this Redis
	last      atomic.Uint64 // and from any; written here only
	told      string        // the state that the log knows
}

// How often the link is looked at. Between, it is nudged when something has
// happened to it; while Redis is away nudges do not count, only the clock.
const (
	lookAfter  = time.Second
	backoffMin = 10 * time.Millisecond
	backoffMax = time.Second
)

// nudge asks for a look at the link, soon.
func (r *Redis) nudge() {
	select {
	case r.nudged <- struct{}{}:
	default:
	}
}

// tend keeps the link: the one goroutine that makes it, looks whether it is
// alive, notices that news may have been missed, and pays what is owed.
func (r *Redis) tend() {
	timer := time.NewTimer(0)
	defer timer.Stop()
	nudged, wait := r.nudged, time.Duration(0)
	for {
		select {
		case <-nudged:
		case <-timer.C:
		case <-r.closing:
			return
		case <-r.ctx.Done():
			go r.Close()
			return
		}
		switch {
		case r.look():
			nudged, wait = r.nudged, lookAfter
		case nudged != nil: // it was well until now: soon again
			nudged, wait = nil, backoffMin
		default:
			wait = min(2*wait, backoffMax)
		}
		timer.Reset(wait/2 + rand.N(wait/2+1)) // so that nodes do not come all at once
	}
}

// look tells whether all is well.
func (r *Redis) look() bool {
	ctx, cancel := context.WithTimeout(r.ctx, place.AnswerWithin)
	defer cancel()
	l := r.link.Load()
	if l == nil {
		var err error
		if l, err = r.connect(); err != nil {
			return r.lost(nil, err)
		}
		r.mark = 0
		r.link.Store(l)
	}
	if err := r.check(ctx, l); err != nil {
		return r.lost(l, err)
	}
	r.found(l)
	return true
}

var errSlow = errors.New("answers take longer than the time to wait for a read")

// check looks for signs of life, and catches up. Of a cluster a part may be
// dead for long: the rest goes on without it.
func (r *Redis) check(ctx context.Context, l *link) error {
	masters, err := r.masters(ctx, l)
	if err != nil {
		return err
	}
	mark, err := r.alive(ctx, l, masters)
	if err != nil && r.place.Shape != place.Cluster {
		return err
	}
	if mark != r.mark {
		r.everything()
		r.mark = mark
		r.seen = 0 // it may be another Redis, which does not know the last marks of the one before
	}
	// In this order: who is let in by the probes must not find what was dropped.
	for _, step := range []func(*link) error{r.readMarks, r.pay, r.probe} {
		err = cmp.Or(err, step(l))
		if err != nil && r.place.Shape != place.Cluster {
			return err
		}
	}
	return err
}

// alive pings the masters, and gives what they were armed as when all had
// answered. That a ping is answered says that what arms a connection was, too;
// if another was dialled meanwhile that is to be seen again.
func (r *Redis) alive(ctx context.Context, l *link, masters map[string]rueidis.Client) (uint64, error) {
	for before := r.armed(l, masters); ; {
		failed := pingAll(ctx, masters)
		after := r.armed(l, masters)
		switch {
		case after == 0:
			return 0, cmp.Or(failed, errDeaf)
		case after == before:
			return after, failed
		}
		before = after
	}
}

// pingAll asks all at once: one that hangs must not take the others' time.
func pingAll(ctx context.Context, masters map[string]rueidis.Client) (failed error) {
	errs := make(chan error)
	for _, node := range masters {
		go func() { errs <- node.Do(ctx, node.B().Ping().Build()).Error() }()
	}
	for range masters {
		failed = cmp.Or(failed, <-errs)
	}
	return failed
}

var errDeaf = errors.New("not subscribed to news")

// probe closes the breakers whose node answers in time again.
func (r *Redis) probe(l *link) (failed error) {
	for i := range r.breakers {
		b := &r.breakers[i]
		if !b.open.Load() {
			continue
		}
		if _, err := r.await(l, l.B().Exists().Key(b.probeKey()).Build()); err != nil {
			failed = errSlow
			continue
		}
		b.close()
	}
	return failed
}

// lost notes that Redis does not answer as it should. Always false.
func (r *Redis) lost(l *link, err error) bool {
	if r.stopping.Load() {
		return false
	}
	if errors.Is(err, rueidis.ErrNoCache) && !r.untracked {
		r.untracked = true
		r.opt.Log.Warn("redis does not track keys for us: nodes publish what they change; expiry is not told",
			"redis", r.place.Name, "err", err)
		if l != nil {
			r.link.Store(nil)
			l.close()
		}
		return false
	}
	r.up.Store(false)
	if r.place.Shape != place.Cluster { // there, each node has breakers of its own
		if b := r.breaker(0); b.trip(r.names.cut) {
			r.Stats.BreakerOpen.Add(1)
		}
	}
	if r.told != "away" {
		r.told = "away"
		r.opt.Log.Warn("redis away: records stay in memory, drops are noted", "redis", r.place.Name, "err", err)
	}
	return false
}

func (r *Redis) found(l *link) {
	if r.up.Swap(true) {
		return
	}
	r.told = "up"
	r.Stats.Linkups.Add(1)
	r.opt.Log.Info("redis up", "redis", r.place.Name, "tracking", l.tracking)
}
