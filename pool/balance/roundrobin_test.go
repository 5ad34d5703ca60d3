package balance

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

func TestRoundRobinIsExact(t *testing.T) {
	for n, picks := range map[int]int{1: 1e4, 2: 1e5, 7: 1e6, 1000: 1e5} {
		c := count(RoundRobin(equal(n)), n, picks, 8)
		if slices.Max(c)-slices.Min(c) > 1 {
			t.Errorf("%d hosts: between %d and %d picks", n, slices.Min(c), slices.Max(c))
		}
	}
}

func TestRoundRobinTakesWeightsExactly(t *testing.T) {
	f := func(weights ...uint32) {
		t.Helper()
		var sum int
		for _, w := range weights {
			sum += int(w)
		}
		rounds := 1 + 100000/sum
		for i, n := range count(RoundRobin(hosts(weights...)), len(weights), rounds*sum, 1) {
			if n != rounds*int(weights[i]) {
				t.Errorf("%v: host %d picked %d times in %d rounds", weights, i, n, rounds)
			}
		}
	}
	f(1, 1)
	f(2, 1)
	f(5, 1, 1)
	f(100, 1)
	f(10, 20, 30)
	f(7, 11, 13, 17)
	f(1000, 1000, 1)
	f(1<<15, 1<<15-1)
}

func TestRoundRobinIsSmooth(t *testing.T) {
	f := func(want string, weights ...uint32) {
		t.Helper()
		p := RoundRobin(hosts(weights...))
		for round := range 3 {
			var got strings.Builder
			for range want {
				got.WriteByte('a' + byte(p.Pick(0)))
			}
			if got.String() != want {
				t.Errorf("%v: %s in round %d, want %s", weights, got.String(), round, want)
			}
		}
	}
	f("a", 1)
	f("abc", 1, 1, 1)
	f("abaa", 3, 1)
	f("abaacaa", 5, 1, 1)
	f("abab", 20, 20)
	f("bab", 10, 20)
}

// Nobody is ever ahead of its share by a whole turn, nor behind by one.
func TestRoundRobinKeepsShares(t *testing.T) {
	for range 300 {
		w, sum := make([]uint64, 1+rand.N(50)), 0
		kinds := rand.Uint64N(20) + 1
		for i := range w {
			w[i] = rand.Uint64N(kinds) + 1
			sum += int(w[i])
		}
		got := make([]int, len(w))
		for k, host := range smooth(w) {
			got[host]++
			for i := range w {
				if off := got[i]*sum - (k+1)*int(w[i]); off >= sum || off <= -sum {
					t.Fatalf("%v: after %d turns host %d is off by %.2f", w, k+1, i, float64(off)/float64(sum))
				}
			}
		}
	}
}

// Weights too large for a table of turns are scaled; nobody is forgotten.
func TestRoundRobinScalesLargeWeights(t *testing.T) {
	f := func(weights ...uint32) {
		t.Helper()
		p := RoundRobin(hosts(weights...)).(*roundRobin)
		n := len(p.order)
		if n > maxTurns+len(weights) {
			t.Errorf("%v: %d turns", weights, n)
		}
		var sum float64
		for _, w := range weights {
			sum += float64(w)
		}
		for i, c := range count(p, len(weights), n, 1) {
			if want := float64(n) * float64(weights[i]) / sum; c == 0 || float64(c) < want*0.9-1 || float64(c) > want*1.1+1 {
				t.Errorf("%v: host %d has %d turns of %d", weights, i, c, n)
			}
		}
	}
	f(1<<32-1, 1<<32-2)
	f(1<<32-1, 1)
	f(1, 1<<32-1, 1<<31-1)
	f(99991, 65537, 3)
}
