package balance

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// place is a host's state, as far from the next one's as in a pool.
type place struct {
	load atomic.Int64
	wait Latency
	_    [240]byte
}

// hosts makes as many as there are weights. It is always 0 o'clock.
func hosts(weights ...uint32) Set {
	s := Set{Hosts: make([]Host, len(weights)), Total: new(atomic.Int64), Now: func() int64 { return 0 }}
	places := make([]place, len(weights))
	for i, w := range weights {
		s.Hosts[i] = Host{ID: uint64(i + 1), Weight: w, Load: &places[i].load, Wait: &places[i].wait}
	}
	return s
}

func equal(n int) Set { return hosts(slices.Repeat([]uint32{1}, n)...) }

// mixed are n hosts of all kinds of weight, load and latency.
func mixed(n int) Set {
	s := equal(n)
	for i := range s.Hosts {
		h := &s.Hosts[i]
		h.Weight = rand.Uint32N(100) + 1
		s.begin(i, rand.Int64N(100))
		if rand.N(4) > 0 {
			h.Wait.Observe(rand.N(time.Second), 0)
		}
	}
	return s
}

// begin begins n exchanges at host i.
func (s *Set) begin(i int, n int64) {
	s.Hosts[i].Load.Add(n)
	s.Total.Add(n)
}

// count picks n times by g goroutines at once.
func count(p Picker, hosts, n, g int) []int {
	counts := make([][]int, g)
	var group sync.WaitGroup
	for i := range g {
		counts[i] = make([]int, hosts)
		group.Go(func() {
			for range n / g {
				counts[i][p.Pick(rand.Uint64())]++
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
		if seen[r.Name] = true; Find(r.Name) == nil || Find(r.Name).Name != r.Name {
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
			for _, n := range []int{1, 2, 3, 7, look, look + 1, 100, 1000} {
				p := r.Build(mixed(n))
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

// Everything that may change while a Pick reads it does. For the race detector.
func TestPicksWhileAllChanges(t *testing.T) {
	for _, r := range Table {
		t.Run(r.Name, func(t *testing.T) {
			for _, n := range []int{3, 100} {
				s := mixed(n)
				var now atomic.Int64
				s.Now = now.Load
				p := r.Build(s)
				var group sync.WaitGroup
				for range 4 {
					group.Go(func() {
						for range 2000 {
							i := p.Pick(rand.Uint64())
							s.begin(i, 1)
							s.Hosts[i].Wait.Observe(rand.N(time.Second), now.Add(1))
							s.begin(i, -1)
						}
					})
				}
				group.Wait()
			}
		})
	}
}

// With no load anywhere weights are the only thing there is to go by. Sticky
// and hash get keys as they come; the shares of a hash's table vary by
// themselves.
func TestWeightsAreRespected(t *testing.T) {
	const picks = 50000
	f := func(weights ...uint32) {
		var sum float64
		for _, w := range weights {
			sum += float64(w)
		}
		for _, r := range Table {
			for i, n := range count(r.Build(hosts(weights...)), len(weights), picks, 1) {
				want := picks * float64(weights[i]) / sum
				off := 5 * math.Sqrt(want)
				if r.Name == "hash" {
					off += want * 5 * math.Sqrt(sum/float64(weights[i])/slots)
				}
				if math.Abs(float64(n)-want) > off+1 {
					t.Errorf("%s: %d hosts: number %d of weight %d picked %d times, want %.0f", r.Name, len(weights), i, weights[i], n, want)
				}
			}
		}
	}
	f(1, 1)
	f(2, 1)
	f(1, 1, 1)
	f(10, 1, 5)
	f(100, 1)
	f(7, 11, 13, 17, 19, 23)
	many := make([]uint32, 200)
	for i := range many {
		many[i] = uint32(1 + i/20) // all heavy ones side by side
	}
	f(many...)
}

func TestLoadWeighsByWeight(t *testing.T) {
	for _, name := range []string{"least-connections", "p2c", "least-latency"} {
		s := hosts(4, 1)
		s.begin(0, 3)
		s.begin(1, 1)
		for i := range s.Hosts {
			s.Hosts[i].Wait.Observe(time.Millisecond, 0)
		}
		if n := count(Find(name).Build(s), 2, 1000, 1); n[0] != 1000 {
			t.Errorf("%s: 3 of weight 4 is less than 1 of weight 1, but %v", name, n)
		}
	}
}
