package discover

import (
	"testing"
)

// "even": the resolver's order is its preference.
func TestOneFamily(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		n := newNames()
		n.has("even", "2001:db8::2 10.0.0.1 2001:db8::1 10.0.0.2")
		s := start(t, n, "http://even")
		same(t, "at start", addrs(s.Targets()), "[2001:db8::1]:80 [2001:db8::2]:80")

		n.has("even", "10.0.0.2 2001:db8::2 10.0.0.1 2001:db8::1")
		same(t, "the other is preferred", s.pass(), "10.0.0.1:80 10.0.0.2:80")

		n.has("even", "2001:db8::2 2001:db8::1")
		same(t, "only the other is left", s.pass(), "[2001:db8::1]:80 [2001:db8::2]:80")
		if len(n.times("ip4 even")) == 0 {
			t.Error("was not confirmed")
		}
		asked := len(n.times("ip4 even")) + len(n.times("ip6 even"))
		s.pass()
		if now := len(n.times("ip4 even")) + len(n.times("ip6 even")); now != asked {
			t.Error("confirmed more than once")
		}
	})
}

// A resolver that gets A but not AAAA gives half an answer without an error.
func TestHalfAnAnswerMovesNothing(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		n := newNames()
		n.has("even", "2001:db8::1 10.0.0.1")
		s := start(t, n, "http://even")
		for _, err := range []error{errTimeout, errServfail} {
			n.fail("ip6 even", err)
			for range 3 {
				same(t, "set", s.pass(), "")
			}
		}
		if s.Stats.Failures[Timeout].Load() == 0 || s.Stats.Failures[Other].Load() == 0 || s.Stats.Stale.Load() != 1 {
			t.Error("not counted")
		}
		n.fail("ip6 even", errNXDomain)
		same(t, "really gone", s.pass(), "10.0.0.1:80")
		n.fail("ip6 even", nil)
		same(t, "back", s.pass(), "[2001:db8::1]:80")
	})
}
