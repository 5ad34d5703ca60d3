package redis

import (
	"sync"
	"testing"
	"time"

	"multiserver/cache/redis/redistest"
)

func TestALeaseIsWonOnce(t *testing.T) {
	t.Parallel()
	s := redistest.Single(t)
	nodes := []*Redis{upTier(t, s.URL()), upTier(t, s.URL())}
	var wg sync.WaitGroup
	var mu sync.Mutex
	won, taken := 0, 0
	for i := range 100 {
		wg.Go(func() {
			_, err := nodes[i%2].Lease([]byte("k"), time.Minute)
			mu.Lock()
			defer mu.Unlock()
			switch err {
			case nil:
				won++
			case ErrTaken:
				taken++
			}
		})
	}
	wg.Wait()
	if won != 1 || taken != 99 {
		t.Errorf("%d won and %d found it taken of 100", won, taken)
	}
}

func TestWhoWaitsForALeaseIsWoken(t *testing.T) {
	t.Parallel()
	ways(t, func(t *testing.T, s *redistest.Server, url string, set func(*Options)) {
		a, b := upTier(t, url, set), upTier(t, url, set)
		key := []byte("k")
		// f: the lease is taken; then what the winner does wakes who waits, here and there.
		f := func(does string, winner func(Lease), there string) {
			t.Helper()
			lease, err := a.Lease(key, time.Minute)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := b.Lease(key, time.Minute); err != ErrTaken {
				t.Fatalf("%s: a second lease: %v", does, err)
			}
			here, elsewhere := a.Watch(key), b.Watch(key)
			defer here.Close()
			defer elsewhere.Close()
			settled(here, elsewhere)
			winner(lease)
			for _, w := range []*Watch{here, elsewhere} {
				select {
				case <-w.C:
				case <-time.After(patience):
					t.Fatalf("%s: who waits is not woken", does)
				}
			}
			within(t, does+": "+there, func() bool { return b.text("k") == there })
			a.Release(lease) // again: it is nobody's by now
			within(t, does+": released", func() bool {
				next, err := b.Lease(key, time.Minute)
				b.Release(next)
				return err == nil
			})
			within(t, does+": and by the other", func() bool {
				next, err := a.Lease(key, time.Minute)
				a.Release(next)
				return err == nil
			})
			within(t, "all released", func() bool { n, err := s.Do("EXISTS", a.names.lease(key)); return err == nil && n == "0" })
		}
		f("release without a fill", func(l Lease) { a.Release(l) }, "no such record")
		f("fill and release", func(l Lease) {
			a.Put(key, []byte("filled"), time.Minute, false)
			a.Release(l)
		}, "filled")
	})
}

// settled takes what the lease itself has told.
func settled(ws ...*Watch) {
	time.Sleep(20 * time.Millisecond)
	for _, w := range ws {
		select {
		case <-w.C:
		default:
		}
	}
}

func TestALeaseOfTheDeadEnds(t *testing.T) {
	t.Parallel()
	s := redistest.Single(t)
	a, b := upTier(t, s.URL()), upTier(t, s.URL())
	if _, err := a.Lease([]byte("k"), 50*time.Millisecond); err != nil {
		t.Fatal(err)
	}
	w := b.Watch([]byte("k"))
	defer w.Close()
	for end := time.After(patience); ; {
		if _, err := b.Lease([]byte("k"), time.Minute); err == nil {
			return
		}
		select {
		case <-w.C:
		case <-end:
			t.Fatal("not woken by its end")
		}
	}
}

func TestAForeignLeaseIsNotReleased(t *testing.T) {
	t.Parallel()
	s := redistest.Single(t)
	a, b := upTier(t, s.URL()), upTier(t, s.URL())
	old, err := a.Lease([]byte("k"), 10*time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	within(t, "its end", func() bool { _, err := b.Lease([]byte("k"), time.Minute); return err == nil })
	a.Release(old)
	within(t, "release", func() bool { return a.Stats.Releases.Load() == 1 })
	if _, err := a.Lease([]byte("k"), time.Minute); err != ErrTaken {
		t.Errorf("the lease of another was released: %v", err)
	}
}
