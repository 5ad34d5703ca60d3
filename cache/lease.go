package cache

import (
	"sync/atomic"
	"time"

	"multiserver/cache/redis"
	"multiserver/proxy/wire"
)

// A lease makes this node the one that fetches for all. It is renewed as long
// as that lasts, so that it can be short: when the node dies, the others go on
// after leaseTime and not after all the time that a fetch may take.
type lease struct {
	far  *redis.Redis
	held redis.Lease
	beat *time.Timer
	over atomic.Bool
}

const (
	leaseTime = time.Second
	// lookEvery is how often those who wait look by themselves. They are told of
	// answers and of leases given back, but Redis lets a key that has expired lie
	// until somebody asks for it, or for as long as it likes.
	lookEvery = leaseTime / 4
)

func (c *Cache) hold(held redis.Lease) *lease {
	l := &lease{far: c.far, held: held}
	l.beat = time.AfterFunc(time.Hour, l.renew)
	l.beat.Reset(leaseTime / 3)
	return l
}

func (l *lease) renew() {
	if l.over.Load() {
		return
	}
	l.far.Renew(l.held, leaseTime)
	l.beat.Reset(leaseTime / 3)
}

func (l *lease) release() {
	l.over.Store(true)
	l.beat.Stop()
	l.far.Release(l.held)
}

// elsewhere makes this node the one that fetches for all, or waits for the one
// that does, and tells whether that brought an answer. changes is from before the
// second tier was looked into.
func (c *Cache) elsewhere(v *Visit, q *wire.Request, changes uint64) bool {
	if c.far == nil || v.away || c.by.Wait <= 0 {
		return false
	}
	for end := time.Now().Add(c.by.Wait); ; {
		w := c.far.Watch(v.at) // before the lease is asked for: whose end would else not be heard
		held, err := c.far.Lease(v.at, leaseTime)
		if err != redis.ErrTaken {
			w.Close()
		}
		switch err {
		case nil:
			v.lease = c.hold(held)
			// Who had it before may have put the answer between our look and this.
			return c.changes.of(v.at).Load() != changes && c.remote(v, q)
		case redis.ErrAway:
			return false
		}
		changes = c.changes.of(v.at).Load()
		if found := c.await(v, q, w, end); found || c.remembered(v) {
			v.Collapsed = found
			return found
		}
		if !time.Now().Before(end) {
			c.Stats.Lone.Add(1)
			return false
		}
	}
}

// await waits until something becomes of the fetch on another node, for a
// moment, and tells whether that is an answer.
func (c *Cache) await(v *Visit, q *wire.Request, w *redis.Watch, end time.Time) bool {
	defer w.Close()
	if c.remote(v, q) || c.remembered(v) { // it came before the watch
		return v.Entry.kind() != kindPass
	}
	t := time.NewTimer(min(lookEvery, time.Until(end)))
	defer t.Stop()
	select {
	case <-w.C:
	case <-t.C:
	}
	v.Now = c.opt.Clock()
	return c.remote(v, q)
}
