package rule

import (
	"strings"
	"testing"
)

func TestWishes(t *testing.T) {
	f := func(head string, want Wish) {
		t.Helper()
		var got Wish
		if got.Read(request(t, strings.Split(head, " | ")...)); got != want {
			t.Errorf("%q: %+v", head, got)
		}
	}
	with := func(f func(*Wish)) Wish { w := NoWish; f(&w); return w }
	noCache := with(func(w *Wish) { w.NoCache = true })
	f("", NoWish)
	f("Cache-Control: no-cache", noCache)
	f("Cache-Control: No-Cache", noCache)
	f("Cache-Control: x=\"no-cache\"", NoWish)
	f("Cache-Control: no-store", with(func(w *Wish) { w.NoStore = true }))
	f("Cache-Control: only-if-cached", with(func(w *Wish) { w.OnlyIfCached = true }))
	f("Cache-Control: max-age=5", with(func(w *Wish) { w.MaxAge = 5000 }))
	f("Cache-Control: max-age=5, max-age=9", with(func(w *Wish) { w.MaxAge = 5000 }))
	f("Cache-Control: max-age=x", with(func(w *Wish) { w.MaxAge = 0 }))
	f("Cache-Control: min-fresh=5 | Cache-Control: max-stale=9", with(func(w *Wish) { w.MinFresh, w.MaxStale = 5000, 9000 }))
	f("Cache-Control: max-stale", with(func(w *Wish) { w.MaxStale = never * 1000 }))
	f("Cache-Control: max-stale=x, min-fresh=x", NoWish)
	f("Cache-Control: no-cache;", NoWish)
	f("Pragma: no-cache", noCache)
	f("Pragma: x, No-Cache", noCache)
	f("Pragma: x", NoWish)
	f("Pragma: no-cache | Cache-Control: max-age=5", with(func(w *Wish) { w.MaxAge = 5000 }))
	f("Pragma: no-cache | Cache-Control:", NoWish)
}

func TestWhatAWishTakes(t *testing.T) {
	// Born at 0, fresh for 10 s.
	f := func(control string, grace, now int64, want bool) {
		t.Helper()
		var w Wish
		if w.Read(request(t, "Cache-Control: "+control)); w.Takes(0, 10_000, grace, now) != want {
			t.Errorf("%q at %d: %v", control, now, !want)
		}
	}
	f("", 0, 0, true)
	f("", 0, 9_999, true)
	f("", 0, 10_000, false)
	f("", 5_000, 10_000, true)
	f("", 5_000, 14_999, true)
	f("", 5_000, 15_000, false)
	f("no-cache", 0, 0, false)
	f("no-store", 0, 0, true)
	f("max-age=0", 0, 0, false)
	f("max-age=5", 0, 5_000, true)
	f("max-age=5", 0, 5_001, false)
	f("max-age=99", 5_000, 11_000, false)
	f("max-age=99, max-stale=2", 0, 11_000, true)
	f("min-fresh=5", 0, 5_000, true)
	f("min-fresh=5", 0, 5_001, false)
	f("min-fresh=1, max-stale=9", 0, 11_000, false)
	f("max-stale=2", 0, 11_999, true)
	f("max-stale=2", 0, 12_000, false)
	f("max-stale=0", 0, 10_000, false)
	f("max-stale", 0, 1<<40, true)
	f("max-stale", -1, 10_000, false)
}
