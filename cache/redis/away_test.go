package redis

import (
	"context"
	"fmt"
	"runtime"
	"testing"
	"time"

	"multiserver/cache/redis/redistest"
)

// short is the time that reads have where waiting for them is what is tested:
// 200 of them, or thousands in a line, would take far longer than slack, which is
// what a busy machine and the race detector may add.
const (
	short = 100 * time.Millisecond
	slack = 5 * time.Second
)

func brief(o *Options) { o.ReadTimeout = short }

// finds looks 200 times and gives the longest look, and the whole time.
func finds(t *testing.T, r *Redis) (longest, whole time.Duration) {
	t.Helper()
	begin := time.Now()
	for range 200 {
		one := time.Now()
		if _, err := r.Find(nil, []byte("k")); err != ErrAway {
			t.Fatalf("Find: %v, want ErrAway", err)
		}
		longest = max(longest, time.Since(one))
	}
	return longest, time.Since(begin)
}

func TestAServerThatHangsCostsAFewTimeouts(t *testing.T) {
	t.Parallel()
	s := redistest.Single(t)
	r := upTier(t, s.URL(), brief)
	r.Put([]byte("k"), []byte("1"), time.Minute, false)
	within(t, "found", func() bool { return r.text("k") == "1" })
	s.Pause()
	longest, whole := finds(t, r)
	t.Logf("hangs: longest look %v, 200 looks %v", longest, whole)
	if longest > short+slack || whole > tolerance*short+slack {
		t.Errorf("longest look %v, 200 looks %v", longest, whole)
	}
	if _, err := r.Lease([]byte("k"), time.Minute); err != ErrAway {
		t.Errorf("Lease: %v", err)
	}
	within(t, "known to be away", func() bool { return !r.Up() })
	if _, err := r.Mark(context.Background(), []byte("m")); err != ErrAway {
		t.Errorf("Mark: %v", err)
	}
	r.Drop([]byte("k"))
	s.Resume()
	within(t, "up again", r.Up)
	within(t, "the drop that was owed", func() bool { return r.text("k") == "no such record" })
}

func TestManyAtOnceAreBoundedWhenTheServerHangs(t *testing.T) {
	t.Parallel()
	s := redistest.Single(t)
	r := upTier(t, s.URL(), brief)
	s.Pause()
	done := make(chan time.Duration)
	for range 3000 { // more than the client's ring holds
		go func() {
			begin := time.Now()
			r.Find(nil, []byte("k"))
			done <- time.Since(begin)
		}()
	}
	longest := time.Duration(0)
	for range 3000 {
		longest = max(longest, <-done)
	}
	if longest > short+slack {
		t.Errorf("longest look of 3000 at once: %v", longest)
	}
	s.Resume()
	within(t, "up again", r.Up)
}

func TestAServerThatDiesAndComesBack(t *testing.T) {
	t.Parallel()
	s := redistest.Single(t)
	var at news
	r := upTier(t, s.URL(), brief, at.listen)
	before, epoch := runtime.NumGoroutine(), r.Epoch()
	s.Kill()
	within(t, "known to be away", func() bool { return !r.Up() })
	longest, whole := finds(t, r)
	t.Logf("dead: longest look %v, 200 looks %v", longest, whole)
	if whole > slack {
		t.Errorf("200 looks took %v", whole)
	}
	within(t, "the loss is told", func() bool { return at.everything() >= 2 && r.Epoch() != epoch })
	for i := range 20_000 { // must be bounded
		r.Put(fmt.Appendf(nil, "p%d", i), make([]byte, 1000), time.Minute, false)
		r.Drop(fmt.Appendf(nil, "d%d", i%1000))
	}
	if n := r.Stats.PutAway.Load(); n != 20_000 {
		t.Errorf("%d puts dropped of 20000", n)
	}
	time.Sleep(time.Second)                                                                 // tries to come back, in vain
	within(t, "few goroutines", func() bool { return runtime.NumGoroutine() < before+150 }) // others' tests run, too
	away := r.Epoch()
	if err := s.Restart(); err != nil {
		t.Fatal(err)
	}
	within(t, "up again", r.Up)
	if r.Epoch() == away {
		t.Error("Epoch stands over the return")
	}
	if n := r.Stats.Paid.Load(); n != 1000 {
		t.Errorf("%d drops paid of 1000 owed", n)
	}
	r.Put([]byte("k"), []byte("1"), time.Minute, false)
	within(t, "found again", func() bool { return r.text("k") == "1" })
}

func TestNewsComeAgainAfterARestart(t *testing.T) {
	t.Parallel()
	ways(t, func(t *testing.T, s *redistest.Server, url string, set func(*Options)) {
		var at news
		a := upTier(t, url, set, at.listen)
		b := upTier(t, url, set)
		before := a.Epoch()
		if _, err := s.Do("CLIENT", "KILL", "SKIPME", "yes"); err != nil {
			t.Fatal(err)
		}
		within(t, "a new epoch", func() bool { return a.Epoch() > before+1 && a.Up() && b.Up() })
		for i := 0; at.of("k") == 0; i++ {
			if i > 5000 {
				t.Fatal("no news after the loss")
			}
			b.Put([]byte("k"), []byte("1"), time.Minute, false)
			time.Sleep(time.Millisecond)
		}
	})
}

func TestTooManyDropsOwedDropAll(t *testing.T) {
	t.Parallel()
	s := redistest.Single(t)
	var at marked
	r := upTier(t, s.URL(), at.listen, func(o *Options) { o.OwedEntries = 10 })
	s.Kill()
	within(t, "known to be away", func() bool { return !r.Up() })
	for i := range 11 {
		r.Drop(fmt.Appendf(nil, "d%d", i))
	}
	if err := s.Restart(); err != nil {
		t.Fatal(err)
	}
	within(t, "a mark for all", func() bool { return at.all() == "ALL" })
}

func TestRedisMayBeDownAtStart(t *testing.T) {
	t.Parallel()
	s := redistest.Single(t)
	s.Kill()
	r := tier(t, s.URL(), brief)
	if _, whole := finds(t, r); whole > slack {
		t.Errorf("200 looks took %v", whole)
	}
	r.Drop([]byte("k"))
	if err := s.Restart(); err != nil {
		t.Fatal(err)
	}
	within(t, "up", r.Up)
	if r.Stats.Paid.Load() != 1 {
		t.Error("a drop from before the first link is not paid")
	}
}

func TestTheQueueIsBounded(t *testing.T) {
	t.Parallel()
	s := redistest.Single(t)
	r := upTier(t, s.URL(), func(o *Options) { o.QueueEntries = 100 })
	s.Pause()
	begin := time.Now()
	for i := range 1000 {
		r.Put(fmt.Appendf(nil, "p%d", i), make([]byte, 100), time.Minute, false)
	}
	if took := time.Since(begin); took > slack {
		t.Errorf("1000 puts to a server that hangs took %v", took)
	}
	if n := r.Stats.PutFull.Load(); n < 700 {
		t.Errorf("%d dropped", n)
	}
	s.Resume()
}

func TestCloseIsBounded(t *testing.T) {
	t.Parallel()
	s := redistest.Single(t)
	hangs, works := upTier(t, s.URL()), upTier(t, s.URL())
	for i := range 1000 {
		works.Put(fmt.Appendf(nil, "p%d", i), []byte("1"), time.Minute, false)
	}
	works.Close()
	if n := works.Stats.Puts.Load(); n != 1000 {
		t.Errorf("Close left %d of 1000 puts", 1000-n)
	}
	if _, err := works.Find(nil, []byte("p1")); err != ErrAway {
		t.Errorf("Find after Close: %v", err)
	}
	s.Pause()
	hangs.Put([]byte("k"), []byte("1"), time.Minute, false)
	begin := time.Now()
	hangs.Close()
	if took := time.Since(begin); took > 3*slack {
		t.Errorf("Close took %v", took)
	} else {
		t.Logf("Close with a server that hangs: %v", took)
	}
}
