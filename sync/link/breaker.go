package link

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/redis/rueidis"

	"multiserver/sync/link/place"
)

var (
	errBusy = errors.New("redis: too many wait already")
	errLeft = errors.New("redis: who asked has gone")
)

// A breaker keeps those who ask from waiting for who does not answer. There are
// 64, each for 256 neighbouring slots of a cluster, so that one node that hangs
// does not take the others' keys away; a single Redis uses one.
type breaker struct {
	open  atomic.Bool
	fails atomic.Int32 // in a row

	mu  sync.Mutex
	key string // guarded by mu; one that failed, for probes: it finds the same node
}

const (
	breakers = 64
	// tolerance is how many failures in a row open it: one or two are a slow
	// moment of the network or of ours.
	tolerance = 3
)

// fail tells of one more failure, and whether it has opened the breaker.
func (b *breaker) fail(key string) (opened bool) {
	if b.fails.Add(1) < tolerance {
		return false
	}
	b.mu.Lock()
	b.key = key
	b.mu.Unlock()
	return b.open.CompareAndSwap(false, true)
}

// good tells of an answer. It does not close the breaker: it may have been on
// its way for long. Probes do.
func (b *breaker) good() {
	if b.fails.Load() != 0 {
		b.fails.Store(0)
	}
}

func (b *breaker) close() {
	b.fails.Store(0)
	b.open.Store(false)
}

func (b *breaker) probeKey() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.key
}

func (l *Link) breaker(c rueidis.Client, key string) *breaker {
	if l.place.Shape != place.Cluster {
		return &l.breakers[0]
	}
	cmd := c.B().Exists().Key(key).Build() // it knows the slot
	return &l.breakers[cmd.Slot()>>8%breakers]
}

// probe closes the breakers whose server answers again.
func (l *Link) probe(c rueidis.Client) (failed error) {
	for i := range l.breakers {
		b := &l.breakers[i]
		if !b.open.Load() {
			continue
		}
		key := b.probeKey()
		if _, err := l.await(l.ctx, c, func(ctx context.Context, c rueidis.Client) rueidis.RedisResult {
			return c.Do(ctx, c.B().Exists().Key(key).Build())
		}); err != nil {
			failed = err
			continue
		}
		b.close()
	}
	return failed
}

// word is the first of an error: its kind.
func word(err string) string {
	first, _, _ := strings.Cut(err, " ")
	return first
}
