package cache

import (
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// crowd sends n GETs at the same time to an origin that takes a second.
func crowd(t *testing.T, n int, answer string) (fetches int64, took time.Duration, c *Cache) {
	s := newStage(t, Options{Wait: 5 * time.Second})
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		var asked atomic.Int64
		var wg sync.WaitGroup
		for range n {
			wg.Go(func() {
				one := &stage{T: t, c: s.c, origin: func(string) string {
					asked.Add(1)
					time.Sleep(time.Second)
					return answer
				}}
				if body, _ := one.get("/"); body != "body" {
					t.Errorf("body %q", body)
				}
			})
		}
		wg.Wait()
		fetches, took, c = asked.Load(), time.Since(begin), s.c
	})
	return fetches, took, c
}

func TestOneFetchForAllWhoAskAtOnce(t *testing.T) {
	fetches, took, c := crowd(t, 1000, "HTTP/1.1 200 OK\nCache-Control: max-age=10\n\nbody")
	if fetches != 1 || took != time.Second {
		t.Errorf("%d fetches in %v, want 1 in 1s", fetches, took)
	}
	if got := c.Stats.Collapsed.Load(); got != 999 {
		t.Errorf("%d waited, want 999", got)
	}
}

func TestWhatIsNotSharedKeepsNobodyWaiting(t *testing.T) {
	fetches, took, _ := crowd(t, 100, "HTTP/1.1 200 OK\nCache-Control: private\n\nbody")
	if fetches != 100 || took > 2*time.Second {
		t.Errorf("%d fetches in %v, want 100 in 2s: one to learn it, the others at once", fetches, took)
	}
}

func TestAnUnsharedAnswerIsRememberedWhereSomebodyWaited(t *testing.T) {
	_, _, c := crowd(t, 2, "HTTP/1.1 200 OK\nCache-Control: private\n\nbody")
	s := &stage{T: t, c: c}
	s.answers("HTTP/1.1 200 OK\nCache-Control: private\n\nbody")
	if _, got := s.get("/"); !strings.Contains(got, "fwd=bypass") {
		t.Errorf("the next one is %s, want fwd=bypass", got)
	}
}

func TestWhoWaitsTooLongGoesAlone(t *testing.T) {
	s := newStage(t, Options{Wait: time.Second})
	synctest.Test(t, func(t *testing.T) {
		f, lead := s.c.flights.join([]byte("http://example.org/"))
		if !lead {
			t.Fatal("somebody leads")
		}
		begin := time.Now()
		one := &stage{T: t, c: s.c}
		one.answers("HTTP/1.1 200 OK\n\nbody")
		one.get("/")
		if took := time.Since(begin); took != time.Second || s.c.Stats.Lone.Load() != 1 {
			t.Errorf("went after %v, want 1s", took)
		}
		s.c.flights.land(f, failed)
	})
}

func TestAFailedFetchIsMadeByTheNext(t *testing.T) {
	s := newStage(t, Options{Wait: 5 * time.Second})
	synctest.Test(t, func(t *testing.T) {
		var leader Visit
		q := s.request("GET", "/")
		if s.c.Find(&leader, q, false, q.Host) != Miss {
			t.Fatal("there is something")
		}
		got := make(chan string)
		one := &stage{T: t, c: s.c}
		one.answers("HTTP/1.1 200 OK\nCache-Control: max-age=10\n\nbody")
		go func() {
			_, status := one.get("/")
			got <- status
		}()
		synctest.Wait()
		leader.End() // its client has left
		if st := <-got; st != "multiserver; fwd=uri-miss; stored" {
			t.Error(st)
		}
	})
}

func TestAnAnswerThatIsOnlyForItsRequestTellsOthersNothing(t *testing.T) {
	s := newStage(t, Options{Wait: 5 * time.Second})
	f := func(line, answer string) {
		t.Helper()
		s.now += 100 * second
		synctest.Test(t, func(t *testing.T) {
			var leader Visit
			q := s.request("GET", "/", line)
			if s.c.Find(&leader, q, false, q.Host) != Miss {
				t.Fatal("there is something")
			}
			got := make(chan string)
			one := &stage{T: t, c: s.c}
			one.answers("HTTP/1.1 200 OK\nCache-Control: max-age=10\n\nbody")
			go func() {
				_, status := one.get("/")
				got <- status
			}()
			synctest.Wait()
			res, _ := s.parse(answer)
			s.c.Answered(&leader, q, res)
			if st := <-got; !strings.HasSuffix(st, "; stored") {
				t.Errorf("%s: who waited is %s, and stores nothing", line, st)
			}
			leader.End()
			if _, st := one.get("/"); !strings.Contains(st, "hit") {
				t.Errorf("%s: then it is %s", line, st)
			}
		})
	}
	f("Authorization: me", "HTTP/1.1 200 OK\nCache-Control: max-age=10\n\nmine")
	f(`If-None-Match: "x"`, "HTTP/1.1 304 Not Modified\nETag: \"x\"\n\n")
}
