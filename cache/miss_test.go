package cache

import (
	"strings"
	"testing"
)

// That something lies in the second tier for others is no hit, and there is no
// Entry then that Cache-Status could tell the age of.
func TestAMissThatLookedIntoRedisIsTold(t *testing.T) {
	a, b, _ := twoNodes(t)
	for _, s := range []*stage{a, b} {
		s.answers("HTTP/1.1 200 OK\nCache-Control: max-age=1000\nVary: A\n\none")
	}
	a.get("/v", "A: 1")
	within(t, "it is in redis", func() bool { return a.c.far.Stats.Puts.Load() == 2 })
	if _, got := b.get("/v", "A: 2"); !strings.Contains(got, "fwd=vary-miss") {
		t.Errorf("%s", got)
	}
	if _, got := b.get("/v", "A: 1"); !strings.Contains(got, "hit") {
		t.Errorf("%s", got)
	}
}
