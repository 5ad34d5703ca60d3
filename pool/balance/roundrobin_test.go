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

// Nobody is ever ahead of its share by a whole turn, nor behind by one. It is
// furthest ahead right after a turn, and furthest behind right before.
func TestRoundRobinKeepsShares(t *testing.T) {
	f := func(w ...uint64) {
		t.Helper()
		sum := 0
		for _, n := range w {
			sum += int(n)
		}
		got := make([]int, len(w))
		for k, i := range smooth(w) {
			if behind := k*int(w[i]) - got[i]*sum; behind >= sum {
				t.Fatalf("after %d turns host %d is behind by %.2f", k, i, float64(behind)/float64(sum))
			}
			got[i]++
			if ahead := got[i]*sum - (k+1)*int(w[i]); ahead >= sum {
				t.Fatalf("after %d turns host %d is ahead by %.2f", k+1, i, float64(ahead)/float64(sum))
			}
		}
		for i, n := range got {
			if n != int(w[i]) {
				t.Fatalf("host %d has %d turns, want %d", i, n, w[i])
			}
		}
	}
	f(1)
	f(1<<15, 1<<15-1, 1)
	f(1<<16, 1)
	f(21845, 21846, 21844)
	for range 300 {
		w := make([]uint64, 1+rand.N(50))
		most := uint64(1) << rand.N(11)
		for i := range w {
			w[i] = rand.Uint64N(most) + 1
		}
		f(w...)
	}
	hs := equal(5000).Hosts
	for i := range hs {
		hs[i].Weight = 1 << rand.N(32)
	}
	f(turns(hs)...)
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
