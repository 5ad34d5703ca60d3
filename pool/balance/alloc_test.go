//go:build !race

package balance

import "testing"

func TestAllocPick(t *testing.T) {
	for _, r := range Table {
		for _, n := range []int{1, 10, 1000} {
			p := r.Build(mixed(n))
			key := uint64(1)
			if n := testing.AllocsPerRun(10000, func() { p.Pick(key); key++ }); n != 0 {
				t.Errorf("%s: %v allocations a pick, want 0", r.Name, n)
			}
		}
	}
	var l Latency
	if n := testing.AllocsPerRun(1000, func() { l.Observe(1, 0) }); n != 0 {
		t.Errorf("Observe: %v allocations", n)
	}
	b := make([]byte, 100)
	if n := testing.AllocsPerRun(1000, func() { HashKey(b) }); n != 0 {
		t.Errorf("HashKey: %v allocations", n)
	}
}
