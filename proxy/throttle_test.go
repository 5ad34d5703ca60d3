package proxy

import (
	"sync"
	"sync/atomic"
	"testing"
)

func TestThrottleLetsAFewThroughEachSecond(t *testing.T) {
	var th throttle
	for second := range int64(3) {
		passed := 0
		for ms := range int64(1000) {
			swallowed, ok := th.allow(second*1000 + ms)
			if !ok {
				continue
			}
			want := 0
			if second > 0 && passed == 0 {
				want = 1000 - perSecond
			}
			if passed++; swallowed != want {
				t.Errorf("line %d of second %d: %d swallowed, want %d", passed, second, swallowed, want)
			}
		}
		if passed != perSecond {
			t.Errorf("%d lines in second %d", passed, second)
		}
	}
}

func TestThrottleLetsAllThroughThatAreFew(t *testing.T) {
	var th throttle
	for s := range int64(100) {
		for range perSecond {
			if swallowed, ok := th.allow(s * 1000); !ok || swallowed != 0 {
				t.Fatalf("second %d: %v, %d swallowed", s, ok, swallowed)
			}
		}
	}
}

func TestThrottleLosesNoCount(t *testing.T) {
	var th throttle
	var passed, swallowed atomic.Int64
	var group sync.WaitGroup
	for g := range int64(4) {
		group.Go(func() {
			for i := range int64(1000) {
				if n, ok := th.allow(g*1000 + i/200); ok {
					passed.Add(1)
					swallowed.Add(int64(n))
				}
			}
		})
	}
	group.Wait()
	if n := passed.Load() + swallowed.Load() + int64(th.swallowed); n != 4000 {
		t.Errorf("%d of 4000 are accounted for", n)
	}
}
