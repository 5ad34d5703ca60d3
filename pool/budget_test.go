package pool

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// tries makes n of them end well.
func tries(p *Pool, n int) {
	for range n {
		p.Pick(0, new(Tried)).Done(nil, 200)
	}
}

// retries are how many there may be now.
func retries(p *Pool) (n int) {
	for n < 1<<20 && p.MayRetry() {
		n++
	}
	return n
}

const window = (budgetWindow + 100) * time.Millisecond // and two ticks of the clock

func TestAFifthMayBeTriedAgainAndSomeMore(t *testing.T) {
	bubble(t, nil, func(p *Pool) {
		p.Set(nowhere(3, nil))
		if n := retries(p); n != budgetFree {
			t.Errorf("%d without any requests, want %d", n, budgetFree)
		}
		tries(p, 1000)
		if n := retries(p); n != 200 {
			t.Errorf("%d of 1000 requests, want 200", n)
		}
		tries(p, 4)
		if p.MayRetry() {
			t.Error("4 more requests gave another one")
		}
		tries(p, 1)
		if n := retries(p); n != 1 {
			t.Errorf("5 more requests gave %d", n)
		}
	})
}

func TestTheBudgetBeginsAnewWithEachWindow(t *testing.T) {
	bubble(t, nil, func(p *Pool) {
		p.Set(nowhere(3, nil))
		for range 3 {
			tries(p, 10_000)
			p.MayRetry()
			retries(p)
			time.Sleep(window)
			if n := retries(p); n != budgetFree {
				t.Errorf("%d at the beginning of a window, want %d: what was before does not count", n, budgetFree)
			}
			tries(p, 500)
			time.Sleep(window / 2)
			if n := retries(p); n != 100 {
				t.Errorf("%d of 500 requests, want 100", n)
			}
			time.Sleep(window)
		}
	})
}

// Members come and go when things go wrong, which is when the budget matters.
func TestTheBudgetIsOfRequestsWhoeverIsAMember(t *testing.T) {
	for _, c := range []struct {
		what         string
		leave, enter func(p *Pool, ts []Target)
	}{
		{"drained", func(p *Pool, ts []Target) { p.Drain(ts[0].Name, true) }, func(p *Pool, ts []Target) { p.Drain(ts[0].Name, false) }},
		{"ill", func(p *Pool, ts []Target) { ill(p, ts[0].Name, true) }, func(p *Pool, ts []Target) { ill(p, ts[0].Name, false) }},
		{"gone", func(p *Pool, ts []Target) { p.Set(ts[1:]) }, func(p *Pool, ts []Target) { p.Set(ts) }},
	} {
		t.Run(c.what, func(t *testing.T) {
			bubble(t, nil, func(p *Pool) {
				ts := nowhere(2, nil)
				p.Set(ts)
				tries(p, 100_000)
				time.Sleep(window)
				retries(p)
				c.leave(p, ts)
				if n := retries(p); n != 0 {
					t.Errorf("%d more because one left", n)
				}
				c.enter(p, ts)
				if n := retries(p); n != 0 {
					t.Errorf("%d more because it came back", n)
				}
			})
		})
	}
}

func TestTheBudgetIsNotOverspentByMany(t *testing.T) {
	p := newPool(t, nil)
	p.Set(nowhere(2, nil))
	tries(p, 500)
	var spent atomic.Int64
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			for range 100 {
				if p.MayRetry() {
					spent.Add(1)
				}
			}
		})
	}
	finish(t, &group)
	if n := spent.Load(); n != budgetFree+100 {
		t.Errorf("%d retries of 500 requests, want %d", n, budgetFree+100)
	}
}
