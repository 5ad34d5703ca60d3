package link

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/redis/rueidis"

	"multiserver/sync/link/place"
)

// How often the link is looked at. Between, it is nudged when something has
// happened to it; while Redis is away nudges do not count, only the clock.
const (
	lookAfter  = time.Second
	backoffMin = 10 * time.Millisecond
	backoffMax = time.Second
	// renewAfter is how long a client may be without an answer before another one
	// is tried in its place: it may look for a master where none is any more.
	renewAfter = 10 * time.Second
)

// nudge asks for a look at the link, soon.
func (l *Link) nudge() {
	select {
	case l.nudged <- struct{}{}:
	default:
	}
}

// tend keeps the link: the one goroutine that makes the client and looks
// whether it lives.
func (l *Link) tend() {
	timer := time.NewTimer(0)
	defer timer.Stop()
	t := tender{Link: l, tracking: len(l.opt.Prefixes) > 0}
	nudged, wait := l.nudged, time.Duration(0)
	for {
		select {
		case <-nudged:
		case <-timer.C:
		case <-l.ctx.Done():
			return
		}
		switch {
		case t.look():
			nudged, wait = l.nudged, lookAfter
		case nudged != nil: // it was well until now: soon again
			nudged, wait = nil, backoffMin
		default:
			wait = min(2*wait, backoffMax)
		}
		timer.Reset(wait/2 + rand.N(wait/2+1)) // so that nodes do not come all at once
	}
}

// tender is what tend keeps for itself.
type tender struct {
	*Link
	tracking bool      // asked for, and not refused
	told     bool      // that it is down, since it was up
	down     time.Time // since when; zero while it is up
}

// look tells whether all is well.
func (t *tender) look() bool {
	c := t.Client()
	if c == nil || t.stuck() {
		fresh, err := t.connect()
		if err != nil {
			return t.lost(err)
		}
		if c != nil {
			t.down = time.Now()
			c.Close()
		}
		c = fresh
	}
	if err := t.check(c); err != nil {
		return t.lost(err)
	}
	t.found()
	return true
}

func (t *tender) stuck() bool {
	return !t.down.IsZero() && time.Since(t.down) > t.opt.renewAfter
}

func (t *tender) connect() (rueidis.Client, error) {
	c, err := rueidis.NewClient(t.options(t.tracking))
	switch {
	case err == nil:
		t.Link.tracking.Store(t.tracking)
		t.client.Store(&c)
		return c, nil
	case c != nil:
		c.Close()
	}
	if errors.Is(err, rueidis.ErrNoCache) && t.tracking {
		t.tracking = false
		t.opt.Log.Warn("redis does not track keys for us: no copies are kept", "for", t.opt.Name, "redis", t.place.Name, "err", err)
	}
	return nil, err
}

// check looks for signs of life. Of a cluster a part may be dead for long: the
// rest goes on without it.
func (t *tender) check(c rueidis.Client) error {
	ctx, cancel := context.WithTimeout(t.ctx, place.AnswerWithin)
	defer cancel()
	nodes := map[string]rueidis.Client{"": c}
	if t.place.Shape == place.Cluster {
		nodes = c.Nodes()
	}
	if err := pingAny(ctx, nodes); err != nil {
		return err
	}
	if err := t.probe(c); err != nil && t.place.Shape != place.Cluster {
		return err
	}
	return nil
}

// pingAny asks all at once, and is content with one answer.
func pingAny(ctx context.Context, nodes map[string]rueidis.Client) (err error) {
	errs := make(chan error, len(nodes))
	for _, node := range nodes {
		go func() { errs <- node.Do(ctx, node.B().Ping().Build()).Error() }()
	}
	err = ErrAway
	for range nodes {
		if e := <-errs; e == nil || err != nil {
			err = e
		}
	}
	return err
}

// lost notes that Redis does not answer as it should. Always false.
func (t *tender) lost(err error) bool {
	if t.ctx.Err() != nil {
		return false
	}
	was := t.up.Swap(false)
	if t.down.IsZero() {
		t.down = time.Now()
	}
	if !t.told {
		t.told = true
		t.opt.Log.Warn("redis away", "for", t.opt.Name, "redis", t.place.Name, "err", err)
	}
	if was && t.opt.Down != nil {
		t.opt.Down(err)
	}
	return false
}

func (t *tender) found() {
	t.down = time.Time{}
	if t.up.Swap(true) {
		return
	}
	t.told = false
	t.opt.Log.Info("redis up", "for", t.opt.Name, "redis", t.place.Name, "tracking", t.tracking)
	if t.opt.Up != nil {
		t.opt.Up()
	}
}
