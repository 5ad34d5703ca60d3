package acme

import (
	"context"
	"crypto/rand"
	"fmt"
	"io/fs"
	weak "math/rand/v2"
	"time"

	"github.com/redis/rueidis"
)

// A lock is a key that expires, with a token that nobody else has. Whoever
// holds it puts the end off, again and again; it is free soon after a holder
// that has died. A holder that Redis lost sight of for that long may find
// another beside it: then a certificate is ordered twice, which does no harm.
const (
	lockLife  = 30 * time.Second
	lockRenew = lockLife / 3
	lockTry   = time.Second // between two tries, give or take a quarter
)

// hold is a lock that this process has.
type hold struct {
	token string
	end   context.CancelFunc // of its renewals
}

var (
	prolong = rueidis.NewLuaScript(`if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('pexpire', KEYS[1], ARGV[2]) end return 0`)
	release = rueidis.NewLuaScript(`if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('del', KEYS[1]) end return 0`)
)

func (b *board) lockKey(name string) string { return b.hash + "-lock:" + name }

// Lock waits until nobody else has the lock, or ctx is done.
func (b *board) Lock(ctx context.Context, name string) error {
	for {
		if ok, err := b.TryLock(ctx, name); ok || err != nil {
			return err
		}
		t := time.NewTimer(lockTry*3/4 + weak.N(lockTry/2))
		select {
		case <-ctx.Done():
			t.Stop()
			return ctx.Err()
		case <-t.C:
		}
	}
}

// TryLock tells whether it has taken the lock.
func (b *board) TryLock(ctx context.Context, name string) (bool, error) {
	token := rand.Text()
	_, err := b.do(ctx, func(r rueidis.Builder) rueidis.Completed {
		return r.Set().Key(b.lockKey(name)).Value(token).Nx().Px(lockLife).Build()
	})
	if err == fs.ErrNotExist { // what SET NX answers if there is one
		return false, nil
	}
	if err != nil {
		return false, err
	}
	held, end := context.WithCancel(context.Background())
	b.mu.Lock()
	b.held[name] = &hold{token, end}
	b.mu.Unlock()
	go b.renew(held, name, token)
	return true, nil
}

// renew ends with Unlock, or when the lock is lost.
func (b *board) renew(ctx context.Context, name, token string) {
	t := time.NewTicker(lockRenew)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
		n, err := b.run(ctx, prolong, name, token, fmt.Sprint(lockLife.Milliseconds()))
		if err == nil && n == 0 {
			b.log.Warn("lock lost, another node may order the same certificate", "lock", name)
			return
		}
	}
}

// Unlock gives the lock back, unless it was lost and is another's by now.
func (b *board) Unlock(ctx context.Context, name string) error {
	b.mu.Lock()
	h := b.held[name]
	delete(b.held, name)
	b.mu.Unlock()
	if h == nil {
		return fmt.Errorf("lock %s: %w", name, fs.ErrNotExist)
	}
	h.end()
	_, err := b.run(ctx, release, name, h.token)
	return err
}

func (b *board) run(ctx context.Context, script *rueidis.Lua, name string, args ...string) (int64, error) {
	ctx, cancel := context.WithTimeout(ctx, storeTime)
	defer cancel()
	c, err := b.at()
	if err != nil {
		return 0, err
	}
	return script.Exec(ctx, c, []string{b.lockKey(name)}, args).AsInt64()
}
