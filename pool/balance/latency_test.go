package balance

import (
	"math"
	"sync"
	"testing"
	"time"
)

func TestLatency(t *testing.T) {
	var l Latency
	var now int64
	f := func(d time.Duration, after time.Duration, want time.Duration) {
		t.Helper()
		now += after.Milliseconds()
		l.Observe(d, now)
		if got := l.Mean(); math.Abs(float64(got-want)) > float64(want)/100 {
			t.Errorf("at %v: %v, want %v", time.Duration(now)*time.Millisecond, got, want)
		}
	}
	if l.Mean() != 0 {
		t.Error("knows something")
	}
	const ms = time.Millisecond
	f(10*ms, 0, 10*ms)           // the first counts as it is
	f(100*ms, 0, 100*ms)         // a peak at once
	f(10*ms, 0, 100*ms)          // nothing comes down in no time,
	f(10*ms, halfLife*ms, 55*ms) // half in a half-life
	f(10*ms, halfLife*ms, 32500*time.Microsecond)
	f(10*ms, time.Minute, 10*ms)  // and all in the end
	f(20*ms, -time.Second, 20*ms) // a late peak counts as well
	f(0, time.Hour, 1)            // and a wait is never unknown again
}

// The number of answers does not matter, only for how long they came.
func TestLatencyGoesByTime(t *testing.T) {
	for _, every := range []int64{1, 10, 100, 1000} {
		var l Latency
		l.Observe(time.Second, 0)
		for now := every; now <= 10000; now += every {
			l.Observe(time.Millisecond, now)
		}
		if got := l.Mean().Seconds(); math.Abs(got-1/math.E) > 0.01 {
			t.Errorf("every %d ms: %.3f s after 10 s, want %.3f s", every, got, 1/math.E)
		}
	}
}

func TestLatencyFromManySides(t *testing.T) {
	var l Latency
	var group sync.WaitGroup
	for i := range 8 {
		group.Go(func() {
			for k := range 1000 {
				l.Observe(time.Duration(i*1000+k), 0)
			}
		})
	}
	group.Wait()
	if l.Mean() != 7999 {
		t.Errorf("%v, want the highest", l.Mean())
	}
}

func TestAge(t *testing.T) {
	f := func(now, then, want uint32) {
		t.Helper()
		if got := age(now, then); got != want {
			t.Errorf("from %d to %d: %d", then, now, got)
		}
	}
	f(100, 100, 0)
	f(100, 40, 60)
	f(40, 100, 0)
	f(10, 1<<32-10, 20)
	f(1<<31, 0, 1<<31)
}
