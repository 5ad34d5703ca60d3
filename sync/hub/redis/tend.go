package redis

import (
	"context"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/redis/rueidis"
)

const (
	batch      = 512 // channels in one go
	sendWithin = time.Second
	lookEvery  = 2 * time.Second        // at lanes and, in a cluster, at the layout
	tryAgain   = 100 * time.Millisecond // and as much again, by chance
)

// tender is the goroutine that brings what is subscribed to where it is wanted.
type tender struct {
	b       *Broker
	client  rueidis.Client // that lay and lanes are of
	lay     *layout        // nil: not known
	lanes   map[string]*lane
	at      map[string]*lane // where each channel is subscribed to
	sharded bool
}

func (b *Broker) tend() {
	t := &tender{b: b, lanes: make(map[string]*lane), at: make(map[string]*lane)}
	defer t.end()
	look := time.NewTicker(lookEvery)
	defer look.Stop()
	again := time.NewTimer(0)
	defer again.Stop()
	for {
		select {
		case <-b.ctx.Done():
			return
		case <-b.wake:
		case <-again.C:
		case <-look.C:
			t.look()
		}
		if !t.settle() {
			again.Reset(tryAgain + rand.N(tryAgain))
		}
	}
}

func (t *tender) end() {
	for _, l := range t.lanes {
		l.close()
	}
}

// settle does what is to be done, and tells whether all of it is.
func (t *tender) settle() bool {
	t.bury()
	t.forget()
	if !t.ready() {
		return false
	}
	join, leave := t.differ()
	done := true
	for l, names := range leave {
		for part := range slices.Chunk(names, batch) {
			done = t.leave(l, part) && done
		}
	}
	for addr, names := range join {
		for part := range slices.Chunk(names, batch) {
			done = t.join(addr, part) && done
		}
	}
	return done
}

// ready sees to the client, its layout and its mode.
func (t *tender) ready() bool {
	c := t.b.link.Client()
	if c == nil {
		return false
	}
	if c != t.client {
		t.client, t.lay = c, nil
		for _, l := range t.lanes {
			t.lose(l)
		}
	}
	ctx, cancel := context.WithTimeout(t.b.ctx, sendWithin)
	defer cancel()
	var err error
	if t.sharded, err = t.b.mode(ctx); err != nil {
		return false
	}
	if t.lay == nil {
		if t.lay, err = newLayout(ctx, c); err != nil {
			t.lay = nil
			return false
		}
	}
	return true
}

// differ is what is not as it is wanted; the channels of it are dirty no more.
func (t *tender) differ() (join map[string][]string, leave map[*lane][]string) {
	join, leave = make(map[string][]string), make(map[*lane][]string)
	b := t.b
	b.mu.Lock()
	defer b.mu.Unlock()
	for name := range b.dirty {
		at, wanted := t.at[name], b.want[name]
		switch {
		case wanted && at == nil:
			addr := t.lay.node(name)
			join[addr] = append(join[addr], name)
		case !wanted && at != nil:
			leave[at] = append(leave[at], name)
		}
	}
	clear(b.dirty)
	return join, leave
}

func (t *tender) join(addr string, names []string) bool {
	l := t.lane(addr)
	if l == nil {
		t.again(names)
		return false
	}
	ctx, cancel := context.WithTimeout(t.b.ctx, sendWithin)
	defer cancel()
	for _, name := range names {
		t.at[name] = l
	}
	failed, err := l.subscribe(ctx, names, t.sharded)
	if err == nil {
		return true
	}
	t.b.Stats.Refused.Add(uint64(len(failed)))
	t.b.opt.Log.Debug("channels are not subscribed to", "at", addr, "channels", len(failed), "err", err)
	for _, name := range failed {
		delete(t.at, name)
	}
	t.again(failed)
	t.lay = nil // a slot may have moved
	if _, said := rueidis.IsRedisErr(err); !said {
		t.lose(l)
	}
	return false
}

func (t *tender) leave(l *lane, names []string) bool {
	ctx, cancel := context.WithTimeout(t.b.ctx, sendWithin)
	defer cancel()
	for _, name := range names {
		delete(t.at, name)
	}
	if err := l.unsubscribe(ctx, names, t.sharded); err != nil {
		t.lose(l)
		return false
	}
	return true
}

// lane is that to a node; nil: it cannot be had.
func (t *tender) lane(addr string) *lane {
	l := t.lanes[addr]
	if l != nil && !l.dead.Load() {
		return l
	}
	if l != nil {
		t.lose(l)
	}
	node := t.lay.nodes[addr]
	if node == nil {
		t.lay = nil // the client has not heard of it yet
		return nil
	}
	l = t.b.open(addr, node)
	if l.dead.Load() {
		l.close()
		t.lay = nil
		return nil
	}
	t.lanes[addr] = l
	return l
}

// lose ends a lane: what came over it is to be subscribed to again.
func (t *tender) lose(l *lane) {
	l.close()
	t.b.Stats.LanesLost.Add(1)
	if t.lanes[l.addr] == l {
		delete(t.lanes, l.addr)
	}
	var names []string
	for name, at := range t.at {
		if at == l {
			delete(t.at, name)
			names = append(names, name)
		}
	}
	t.again(names)
	t.lay = nil
}

// bury loses lanes that have ended by themselves.
func (t *tender) bury() {
	for _, l := range t.lanes {
		if l.dead.Load() {
			t.lose(l)
		}
	}
}

// forget is for what the server has ended.
func (t *tender) forget() {
	t.b.mu.Lock()
	defer t.b.mu.Unlock()
	for _, name := range t.b.gone {
		delete(t.at, name)
		t.lay = nil
	}
	t.b.gone = nil
}

// again has names looked at in the next round.
func (t *tender) again(names []string) {
	t.b.mu.Lock()
	defer t.b.mu.Unlock()
	for _, name := range names {
		t.b.dirty[name] = true
	}
}

// moved is for a channel that the server has ended the subscription to.
func (b *Broker) moved(name string) {
	b.mu.Lock()
	if b.want[name] {
		b.gone = append(b.gone, name)
		b.dirty[name] = true
	}
	b.mu.Unlock()
	b.nudge()
}

// look asks whether those whom the lanes lead to are still masters: one that
// was replaced while it hung hears nothing any more.
func (t *tender) look() {
	for _, l := range t.lanes {
		ctx, cancel := context.WithTimeout(t.b.ctx, sendWithin)
		if !l.master(ctx) && t.b.ctx.Err() == nil {
			t.lose(l)
		}
		cancel()
	}
}
