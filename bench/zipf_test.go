//go:build linux

package main

import "testing"

func TestLRUForgetsWhatWasUsedLongestAgo(t *testing.T) {
	l := newLRU(2)
	f := func(key uint32, want bool) {
		t.Helper()
		if got := l.found(key); got != want {
			t.Errorf("%d: %v", key, got)
		}
	}
	f(1, false)
	f(2, false)
	f(1, true)
	f(3, false)
	f(1, true)
	f(2, false)
}

func TestDrawFollowsTheLaw(t *testing.T) {
	count := map[uint32]int{}
	for _, key := range draw(1000, 1, 100_000, 1) {
		count[key]++
	}
	if ratio := float64(count[0]) / float64(count[9]); ratio < 8 || ratio > 12 {
		t.Errorf("the first is drawn %.1f times as often as the tenth, want about 10", ratio)
	}
}
