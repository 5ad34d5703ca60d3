package redis

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"multiserver/cache/redis/redistest"
)

// ways are those by which news can come. Each test of news runs on all.
func ways(t *testing.T, f func(t *testing.T, s *redistest.Server, url string, set func(*Options))) {
	t.Run("tracking", func(t *testing.T) {
		t.Parallel()
		s := redistest.Single(t)
		f(t, s, s.URL(), func(*Options) {})
	})
	t.Run("refused", func(t *testing.T) {
		t.Parallel()
		s := redistest.Single(t)
		if _, err := s.Do("ACL", "SETUSER", "app", "on", ">secret", "~*", "&*", "+@all", "-client|tracking"); err != nil {
			t.Fatal(err)
		}
		f(t, s, "redis://app:secret@"+s.Addr, func(*Options) {})
	})
	t.Run("RESP2", func(t *testing.T) {
		t.Parallel()
		s := redistest.Single(t, "--rename-command", "HELLO", "")
		f(t, s, s.URL(), func(*Options) {})
	})
	t.Run("switched off", func(t *testing.T) {
		t.Parallel()
		s := redistest.Single(t)
		f(t, s, s.URL(), func(o *Options) { o.NoTracking = true })
	})
}

func TestOthersHearOfChanges(t *testing.T) {
	t.Parallel()
	ways(t, func(t *testing.T, s *redistest.Server, url string, set func(*Options)) {
		var atA, atB news
		a, b := upTier(t, url, set, atA.listen), upTier(t, url, set, atB.listen)
		if want := t.Name() == "TestOthersHearOfChanges/tracking"; a.link.Load().tracking != want {
			t.Fatalf("tracking: %v", !want)
		}
		a.Put([]byte("put"), []byte("1"), time.Minute, false)
		within(t, "news of a put", func() bool { return atB.of("put") > 0 })
		if got := b.text("put"); got != "1" {
			t.Errorf("after the news of it: %q", got)
		}
		pulse := a.Pulse([]byte("put"))
		b.Drop([]byte("put"))
		within(t, "news of a drop", func() bool { return atA.of("put") > 0 })
		if a.Pulse([]byte("put")) == pulse {
			t.Error("a drop elsewhere leaves Pulse as it was")
		}
		b.Drop([]byte("never there"))
		within(t, "news of the drop of what Redis does not have", func() bool { return atA.of("never there") > 0 })
	})
}

func TestANodeDoesNotHearOfItsOwnPuts(t *testing.T) {
	t.Parallel()
	ways(t, func(t *testing.T, s *redistest.Server, url string, set func(*Options)) {
		var atA, atB news
		a, _ := upTier(t, url, set, atA.listen), upTier(t, url, set, atB.listen)
		for i := range 100 {
			a.Put(fmt.Appendf(nil, "k%d", i), []byte("1"), time.Minute, false)
		}
		for i := range 100 {
			key := fmt.Sprintf("k%d", i)
			within(t, "news elsewhere", func() bool { return atB.of(key) > 0 })
			if atA.of(key) > 0 {
				t.Fatalf("told of its own put of %s", key)
			}
		}
	})
}

func TestExpiryAndFlushAreToldByTracking(t *testing.T) {
	t.Parallel()
	s := redistest.Single(t)
	var at news
	a := upTier(t, s.URL(), at.listen)
	a.Put([]byte("short"), []byte("1"), 20*time.Millisecond, false)
	within(t, "news of expiry", func() bool { return at.of("short") > 0 })
	before, epoch := at.everything(), a.Epoch()
	if _, err := s.Do("FLUSHALL"); err != nil {
		t.Fatal(err)
	}
	within(t, "news of the flush", func() bool { return at.everything() > before })
	if a.Epoch() <= epoch {
		t.Error("Epoch stands over a flush")
	}
	if !a.Up() {
		t.Error("a flush is taken for a loss")
	}
}

func TestAThousandChangesArrive(t *testing.T) {
	t.Parallel()
	s := redistest.Single(t)
	arrived := make(chan string, 10)
	a := upTier(t, s.URL())
	upTier(t, s.URL(), func(o *Options) {
		o.Changed = func(key []byte) {
			if key != nil {
				arrived <- string(key)
			}
		}
	})
	var took []time.Duration
	for i := range 1000 {
		key, begin := fmt.Sprintf("k%d", i%100), time.Now()
		a.Put([]byte(key), fmt.Appendf(nil, "%d", i), time.Minute, false)
		select {
		case got := <-arrived:
			if got != key {
				t.Fatalf("news of %q, want %q", got, key)
			}
		case <-time.After(patience):
			t.Fatalf("no news of change %d", i)
		}
		took = append(took, time.Since(begin))
	}
	slices.Sort(took)
	t.Logf("from Put to Changed at another node: median %v, p99 %v, max %v", took[500], took[990], took[999])
}

func TestAPutDoesNotComeAfterTheDropThatFollowedIt(t *testing.T) {
	t.Parallel()
	s := redistest.Single(t)
	r := upTier(t, s.URL(), brief)
	key := []byte("k")
	s.Pause()
	for range 10 { // the writer hangs with the first, the others wait
		r.Put(key, []byte("old"), time.Minute, false)
		time.Sleep(time.Millisecond)
	}
	for range tolerance + 1 {
		r.Find(nil, key)
	}
	r.Drop(key) // owed, as the breaker is open
	if r.Stats.Owed.Load() != 1 {
		t.Fatal("not owed")
	}
	s.Resume()
	within(t, "paid", func() bool { return r.Up() && r.Stats.Paid.Load() == 1 })
	within(t, "all written", func() bool {
		return r.Stats.Puts.Load()+r.Stats.PutFailed.Load()+r.Stats.PutStale.Load() == 10
	})
	within(t, "reads again", func() bool { return r.text("k") != "away" }) // the breaker closes after the drops
	if got := r.text("k"); got != "no such record" {
		t.Errorf("found %q after it was dropped", got)
	}
}

func TestAPutThatAnotherNodeOvertookIsNotSent(t *testing.T) {
	q := new(queue)
	q.init(10, 1000)
	f := func(name string, want int) {
		t.Helper()
		if got := q.overtaken(name); got != want {
			t.Errorf("%s: %d removed, want %d", name, got, want)
		}
	}
	for _, name := range []string{"a", "b", "a"} {
		q.add(op{does: put, name: name, value: []byte("123")})
	}
	q.add(op{does: drop, name: "a"})
	f("a", 2)
	f("a", 0)
	f("none", 0)
	if got := q.take(nil); len(got) != 2 || got[0].name != "b" || got[1].does != drop || q.bytes != 0 {
		t.Errorf("left: %+v, %d bytes", got, q.bytes)
	}
	f("b", 0)
}

func TestValuesOfOthersAreMisses(t *testing.T) {
	t.Parallel()
	s := redistest.Single(t)
	old, new := upTier(t, s.URL()), upTier(t, s.URL(), func(o *Options) { o.Version = 2 })
	old.Put([]byte("k"), []byte("of version 0"), time.Minute, false)
	within(t, "put", func() bool { return old.text("k") == "of version 0" })
	if got := new.text("k"); got != "no such record" || new.Stats.Foreign.Load() != 1 {
		t.Errorf("another version: %q", got)
	}
	time.Sleep(2 * moment) // or what others write is taken for something that came before the put, and dropped
	for _, value := range []string{"text", "\xca\xc4 more text, longer than a head"} {
		if _, err := s.Do("SET", old.names.record([]byte("k")), value); err != nil {
			t.Fatal(err)
		}
		if got := old.text("k"); got != "no such record" {
			t.Errorf("%q: %q", value, got)
		}
	}
	if _, err := s.Do("DEL", old.names.record([]byte("k"))); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Do("LPUSH", old.names.record([]byte("k")), "a list"); err != nil {
		t.Fatal(err)
	}
	if got := old.text("k"); got != "no such record" || old.Stats.Corrupt.Load() != 2 {
		t.Errorf("a list: %q", got)
	}
}
