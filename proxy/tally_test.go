package proxy

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"
)

func TestTallyPutsEachDurationIntoItsBucket(t *testing.T) {
	f := func(d time.Duration, bucket int) {
		t.Helper()
		var all Tally
		all.add(2, d, 3)
		s := all.Spread()
		if i := slices.Index(s.Counts[:], 1); i != bucket || s.Classes[2] != 1 {
			t.Errorf("%v is in bucket %d, want %d", d, i, bucket)
		}
	}
	f(-time.Second, 0)
	f(0, 0)
	f(100*time.Microsecond, 0) // a bound is the last of its bucket
	f(100*time.Microsecond+1, 1)
	f(time.Second, 12)
	f(60*time.Second, 17)
	f(60*time.Second+1, 18)
}

func TestTallyAddsUpWhatManyCount(t *testing.T) {
	var all Tally
	var counting sync.WaitGroup
	for g := range 4 {
		counting.Go(func() {
			for range 1000 {
				all.add(g+1, 2*time.Millisecond, uint8(g))
			}
		})
	}
	counting.Wait()
	s := all.Spread()
	if s.Counts[4] != 4000 || s.Classes != [6]uint64{0, 1000, 1000, 1000, 1000, 0} || s.Sum != 8 {
		t.Errorf("%+v", s)
	}
}

func TestTalliesAreBounded(t *testing.T) {
	var all Tallies
	for i := range mostTallies + 10 {
		all.of(fmt.Sprint(i)).add(2, 0, 0)
	}
	if all.of("1") != all.of("1") || all.of("260") != all.of(Others) || all.of("1") == all.of(Others) {
		t.Error("not the same one for the same name, or for the rest")
	}
	var names int
	var n uint64
	all.Each(func(_ string, s Spread) { names, n = names+1, n+s.Counts[0] })
	if names != mostTallies+1 || n != mostTallies+10 {
		t.Errorf("%d names, %d counted", names, n)
	}
}
