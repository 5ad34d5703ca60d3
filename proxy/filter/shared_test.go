package filter

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"multiserver/cache/redis/redistest"
	"multiserver/sync/link"
)

// node is a link of its own to the Redis that all share, once it is there.
func node(t *testing.T, url string) Options {
	t.Helper()
	l, err := link.Open(context.Background(), link.Options{URL: url, Timeout: MostAsked, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.Close)
	until(t, "Redis is there", l.Up)
	return Options{Key: "a/0", Shared: func() (*Shared, error) { return &Shared{l, "test:"}, nil }}
}

func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(time.Minute); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("did not come about: %s", what)
		}
	}
}

func sharing1s() *sharing { return &sharing{Shared: true, Away: "local", Timeout: MostAsked} }

// Both kinds of counters say the same of the same requests.
func TestSharedRatesAreAsLocalOnes(t *testing.T) {
	s, err := newShared(node(t, redistest.Single(t).URL()), sharing1s())
	if err != nil {
		t.Fatal(err)
	}
	f := func(name string, take func(who string) (int64, time.Duration)) {
		for i, want := range []int64{2, 1, 0} { // a burst of 3, one a minute
			if left, wait := take("ann"); left != want || wait != 0 {
				t.Errorf("%s: request %d: %d left, %s to wait, want %d, none", name, i, left, wait, want)
			}
		}
		for range 2 {
			if left, wait := take("ann"); left != 0 || wait <= 30*time.Second || wait > time.Minute {
				t.Errorf("%s: %d left, %s to wait, want none, and up to a minute", name, left, wait)
			}
		}
		if left, wait := take("eve"); left != 2 || wait != 0 {
			t.Errorf("%s: another client: %d left, %s to wait", name, left, wait)
		}
	}
	var table times
	f("local", func(who string) (int64, time.Duration) {
		return table.take(uint64(who[0]), time.Now().UnixNano(), int64(time.Minute), int64(3*time.Minute))
	})
	f("shared", func(who string) (int64, time.Duration) {
		left, wait, ok := s.take([]byte(who), time.Minute, 3*time.Minute)
		if !ok {
			t.Fatal("Redis does not answer")
		}
		return left, wait
	})
}

func TestNodesTogetherAdmitNoMoreThanTheLimit(t *testing.T) {
	redis := redistest.Single(t)
	var admitted, unknown atomic.Int64
	var wg sync.WaitGroup
	for range 4 {
		s, err := newShared(node(t, redis.URL()), sharing1s())
		if err != nil {
			t.Fatal(err)
		}
		for range 4 {
			wg.Go(func() {
				for range 50 {
					_, wait, ok := s.take([]byte("ann"), time.Hour, 100*time.Hour)
					switch {
					case !ok:
						unknown.Add(1)
					case wait == 0:
						admitted.Add(1)
					}
				}
			})
		}
	}
	wg.Wait()
	if n, u := admitted.Load(), unknown.Load(); n > 100 || n+u < 100 {
		t.Errorf("%d admitted, want 100; of %d nobody knows", n, u)
	}
}

func TestRatesWithoutRedis(t *testing.T) {
	redis := redistest.Single(t)
	o := node(t, redis.URL())
	f := func(away string, want ...int) {
		t.Helper()
		words := options("{rate: 1/h, burst: 2, shared: true, timeout: 1s, on-error: " + away + "}")
		words.Key, words.Shared = away, o.Shared
		limit, err := New("rate-limit", words)
		if err != nil {
			t.Fatal(err)
		}
		addr := start(t, limit)
		var got []int
		for range want {
			res, _ := ask(t, addr, "GET /")
			got = append(got, res.StatusCode)
			if (res.Header.Get("RateLimit-Limit") == "2") != (away == "local" || want[2] == 429) {
				t.Errorf("%s: %q", away, res.Header)
			}
		}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%s: %d, want %d", away, got, want)
		}
	}
	f("local", 200, 200, 429)
	f("open", 200, 200, 429)
	f("closed", 200, 200, 429)
	redis.Stop()
	unknown := Stats.Unknown.Load()
	f("local", 200, 200, 429)
	f("open", 200, 200, 200)
	f("closed", 503, 503, 503)
	if n := Stats.Unknown.Load() - unknown; n != 9 {
		t.Errorf("%d counted, want 9", n)
	}
}
