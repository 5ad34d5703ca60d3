//go:build linux

package main

import (
	"math"
	"slices"
	"testing"
	"time"
)

func TestMedian(t *testing.T) {
	f := func(want float64, vs ...float64) {
		t.Helper()
		if got := median(vs); got != want {
			t.Errorf("median of %v: %v, want %v", vs, got, want)
		}
	}
	f(3, 3)
	f(2.5, 2, 3)
	f(2, 1, 2, 9)
	f(3, 1, 2, 4, 9)
}

func TestDoubtIgnoresTheOuterValues(t *testing.T) {
	calm := doubt([]float64{0.98, 0.99, 1, 1.01, 1.02})
	wild := doubt([]float64{0.10, 0.99, 1, 1.01, 9.99})
	if calm != wild || math.Abs(calm-0.0083) > 0.0001 {
		t.Errorf("%v and %v, want both 0.0083", calm, wild)
	}
}

// A machine that gets slower during the run must not show as a difference between servers.
func TestRatioComparesRoundByRound(t *testing.T) {
	rounds := func(factor int, numbers ...int) (rs []Round) {
		for _, n := range numbers {
			rs = append(rs, Round{Number: n, Answers: 1, Used: Usage{CPU: time.Duration((n+1)*factor) * time.Microsecond}})
		}
		return rs
	}
	if got := ratio(rounds(3, 0, 1, 2), rounds(2, 0, 1, 2, 3)); got != "1.500" {
		t.Errorf("%s, want 1.500", got)
	}
	if got := ratio(rounds(3, 0), rounds(2, 1)); got != "–" {
		t.Errorf("%s for rounds without a pair", got)
	}
}

func TestRoundsThatFailedDoNotCount(t *testing.T) {
	rs := of([]Round{{Server: "a"}, {Server: "a", Fault: "timed out 1"}, {Server: "b"}}, "a")
	if len(rs) != 1 {
		t.Errorf("%d rounds, want 1", len(rs))
	}
}

func TestYardsticks(t *testing.T) {
	f := func(servers []*Server, want ...string) {
		t.Helper()
		if got := yardsticks(servers); !slices.Equal(got, want) {
			t.Errorf("%v, want %v", got, want)
		}
	}
	one, two := ours("old", "", nil), ours("new", "", nil)
	n, other := nginx("nginx", "nginx.conf"), nginx("other", "my.conf")
	f([]*Server{one, n, other, relay("floor", "")}, "nginx", "floor")
	f([]*Server{one, two}, "old")
	f([]*Server{one, two, n}, "old", "nginx")
	f([]*Server{other, one}, "other")
}
