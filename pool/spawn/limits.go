package spawn

import (
	"context"
	"hash/fnv"
	"slices"
	"time"
)

const (
	lookEvery = time.Second

	// One that holds this many times its limit is not waited for: it is on its
	// way to take all there is.
	wayBeyond = 2

	retryAfter = 10 * time.Second // when what should replace it did not get ready
)

func (o *Options) limited() bool { return o.MaxMemory > 0 || o.MaxAge > 0 || o.MaxRequests > 0 }

// keepLimits replaces children that are beyond one.
func (a *App) keepLimits(ctx context.Context) {
	t := time.NewTicker(lookEvery)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
			a.look(ctx)
		}
	}
}

func (a *App) look(ctx context.Context) {
	var held map[int]int64
	if a.opt.MaxMemory > 0 {
		held = memory()
	}
	a.door.Lock()
	members := slices.Clone(a.members)
	a.door.Unlock()
	for _, c := range members {
		if held[c.pid()] > wayBeyond*a.opt.MaxMemory && a.opt.MaxMemory > 0 {
			a.opt.Log.Warn("instance takes far too much memory, and is killed", "app", a.opt.Name, "instance", c.instance,
				"bytes", held[c.pid()], "limit", a.opt.MaxMemory)
			c.kill()
			continue
		}
		if why, is := c.beyond(held[c.pid()]); is && c.due.CompareAndSwap(false, true) {
			a.opt.Log.Info("instance is to be replaced", "app", a.opt.Name, "instance", c.instance, "cause", why.String())
			a.work.Go(func() { a.renew(ctx, c, why) })
		}
	}
}

// beyond tells which limit c has reached. Of age and requests each child has a
// little less than the whole, so that those that began together do not end so.
func (c *child) beyond(bytes int64) (Cause, bool) {
	o := &c.app.opt
	switch {
	case o.MaxMemory > 0 && bytes > o.MaxMemory:
		return Memory, true
	case o.MaxAge > 0 && time.Since(c.began) >= time.Duration(c.less(uint64(o.MaxAge))):
		return Age, true
	case o.MaxRequests > 0 && c.requests() >= c.less(o.MaxRequests):
		return Requests, true
	}
	return 0, false
}

// less is up to a tenth less than n, always the same for one child.
func (c *child) less(n uint64) uint64 {
	h := fnv.New32a()
	_, _ = h.Write([]byte(c.mark()))
	return n - n/1000*uint64(h.Sum32()%100)
}

func (c *child) requests() uint64 {
	c.app.door.Lock()
	defer c.app.door.Unlock()
	if c.up == nil {
		return 0
	}
	return c.up.Stats.Picked.Load()
}

// renew replaces c in its turn.
func (a *App) renew(ctx context.Context, c *child, why Cause) {
	if !a.turn(ctx) {
		return
	}
	err := c.slot.ask(&order{cause: why, child: c})
	a.yield()
	if err == nil {
		return
	}
	t := time.NewTimer(retryAfter)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
		c.due.Store(false)
	}
}
