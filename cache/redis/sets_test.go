package redis

import (
	"context"
	"fmt"
	"testing"
	"time"

	"multiserver/cache/redis/redistest"
)

func TestASentinelSetFailsOver(t *testing.T) {
	t.Parallel()
	s := redistest.Sentinel(t)
	var at news
	var marks marked
	a, b := upTier(t, s.URL, at.listen, marks.listen), upTier(t, s.URL)
	b.Put([]byte("k"), []byte("1"), time.Minute, false)
	within(t, "news", func() bool { return at.of("k") > 0 && a.text("k") == "1" })
	epoch := a.Epoch()
	begin := time.Now()
	s.Masters[0].Kill()
	var first, second bool
	within(t, "known to be away", func() bool { // one may be up again by the time that the other knows
		first, second = first || !a.Up(), second || !b.Up()
		return first && second
	})
	b.Drop([]byte("k"))
	within(t, "up by the replica", func() bool { return a.Up() && b.Up() })
	t.Logf("up again after %v", time.Since(begin))
	if a.Epoch() == epoch {
		t.Error("Epoch stands over a failover")
	}
	if got := a.text("k"); got != "no such record" {
		t.Errorf("owed drop not paid: %q", got)
	}
	heard := at.of("after")
	within(t, "news from the new master", func() bool {
		b.Put([]byte("after"), []byte("2"), time.Minute, false)
		time.Sleep(5 * time.Millisecond)
		return at.of("after") > heard
	})
	makeMarks(t, b, "m")
	within(t, "mark from the new master", func() bool { return marks.all() == "m" })
}

func TestAClusterTellsFromAllNodesAndFailsOver(t *testing.T) {
	t.Parallel()
	s := redistest.Cluster(t)
	t.Run("tracking", func(t *testing.T) { clustered(t, s, func(*Options) {}) })
	t.Run("sharded channel", func(t *testing.T) { clustered(t, s, func(o *Options) { o.NoTracking = true }) })
	t.Run("failover", func(t *testing.T) { failsOver(t, s) })
}

// heardOf asks for the news of a key, and has there be some more: where a link
// was new, or lost, what is told is that anything may have changed.
func heardOf(at *news, by *Redis, key, value string) func() bool {
	return func() bool {
		if at.of(key) > 0 {
			return true
		}
		time.Sleep(20 * time.Millisecond)
		by.Put([]byte(key), []byte(value), time.Minute, false)
		return false
	}
}

func clustered(t *testing.T, s *redistest.Set, set func(*Options)) {
	var at news
	var marks marked
	a, b := upTier(t, s.URL, set, at.listen, marks.listen), upTier(t, s.URL, set)
	for i := range 300 {
		b.Put(fmt.Appendf(nil, "k%d", i), fmt.Appendf(nil, "%d", i), time.Minute, false)
	}
	for i := range 300 {
		key := fmt.Sprintf("k%d", i)
		within(t, "news of "+key, heardOf(&at, b, key, fmt.Sprint(i)))
		if got := a.text(key); got != fmt.Sprint(i) {
			t.Errorf("%s: %q", key, got)
		}
	}
	for i, m := range s.Masters {
		if n, err := m.Do("DBSIZE"); err != nil || n == "0" {
			t.Errorf("master %d has %s keys, %v", i, n, err)
		}
	}
	makeMarks(t, b, t.Name()+"/one", t.Name()+"/two")
	within(t, "marks", func() bool { return marks.highest() > 0 })
	for i := range 30 {
		key := fmt.Appendf(nil, "l%d", i)
		lease, err := a.Lease(key, time.Minute)
		if _, other := b.Lease(key, time.Minute); err != nil || other != ErrTaken {
			t.Errorf("lease %s: %v, the other %v", key, err, other)
		}
		w := b.Watch(key)
		settled(w)
		a.Release(lease)
		select {
		case <-w.C:
		case <-time.After(patience):
			t.Errorf("not woken by the release of %s", key)
		}
		w.Close()
	}
}

func failsOver(t *testing.T, s *redistest.Set) {
	var at news
	a, b := upTier(t, s.URL, at.listen, brief), upTier(t, s.URL)
	epoch, begin := a.Epoch(), time.Now()
	s.Masters[2].Kill()
	finds := func() (away int, longest time.Duration) {
		for i := range 300 {
			one := time.Now()
			if _, err := a.Find(nil, fmt.Appendf(nil, "k%d", i)); err == ErrAway {
				away++
			}
			longest = max(longest, time.Since(one))
		}
		return away, longest
	}
	away, longest := finds()
	t.Logf("one master dead: %d of 300 looks in vain, the longest took %v", away, longest)
	if away > 250 || longest > short+slack {
		t.Errorf("one master dead: %d of 300 looks in vain, the longest took %v", away, longest)
	}
	for i := range 300 { // a third of them will be owed
		b.Drop(fmt.Appendf(nil, "k%d", i))
	}
	within(t, "up by the replica", func() bool {
		away, _ := finds()
		return away == 0 && a.Up() && b.Up()
	})
	t.Logf("whole again after %v", time.Since(begin))
	within(t, "all drops", func() bool { return b.Stats.Drops.Load()+b.Stats.Paid.Load() >= 300 })
	for i := range 300 {
		var got string // from one that reads in haste
		within(t, "an answer", func() bool { got = a.text(fmt.Sprintf("k%d", i)); return got != "away" })
		if got != "no such record" {
			t.Errorf("k%d was dropped and is there: %s", i, got)
		}
	}
	t.Logf("%d of 300 drops were owed", b.Stats.Paid.Load())
	within(t, "a new epoch", func() bool { return a.Epoch() > epoch })
	for i := range 100 {
		key := fmt.Sprintf("after%d", i)
		b.Put([]byte(key), []byte("1"), time.Minute, false)
		within(t, "news of "+key, heardOf(&at, b, key, "1"))
	}
	if _, err := b.Mark(context.Background(), []byte("after")); err != nil {
		t.Error(err)
	}
}
