package acme

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/caddyserver/certmagic"
	"github.com/redis/rueidis"

	"multiserver/cache/redis/redistest"
)

var (
	_ certmagic.Storage   = (*board)(nil)
	_ certmagic.TryLocker = (*board)(nil)
)

func testBoard(t *testing.T, s *redistest.Server) *board {
	t.Helper()
	b := newBoard(rueidis.ClientOption{InitAddress: []string{s.Addr}, DisableCache: true, ForceSingleClient: true}, "test", slog.New(slog.DiscardHandler))
	t.Cleanup(b.close)
	return b
}

func TestBoardKeepsWhatItIsGiven(t *testing.T) {
	b, ctx := testBoard(t, redistest.Single(t)), context.Background()
	store := func(key, value string) {
		if err := b.Store(ctx, key, []byte(value)); err != nil {
			t.Fatal(err)
		}
	}
	load := func(key, want string) {
		t.Helper()
		got, err := b.Load(ctx, key)
		if string(got) != want || (want == "") != errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: %q, %v, want %q", key, got, err, want)
		}
	}
	list := func(dir string, recursive bool, want ...string) {
		t.Helper()
		got, err := b.List(ctx, dir, recursive)
		slices.Sort(got)
		if !slices.Equal(got, want) || (want == nil) != errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: %v, %v, want %v", dir, got, err, want)
		}
	}
	load("a", "")
	list("", true)
	store("a/b/c", "one")
	store("a/b/d", "two\x00\xff")
	store("a/e", "three")
	store("ab", "four")
	load("a/b/c", "one")
	load("a/b/d", "two\x00\xff")
	load("a/b", "")
	list("a", true, "a/b/c", "a/b/d", "a/e")
	list("a", false, "a/b", "a/e")
	list("a/b/", false, "a/b/c", "a/b/d")
	list("", false, "a", "ab")
	if info, err := b.Stat(ctx, "a/e"); err != nil || !info.IsTerminal || info.Size != 5 || time.Since(info.Modified) > time.Minute {
		t.Errorf("%+v, %v", info, err)
	}
	if info, err := b.Stat(ctx, "a/b"); err != nil || info.IsTerminal {
		t.Errorf("%+v, %v", info, err)
	}
	if b.Exists(ctx, "a/x") || !b.Exists(ctx, "a/b") || !b.Exists(ctx, "ab") {
		t.Error("what exists")
	}
	for range 2 {
		if err := b.Delete(ctx, "a"); err != nil {
			t.Error(err)
		}
	}
	list("", true, "ab")
}

func TestBoardSaysWhatIsNotOurs(t *testing.T) {
	s := redistest.Single(t)
	b := testBoard(t, s)
	if _, err := s.Do("HSET", "test:acme", "a", "short"); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Load(context.Background(), "a"); err != errTorn {
		t.Error(err)
	}
}

func TestLockIsOnesAtATime(t *testing.T) {
	s := redistest.Single(t)
	one, two, ctx := testBoard(t, s), testBoard(t, s), context.Background()
	take := func(b *board, want bool) {
		t.Helper()
		if got, err := b.TryLock(ctx, "x"); got != want || err != nil {
			t.Errorf("%v, %v, want %v", got, err, want)
		}
	}
	take(one, true)
	take(two, false)
	take(one, false)
	var free atomic.Bool
	got := make(chan error, 1)
	go func() {
		err := two.Lock(ctx, "x")
		if err == nil && !free.Load() {
			err = errors.New("taken while another had it")
		}
		got <- err
	}()
	time.Sleep(50 * time.Millisecond)
	free.Store(true)
	if err := one.Unlock(ctx, "x"); err != nil {
		t.Error(err)
	}
	if err := <-got; err != nil {
		t.Error(err)
	}
	if one.Unlock(ctx, "x") == nil {
		t.Error("a lock was given back that was not had")
	}
	take(one, false) // which has not taken it from two
	if err := two.Unlock(ctx, "x"); err != nil {
		t.Error(err)
	}
	take(one, true)
	_ = one.Unlock(ctx, "x")
}

func TestLockEndsWithItsHolder(t *testing.T) {
	s := redistest.Single(t)
	one, two, ctx := testBoard(t, s), testBoard(t, s), context.Background()
	if err := one.Lock(ctx, "x"); err != nil {
		t.Fatal(err)
	}
	key := one.lockKey("x")
	if life, err := s.Do("PTTL", key); err != nil || len(life) != len("30000") || strings.HasPrefix(life, "-") {
		t.Errorf("it ends in %s ms, %v", life, err)
	}
	if _, err := s.Do("DEL", key); err != nil { // as time would
		t.Fatal(err)
	}
	if err := two.Lock(ctx, "x"); err != nil {
		t.Fatal(err)
	}
	if err := one.Unlock(ctx, "x"); err != nil {
		t.Error(err)
	}
	if n, _ := s.Do("EXISTS", key); n != "1" {
		t.Error("the lock of another was given back")
	}
	if n, err := two.run(ctx, prolong, "x", two.held["x"].token, "60000"); n != 1 || err != nil {
		t.Error(n, err)
	}
	if n, err := one.run(ctx, prolong, "x", "stranger", "60000"); n != 0 || err != nil {
		t.Error(n, err)
	}
	_ = two.Unlock(ctx, "x")
}

func TestWaitingForALockEnds(t *testing.T) {
	s := redistest.Single(t)
	one, two := testBoard(t, s), testBoard(t, s)
	if err := one.Lock(context.Background(), "x"); err != nil {
		t.Fatal(err)
	}
	defer one.Unlock(context.Background(), "x")
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	if err := two.Lock(ctx, "x"); !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
	s.Kill()
	if err := two.Lock(context.Background(), "y"); err == nil {
		t.Error("a lock without Redis")
	}
}
