package pool

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"
)

// ends makes an exchange with u that ends so.
func ends(u *Upstream, f *Fault, status int) {
	u.take()
	u.Done(f, status)
}

var broken = &Fault{Reason: Broken, Sent: true}

// fails3 puts out after three failures, for 10 seconds.
func fails3(o *Options) { o.MaxFails, o.EjectFor = 3, 10*time.Second }

// outFor is how long u is out, at most limit, give or take what a step is.
func outFor(u *Upstream, limit time.Duration) time.Duration {
	began := time.Now()
	for step := limit / 1000; u.Down() && time.Since(began) < limit; {
		time.Sleep(step)
		synctest.Wait()
	}
	return time.Since(began)
}

// about tells whether d is want give or take a quarter, which is the jitter.
func about(d, want time.Duration) bool { return d >= want*74/100 && d <= want*126/100 }

func TestFailuresInARowPutOut(t *testing.T) {
	bubble(t, fails3, func(p *Pool) {
		p.Set(nowhere(2, nil))
		u := p.Upstreams()[0]
		for range 5 { // success resets the count
			ends(u, broken, 0)
			ends(u, nil, 500)
			ends(u, nil, 200)
		}
		ends(u, broken, 0)
		ends(u, broken, 0)
		if u.Down() {
			t.Fatal("out after less than three in a row")
		}
		if ends(u, broken, 0); !u.Down() {
			t.Fatal("not out after three in a row")
		}
		for range 20 {
			v := p.Pick(0, new(Tried))
			if v == u {
				t.Fatal("picked while it is out")
			}
			v.Done(nil, 200)
		}
		if d := outFor(u, time.Minute); !about(d, 10*time.Second) {
			t.Errorf("out for %v", d)
		}
	})
}

func TestWhoReturnsIsOnProbation(t *testing.T) {
	bubble(t, fails3, func(p *Pool) {
		p.Set(nowhere(2, nil))
		u := p.Upstreams()[0]
		for range 3 {
			ends(u, broken, 0)
		}
		outFor(u, time.Minute)
		if ends(u, broken, 0); !u.Down() {
			t.Error("still in after one more failure")
		}
		outFor(u, time.Minute)
		ends(u, nil, 200)
		ends(u, broken, 0)
		ends(u, broken, 0)
		if u.Down() {
			t.Error("out after two failures, though something has gone well before")
		}
	})
}

func TestWhatCountsAsAFailure(t *testing.T) {
	for _, c := range []struct {
		f      *Fault
		status int
		counts bool
	}{
		{nil, 200, false}, {nil, 302, false}, {nil, 404, false}, {nil, 429, false}, {nil, 101, false},
		{nil, 500, true}, {nil, 501, false}, {nil, 502, true}, {nil, 503, true}, {nil, 504, true}, {nil, 505, false},
		{&Fault{Reason: Broken}, 0, true}, {&Fault{Reason: BadAnswer}, 0, true}, {&Fault{Reason: AnswerTime}, 0, true},
		{&Fault{Reason: CutShort}, 200, true}, {&Fault{Reason: BodyTime}, 200, true},
		{&Fault{Side: Client, Reason: Left}, 0, false}, {&Fault{Side: Client, Reason: BadRequest}, 500, false},
		{&Fault{Side: Self, Reason: NoUpstream}, 0, false},
	} {
		t.Run(fmt.Sprint(c.f, c.status), func(t *testing.T) {
			bubble(t, fails3, func(p *Pool) {
				p.Set(nowhere(2, nil))
				u := p.Upstreams()[0]
				for range 3 {
					ends(u, c.f, c.status)
				}
				if u.Down() != c.counts {
					t.Errorf("out: %v", u.Down())
				}
			})
		})
	}
}

func TestWithoutMaxFailsNobodyIsPutOut(t *testing.T) {
	p := newPool(t, nil)
	p.Set(nowhere(2, nil))
	u := p.Upstreams()[0]
	for range 1000 {
		ends(u, broken, 0)
	}
	if u.Down() {
		t.Error("out")
	}
}

func TestEachEjectionIsTwiceAsLongAsTheLast(t *testing.T) {
	bubble(t, fails3, func(p *Pool) {
		p.Set(nowhere(2, nil))
		u := p.Upstreams()[0]
		for _, want := range []time.Duration{10, 20, 40, 60, 60, 60} {
			want *= time.Second
			for range 3 {
				ends(u, broken, 0)
			}
			if d := outFor(u, 2*time.Minute); !about(d, want) {
				t.Errorf("out for %v, want %v", d, want)
			}
		}
	})
}

func TestDoingWellForLongIsForgiven(t *testing.T) {
	bubble(t, fails3, func(p *Pool) {
		p.Set(nowhere(2, nil))
		u := p.Upstreams()[0]
		eject := func(want time.Duration) {
			t.Helper()
			for range 3 {
				ends(u, broken, 0)
			}
			if d := outFor(u, 2*time.Minute); !about(d, want) {
				t.Errorf("out for %v, want %v", d, want)
			}
		}
		eject(10 * time.Second)
		time.Sleep(10 * time.Second)
		eject(20 * time.Second)
		time.Sleep(150 * time.Second) // 10 × 10 s are over, of the first; 10 × 20 s are not
		eject(40 * time.Second)
		time.Sleep(401 * time.Second)
		eject(10 * time.Second)
	})
}

func TestNeverMoreThanHalfArePutOutAndNeverTheLast(t *testing.T) {
	for n := 1; n <= 7; n++ {
		bubble(t, fails3, func(p *Pool) {
			p.Set(nowhere(n, nil))
			for range 3 {
				for _, u := range p.Upstreams() {
					ends(u, nil, 503)
				}
			}
			out := 0
			for _, u := range p.Upstreams() {
				if u.Down() {
					out++
				}
			}
			if out != n/2 {
				t.Errorf("%d of %d are out, want %d", out, n, n/2)
			}
		})
	}
}

// Who could not be spared goes as soon as another is back.
func TestTheOneThatWasSparedGoesNext(t *testing.T) {
	bubble(t, fails3, func(p *Pool) {
		p.Set(nowhere(2, nil))
		a, b := p.Upstreams()[0], p.Upstreams()[1]
		for range 10 {
			ends(a, broken, 0)
			ends(b, broken, 0)
		}
		if !a.Down() || b.Down() {
			t.Fatal("not the one that failed first, or both")
		}
		outFor(a, time.Minute)
		if ends(b, broken, 0); !b.Down() || a.Down() {
			t.Errorf("a down: %v, b down: %v", a.Down(), b.Down())
		}
	})
}

func TestPrimariesAndBackupsAreSparedApart(t *testing.T) {
	bubble(t, fails3, func(p *Pool) {
		ts := nowhere(4, nil)
		ts[2].Backup, ts[3].Backup = true, true
		p.Set(ts)
		for range 3 {
			for _, u := range p.Upstreams() {
				ends(u, broken, 0)
			}
		}
		for i, u := range p.Upstreams() {
			if u.Down() != (i%2 == 0) {
				t.Errorf("%d is out: %v", i, u.Down())
			}
		}
	})
}

func TestManyFailuresAtOnceAreOneEjection(t *testing.T) {
	bubble(t, fails3, func(p *Pool) {
		p.Set(nowhere(2, nil))
		u := p.Upstreams()[0]
		for range 100 {
			u.take()
		}
		for range 100 {
			go u.Done(broken, 0)
		}
		synctest.Wait()
		if d := outFor(u, time.Minute); !about(d, 10*time.Second) {
			t.Errorf("out for %v", d)
		}
		if n := u.Load(); n != 0 {
			t.Errorf("load %d", n)
		}
	})
}

func TestStateSurvivesSet(t *testing.T) {
	bubble(t, fails3, func(p *Pool) {
		ts := nowhere(12, nil)
		p.Set(ts)
		ups := p.Upstreams()
		ejected, failing, drained, busy, near := ups[0], ups[1], ups[2], ups[3], ups[4]
		for range 3 {
			ends(ejected, broken, 0)
		}
		ill(p, failing.Name(), true)
		p.Drain(drained.Name(), true)
		busy.take()
		ends(near, broken, 0)
		ends(near, broken, 0)
		for i := range ts {
			ts[i].Weight, ts[i].Max = 5, 9
		}
		ts[6].Backup = true
		p.Set(append(ts[1:], ts[0]))
		after := p.Upstreams()
		for i, u := range after {
			if u != ups[(i+1)%len(ups)] {
				t.Fatalf("%s is another now", u.Name())
			}
		}
		if !ejected.Down() || !failing.Down() || !drained.Down() || busy.Down() || busy.Load() != 1 {
			t.Error("state is lost")
		}
		if ends(near, broken, 0); !near.Down() {
			t.Error("the count of failures is lost")
		}
		if d := outFor(ejected, time.Minute); !about(d, 10*time.Second) {
			t.Errorf("out for %v", d)
		}
		busy.Done(nil, 200)
	})
}

func TestWhoComesAgainBeginsAnew(t *testing.T) {
	bubble(t, fails3, func(p *Pool) {
		ts := nowhere(2, nil)
		p.Set(ts)
		for range 3 {
			ends(p.Upstreams()[0], broken, 0)
		}
		p.Drain(ts[1].Name, true)
		p.Set(nil)
		p.Set(ts)
		for _, u := range p.Upstreams() {
			if u.Down() {
				t.Errorf("%s is out", u.Name())
			}
		}
	})
}

func TestVerdictsOnThoseWhoAreGoneChangeNothing(t *testing.T) {
	bubble(t, fails3, func(p *Pool) {
		p.Set(nowhere(3, nil))
		ups := p.Upstreams()
		for _, u := range ups {
			u.take()
		}
		p.Set(nowhere(2, nil))
		gone := ups[2]
		gone.Done(&Fault{Reason: Refused}, 0)
		for range 5 {
			ends(gone, broken, 0)
		}
		if gone.Down() || p.Upstreams()[0].Down() || p.total.Load() != 2 {
			t.Errorf("down: %v, total %d", gone.Down(), p.total.Load())
		}
		ups[0].Done(nil, 200)
		ups[1].Done(nil, 200)
	})
}

func TestRefusedIsOutUntilItTakesConnections(t *testing.T) {
	p := newPool(t, nil)
	o := newOrigin(t)
	u := set(p, o, newOrigin(t))[0]
	o.stop()
	began := time.Now()
	u.Done(fault(u), 0)
	if !u.Down() {
		t.Fatal("it is not out at once")
	}
	time.Sleep(3 * retryFirst) // some tries in vain
	if !u.Down() {
		t.Fatal("it is in though it takes no connections")
	}
	o.start()
	up := time.Now()
	await(t, "it to come back", func() bool { return !u.Down() })
	if d, most := time.Since(up), up.Sub(began)*3+patience/10; d > most {
		t.Errorf("back %v after it was started, which is too late", d)
	}
}

// shares are the picks of 1,000.
func shares(p *Pool) map[string]int {
	n := map[string]int{}
	for range 1000 {
		u := p.Pick(0, new(Tried))
		n[u.Name()]++
		u.Done(nil, 200)
	}
	return n
}

func TestSlowStartRaisesTheShareStepByStep(t *testing.T) {
	bubble(t, func(o *Options) { o.SlowStart = 10 * time.Second }, func(p *Pool) {
		p.Set(nowhere(2, nil))
		u := p.Upstreams()[0]
		if n := shares(p)[u.Name()]; n != 500 {
			t.Fatalf("%d of 1000 before", n)
		}
		ill(p, u.Name(), true)
		ill(p, u.Name(), false)
		for tenths := 1; tenths <= 12; tenths++ {
			want := 1000 * min(tenths, 10) / (10 + min(tenths, 10))
			if n := shares(p)[u.Name()]; n < want-10 || n > want+10 {
				t.Errorf("%d of 1000 with %d tenths of its share, want %d", n, tenths, want)
			}
			time.Sleep(time.Second)
			synctest.Wait()
		}
	})
}

func TestSlowStartOfOneThatFallsIllAgain(t *testing.T) {
	bubble(t, func(o *Options) { o.SlowStart = 10 * time.Second }, func(p *Pool) {
		p.Set(nowhere(2, nil))
		u := p.Upstreams()[0]
		for range 3 {
			ill(p, u.Name(), true)
			ill(p, u.Name(), false)
			time.Sleep(5 * time.Second)
			ill(p, u.Name(), true)
			time.Sleep(5 * time.Second)
			if n := shares(p)[u.Name()]; n != 0 {
				t.Errorf("%d of 1000 while it is ill", n)
			}
		}
		ill(p, u.Name(), false)
		if n := shares(p)[u.Name()]; n > 110 {
			t.Errorf("%d of 1000 at first", n)
		}
		time.Sleep(11 * time.Second)
		if n := shares(p)[u.Name()]; n != 500 {
			t.Errorf("%d of 1000 in the end", n)
		}
	})
}

func TestDrainEndsNothingThatIsUnderWay(t *testing.T) {
	p := newPool(t, nil)
	ups := set(p, newOrigin(t), newOrigin(t))
	ask(t, ups[0], get("/"))
	ups[0].take()
	if !p.Drain(ups[0].Name(), true) || !ups[0].Down() {
		t.Fatal("not drained")
	}
	if n := shares(p); n[ups[0].Name()] != 0 {
		t.Errorf("%d picks while drained", n[ups[0].Name()])
	}
	ask(t, ups[0], get("/"))
	ups[0].Done(nil, 200)
	if !p.Drain(ups[0].Name(), false) || shares(p)[ups[0].Name()] != 500 {
		t.Error("not back")
	}
	if p.Drain("http://nobody", true) || p.Weigh("http://nobody", 2) {
		t.Error("there is nobody of that name")
	}
}

func TestAllDrainedIsNobody(t *testing.T) {
	p := newPool(t, nil)
	p.Set(nowhere(2, nil))
	for _, u := range p.Upstreams() {
		p.Drain(u.Name(), true)
	}
	if u := p.Pick(0, new(Tried)); u != nil {
		t.Errorf("%s was picked", u.Name())
	}
}

// A target that is there twice is two upstreams, and both are of that name.
func TestDrainAndWeighMeanAllOfThatName(t *testing.T) {
	p := newPool(t, nil)
	ts := nowhere(2, nil)
	p.Set([]Target{ts[0], ts[0], ts[1]})
	p.Weigh(ts[0].Name, 2)
	if n := shares(p); n[ts[0].Name] != 800 {
		t.Errorf("weight 2 twice, beside 1: %v", n)
	}
	p.Drain(ts[0].Name, true)
	if n := shares(p); n[ts[0].Name] != 0 {
		t.Errorf("drained: %v", n)
	}
}

func TestWeighHoldsUntilSet(t *testing.T) {
	p := newPool(t, nil)
	ts := nowhere(2, nil)
	p.Set(ts)
	p.Weigh(ts[0].Name, 4)
	if n := shares(p); n[ts[0].Name] != 800 {
		t.Errorf("weight 4: %v", n)
	}
	p.Weigh(ts[0].Name, 0)
	if n := shares(p); n[ts[0].Name] != 500 {
		t.Errorf("weight 0, which counts as 1: %v", n)
	}
	p.Weigh(ts[0].Name, 4)
	p.Set(ts)
	if n := shares(p); n[ts[0].Name] != 500 {
		t.Errorf("after Set: %v", n)
	}
}

func TestJitterIsAQuarterAtMost(t *testing.T) {
	for _, d := range []time.Duration{0, 1, 2, 3, 100, time.Second, time.Hour} {
		low, high := d, d
		for range 10000 {
			j := jitter(d)
			low, high = min(low, j), max(high, j)
		}
		if low < d*3/4 || high > d*5/4+1 || d >= 100 && (low > d*4/5 || high < d*6/5) {
			t.Errorf("%v became %v to %v", d, low, high)
		}
	}
}

func TestCloseEndsAllThatGoesOn(t *testing.T) {
	o := func(o *Options) {
		fails3(o)
		o.EjectFor, o.SlowStart = time.Hour, time.Hour
		o.Check = Check{Interval: time.Hour, Timeout: time.Hour, Rise: 1, Fall: 1}
	}
	synctest.Test(t, func(t *testing.T) {
		opt := options(t)
		o(&opt)
		opt.Queue = 10
		p := New(opt)
		p.Set(nowhere(4, max1))
		ups := p.Upstreams()
		for range 3 {
			ends(ups[0], broken, 0)
		}
		ends(ups[1], &Fault{Reason: Refused}, 0)
		ill(p, ups[2].Name(), true)
		ill(p, ups[2].Name(), false)
		ups[2].take()
		ups[3].take()
		waits := take(p, new(Tried))
		began := time.Now()
		p.Close()
		if got := <-waits; got.u != nil || got.f.Reason != NoUpstream {
			t.Errorf("who waited: %+v", got)
		}
		if d := time.Since(began); d > 0 {
			t.Errorf("it took %v", d)
		}
		ups[2].Done(broken, 0)
		ups[3].Done(&Fault{Reason: Refused}, 0)
		if n := p.total.Load(); n != 0 {
			t.Errorf("total %d", n)
		}
	})
}
