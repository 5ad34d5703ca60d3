package balance

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// hosts makes as many as there are weights.
func hosts(weights ...uint32) []Host {
	hs := make([]Host, len(weights))
	for i, w := range weights {
		hs[i] = Host{ID: uint64(i + 1), Weight: w, Load: new(atomic.Int64), Wait: new(atomic.Int64)}
	}
	return hs
}

func equal(n int) []Host { return hosts(slices.Repeat([]uint32{1}, n)...) }

// count picks n times by g goroutines at once.
func count(p Picker, hosts, n, g int) []int {
	counts := make([][]int, g)
	var group sync.WaitGroup
	for i := range g {
		counts[i] = make([]int, hosts)
		group.Go(func() {
			for k := range n / g {
				counts[i][p.Pick(uint64(k))]++
			}
		})
	}
	group.Wait()
	sum := counts[0]
	for _, c := range counts[1:] {
		for i := range sum {
			sum[i] += c[i]
		}
	}
	return sum
}

func TestTableIsInOrder(t *testing.T) {
	seen := map[string]bool{}
	for _, r := range Table {
		if r.Name == "" || r.Name != strings.ToLower(r.Name) || seen[r.Name] {
			t.Errorf("name %q", r.Name)
		}
		if seen[r.Name] = true; Find(r.Name) == nil {
			t.Errorf("%s is not found", r.Name)
		}
	}
	if Find("nothing") != nil {
		t.Error("found what is not there")
	}
}

// What every algorithm owes to the pool.
func TestEveryPickIsAHost(t *testing.T) {
	for _, r := range Table {
		t.Run(r.Name, func(t *testing.T) {
			for _, n := range []int{1, 2, 3, 7, 100, 1000} {
				hs := equal(n)
				for i := range hs {
					hs[i].Weight = rand.Uint32N(100) + 1
					hs[i].Load.Store(rand.Int64N(100))
					hs[i].Wait.Store(rand.Int64N(1e9))
				}
				p := r.Build(hs)
				for range 10000 {
					if i := p.Pick(rand.Uint64()); i < 0 || i >= n {
						t.Fatalf("%d of %d hosts", i, n)
					}
				}
			}
		})
	}
}

func TestOneHostIsPicked(t *testing.T) {
	for _, r := range Table {
		for _, weight := range []uint32{0, 1, 1 << 31, 1<<32 - 1} {
			if n := count(r.Build(hosts(weight)), 1, 100, 4); n[0] != 100 {
				t.Errorf("%s: weight %d: %v", r.Name, weight, n)
			}
		}
	}
}

func TestPickersDoNotShareState(t *testing.T) {
	for _, r := range Table {
		hs := equal(3)
		a, b := r.Build(hs), r.Build(hs)
		for range 5 {
			if i, j := a.Pick(1), b.Pick(1); i != j {
				t.Errorf("%s: %d and %d", r.Name, i, j)
			}
		}
	}
}

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
	f("aaba", 3, 1)
	f("aabacaa", 5, 1, 1)
	f("abab", 20, 20)
	f("bab", 10, 20)
}

// No host is ever ahead of its share by a whole turn, or behind by much.
func TestRoundRobinKeepsShares(t *testing.T) {
	for range 100 {
		n := 2 + rand.N(6)
		weights, sum := make([]uint32, n), 0
		for i := range weights {
			weights[i] = rand.Uint32N(20) + 1
			sum += int(weights[i])
		}
		p, got := RoundRobin(hosts(weights...)), make([]int, n)
		for k := 1; k <= sum; k++ {
			got[p.Pick(0)]++
			for i, w := range weights {
				if off := float64(got[i]) - float64(k)*float64(w)/float64(sum); off >= 1 || off <= -float64(n-1) {
					t.Errorf("%v: after %d picks host %d is off by %.2f", weights, k, i, off)
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

func BenchmarkPick(b *testing.B) {
	for _, r := range Table {
		for _, n := range []int{1, 3, 10, 100, 1000} {
			p := r.Build(equal(n))
			b.Run(fmt.Sprintf("%s/%d", r.Name, n), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					p.Pick(42)
				}
			})
			b.Run(fmt.Sprintf("%s/%d/parallel", r.Name, n), func(b *testing.B) {
				b.RunParallel(func(pb *testing.PB) {
					for pb.Next() {
						p.Pick(42)
					}
				})
			})
		}
	}
}

func BenchmarkBuild(b *testing.B) {
	for _, r := range Table {
		for _, n := range []int{3, 1000} {
			hs := equal(n)
			b.Run(fmt.Sprintf("%s/%d", r.Name, n), func(b *testing.B) {
				for b.Loop() {
					r.Build(hs)
				}
			})
		}
	}
}
