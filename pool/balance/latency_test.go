package balance

import (
	"math"
	"math/rand/v2"
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
		if got := l.Mean(); math.Abs(float64(got-want)) > float64(want)/20 { // the logarithm is one of straight lines
			t.Errorf("at %v: %v, want %v", time.Duration(now)*time.Millisecond, got, want)
		}
	}
	if l.Mean() != 0 {
		t.Error("knows something")
	}
	const ms = time.Millisecond
	f(16*ms, 0, 16*ms)         // the first counts as it is
	f(1*ms, halfLife*ms, 4*ms) // half of the way after a half-life,
	f(1*ms, time.Minute, 1*ms) // all of it after long;
	f(64*ms, halfLife*ms, 64*ms)
	f(128*ms, -time.Second, 64*ms*21/20) // who comes late counts as well
	f(0, time.Hour, 1)                   // and a wait is never unknown again
}

// after is the average of one that was at mean and had n answers of d, so many
// milliseconds apart.
func after(mean, d time.Duration, n int, apart int64) time.Duration {
	var l Latency
	l.Observe(mean, 0)
	for i := range n {
		l.Observe(d, int64(i+1)*apart)
	}
	return l.Mean()
}

// How far one comes depends on the time if answers are rare, on their number
// if they are not.
func TestLatencyGoesByTimeAndNumber(t *testing.T) {
	const ms = time.Millisecond
	f := func(from, to time.Duration, n int, apart int64, low, high time.Duration) {
		t.Helper()
		if got := after(from, to, n, apart); got < low || got > high {
			t.Errorf("%d answers of %v after %v, every %d ms: %v, want %v to %v", n, to, from, apart, got, low, high)
		}
	}
	f(ms, 10*ms, 1, 0, ms, 1200*time.Microsecond) // one is an accident
	f(ms, 10*ms, 32, 0, 6*ms, 10*ms)              // as many as that are not
	f(ms, 10*ms, 2, 1000, 6*ms, 10*ms)
	f(10*ms, ms, 500, 0, ms, 2*ms)
	f(10*ms, ms, 50, 0, 6*ms, 9*ms) // down it is not as quick
	f(10*ms, ms, 1, 23_000, ms, 1500*time.Microsecond)
	f(10*ms, 10*time.Microsecond, 5, 0, 9500*time.Microsecond, 10*ms) // as many failures put a host out
}

// Hosts are told apart, not requests.
func TestLatencyIsWhatIsUsual(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	f := func(part int, other, low, high time.Duration) {
		t.Helper()
		var l Latency
		for now := range int64(20_000) {
			d := time.Millisecond
			if random.IntN(100) < part {
				d = other
			}
			l.Observe(d, now)
		}
		if got := l.Mean(); got < low || got > high {
			t.Errorf("%d %% of %v: %v, want %v to %v", part, other, got, low, high)
		}
	}
	f(1, time.Second, time.Millisecond, 2*time.Millisecond)
	f(30, 10*time.Microsecond, 800*time.Microsecond, time.Millisecond)
}

// Whoever comes first, everybody's answer counts.
func TestLatencyFromManySides(t *testing.T) {
	const ms = time.Millisecond
	var l Latency
	l.Observe(ms, 0)
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			for range 4 {
				l.Observe(10*ms, 0)
			}
		})
	}
	group.Wait()
	if want := after(ms, 10*ms, 32, 0); l.Mean() != want {
		t.Errorf("%v, want %v", l.Mean(), want)
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
