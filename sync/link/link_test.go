package link

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/redis/rueidis"

	"multiserver/cache/redis/redistest"
)

func open(t *testing.T, opt Options) *Link {
	t.Helper()
	opt.Log = slog.New(slog.DiscardHandler)
	l, err := Open(context.Background(), opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.Close)
	return l
}

func until(t testing.TB, what string, f func() bool) {
	t.Helper()
	for end := time.Now().Add(2 * time.Minute); !f(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("did not come about: %s", what)
		}
	}
}

func (l *Link) set(key, value string) error {
	_, err := l.Ask(context.Background(), key, func(ctx context.Context, c rueidis.Client) rueidis.RedisResult {
		return c.Do(ctx, c.B().Set().Key(key).Value(value).Build())
	})
	return err
}

func (l *Link) get(key string) string {
	res, err := l.Ask(context.Background(), key, func(ctx context.Context, c rueidis.Client) rueidis.RedisResult {
		return c.Do(ctx, c.B().Get().Key(key).Build())
	})
	if err != nil {
		return err.Error()
	}
	value, _ := res.ToString()
	return value
}

// news collects what Changed, Up and Down say.
type news struct {
	mu      sync.Mutex
	changed map[string]int
	turns   string
}

func (n *news) listen(o *Options) {
	n.changed = map[string]int{}
	add := func(f func()) {
		n.mu.Lock()
		defer n.mu.Unlock()
		f()
	}
	o.Changed = func(key string) { add(func() { n.changed[key]++ }) }
	o.Up = func() { add(func() { n.turns += "u" }) }
	o.Down = func(error) { add(func() { n.turns += "d" }) }
}

func (n *news) of(key string) int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.changed[key]
}

func (n *news) told() string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.turns
}

func TestAServerThatComesLateGoesAndComesBack(t *testing.T) {
	t.Parallel()
	s := redistest.Single(t)
	s.Kill()
	var n news
	opt := Options{URL: s.URL(), Prefixes: []string{"s:"}}
	n.listen(&opt)
	l := open(t, opt)
	if err := l.set("s:a", "1"); !errors.Is(err, ErrAway) {
		t.Errorf("before it is there: %v", err)
	}
	restart := func() {
		t.Helper()
		if err := s.Restart(); err != nil {
			t.Fatal(err)
		}
		until(t, "set", func() bool { return l.set("s:a", "1") == nil && l.Up() })
	}
	restart()
	until(t, "told that it is up", func() bool { return n.told() == "u" })
	until(t, "told of the change", func() bool { return n.of("s:a") > 0 })
	lost := n.of("")
	s.Kill()
	until(t, "told that all may have changed", func() bool { return n.of("") > lost })
	until(t, "told that it is down", func() bool { return n.told() == "ud" && !l.Up() })
	restart()
	until(t, "told that it is up again", func() bool { return n.told() == "udu" })
	if _, err := s.Do("SET", "s:b", "2"); err != nil {
		t.Fatal(err)
	}
	until(t, "told of a foreign change", func() bool { return n.of("s:b") > 0 })
}

func TestAClientThatFindsNothingForLongIsReplaced(t *testing.T) {
	t.Parallel()
	s := redistest.Single(t)
	l := open(t, Options{URL: s.URL(), Timeout: 50 * time.Millisecond, renewAfter: time.Millisecond})
	until(t, "set", func() bool { return l.set("a", "1") == nil && l.Up() })
	before := l.Client()
	s.Pause()
	until(t, "down", func() bool { return !l.Up() })
	s.Resume()
	until(t, "set by another client", func() bool { return l.set("a", "2") == nil && l.Client() != before })
}

func TestAServerThatHangsIsNotAskedForLong(t *testing.T) {
	t.Parallel()
	s := redistest.Single(t)
	l := open(t, Options{URL: s.URL(), Timeout: 50 * time.Millisecond})
	until(t, "up", func() bool { return l.set("a", "1") == nil })
	s.Pause()
	for range 1000 { // 50 s, if each of them had to wait
		if err := l.set("a", "2"); !errors.Is(err, ErrAway) && err != nil {
			t.Fatal(err)
		}
	}
	if n := l.Stats.Away.Load(); n < 900 {
		t.Errorf("of 1000 only %d were spared the wait", n)
	}
	s.Resume()
	until(t, "back", func() bool { return l.set("a", "3") == nil && l.get("a") == "3" })
}

func TestManyAtOnceAreBounded(t *testing.T) {
	t.Parallel()
	s := redistest.Single(t)
	l := open(t, Options{URL: s.URL(), Timeout: 100 * time.Millisecond})
	until(t, "up", l.Up)
	s.Pause()
	defer s.Resume()
	var wg sync.WaitGroup
	for range 3000 { // more than the client's ring holds
		wg.Go(func() { l.set("a", "1") })
	}
	wg.Wait()
	if n := l.Stats.Asks.Load(); n > 2*maxInflight {
		t.Errorf("%d were sent", n)
	}
}

func TestSentinelFailsOver(t *testing.T) {
	t.Parallel()
	set := redistest.Sentinel(t)
	l := open(t, Options{URL: set.URL})
	until(t, "set", func() bool { return l.set("a", "1") == nil })
	set.Masters[0].Kill()
	until(t, "set at the new master", func() bool { return l.set("a", "2") == nil && l.get("a") == "2" })
}

func TestAClusterLosesAMaster(t *testing.T) {
	t.Parallel()
	set := redistest.Cluster(t)
	var n news
	opt := Options{URL: set.URL, Prefixes: []string{"s:"}}
	n.listen(&opt)
	l := open(t, opt)
	keys := []string{"s:0", "s:1", "s:2", "s:3", "s:4", "s:5"}
	for _, key := range keys {
		until(t, "set", func() bool { return l.set(key, "1") == nil })
		until(t, "told", func() bool { return n.of(key) > 0 })
	}
	set.Masters[1].Kill()
	for _, key := range keys {
		told := 0
		until(t, "set after the failover", func() bool { told = n.of(key); return l.set(key, "2") == nil })
		until(t, "told after the failover", func() bool { return n.of(key) > told || l.set(key, "2") != nil })
	}
}

func TestWhoAsksMayLeave(t *testing.T) {
	t.Parallel()
	s := redistest.Single(t)
	l := open(t, Options{URL: s.URL(), Timeout: time.Hour})
	until(t, "up", l.Up)
	ctx, cancel := context.WithCancel(context.Background())
	_, err := l.Ask(ctx, "a", func(ctx context.Context, c rueidis.Client) rueidis.RedisResult {
		cancel()
		<-ctx.Done() // until the link is closed
		return c.Do(ctx, c.B().Ping().Build())
	})
	if !errors.Is(err, ErrAway) || l.breakers[0].fails.Load() != 0 {
		t.Errorf("%v; %d failures", err, l.breakers[0].fails.Load())
	}
}

func TestOpenRefusesOnlyWhatIsWrong(t *testing.T) {
	if l, err := Open(context.Background(), Options{URL: "http://h"}); err == nil {
		l.Close()
		t.Error("opened")
	}
}
