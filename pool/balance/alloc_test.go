//go:build !race

package balance

import "testing"

func TestAllocPick(t *testing.T) {
	for _, r := range Table {
		p := r.Build(equal(10))
		if n := testing.AllocsPerRun(10000, func() { p.Pick(42) }); n != 0 {
			t.Errorf("%s: %v allocations a pick, want 0", r.Name, n)
		}
	}
}
