package session_test

import (
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"multiserver/sync/session"
)

func TestAStoreThatIsAway(t *testing.T) {
	for _, fail := range []bool{false, true} {
		s := newSite(t, func(o *session.Options) { o.Fail = fail })
		b := s.browser()
		b.sees(`Set: {"a":1}`)
		s.store.away.Store(true)
		s.store.reads.Store(0)
		var v session.Visit
		for range 100 {
			told, outcome := b.request(&v)
			switch {
			case fail && (outcome != session.Away || told != ""):
				t.Fatalf("fail: %v, %q", outcome, told)
			case !fail && (outcome != session.Go || told != "X-Session-Error: away\r\n"):
				t.Fatalf("pass: %v, %q", outcome, told)
			}
		}
		if n := s.store.reads.Load(); n > 50 {
			t.Errorf("the store was asked %d times", n)
		}
		cookie := b.cookie
		outcome := b.answer(&v, `Set: {"b":1}`)
		if b.cookie != cookie || (outcome == session.Away) != fail {
			t.Errorf("fail %v: %v, said %q", fail, outcome, b.said)
		}
		if told, outcome := s.browser().request(&v); told != "" || outcome != session.Go {
			t.Errorf("without a cookie: %q, %v", told, outcome)
		}
		s.store.away.Store(false)
		for end := time.Now().Add(30 * time.Second); b.sees() != `{"a":1}`; time.Sleep(5 * time.Millisecond) {
			if time.Now().After(end) {
				t.Fatal("not asked again")
			}
		}
	}
}

func TestTouchingIsRare(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newSite(t, func(o *session.Options) { o.Idle = 10 * time.Minute }).browser()
		b.sees(`Set: {"a":1}`)
		writes := b.store.writes.Load()
		for range 120 { // two hours, each minute twice at once
			var requests sync.WaitGroup
			for range 2 {
				requests.Go(func() {
					if got := (&browser{site: b.site, cookie: b.cookie}).sees(); got != `{"a":1}` {
						t.Errorf("saw %q", got)
					}
				})
			}
			requests.Wait()
			time.Sleep(time.Minute)
		}
		if n := b.store.writes.Load() - writes; n < 20 || n > 121 {
			t.Errorf("%d touches", n)
		}
		time.Sleep(10 * time.Minute)
		if got := b.sees(); got != "" {
			t.Errorf("after ten minutes: %q", got)
		}
	})
}

func TestMaxAgeReachesCookieAndStore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newSite(t, func(o *session.Options) { o.Max = time.Hour }).browser()
		b.sees(`Set: {"a":1}`, "Max-Age: 10800")
		if !strings.Contains(b.said, "; Max-Age=10800") {
			t.Errorf("said %q", b.said)
		}
		time.Sleep(2 * time.Hour)
		if got := b.sees(`Set: {"a":2}`); got != `{"a":1}` || !strings.Contains(b.said, "; Max-Age=3600") {
			t.Errorf("saw %q, said %q", got, b.said)
		}
		b.sees("Max-Age: 60")
		time.Sleep(time.Minute)
		if got := b.sees(); got != "" {
			t.Errorf("saw %q", got)
		}
	})
}
