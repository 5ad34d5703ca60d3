package server

import "testing"

func TestAsManyClientsAsThereAreDescriptorsForBothEnds(t *testing.T) {
	f := func(descriptors uint64, want int) {
		t.Helper()
		if got := fitting(descriptors); got != want {
			t.Errorf("%d descriptors are enough for %d clients, want %d", descriptors, got, want)
		}
	}
	f(0, fewest)
	f(64, fewest)
	f(1024, 480)
	f(20_000, 9_968)
	f(131_136, 65_536)
	f(1<<20, 65_536)
	f(1<<64-1, 65_536) // no limit
}
