package pool

import (
	"crypto/tls"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"multiserver/pool/balance"
)

// change is Configure with what there is, but for what f does to it.
func change(p *Pool, f func(o *Options)) {
	o := *p.opt()
	f(&o)
	p.Configure(o)
}

func TestConfigureKeepsMembersTheirConnectionsAndHealth(t *testing.T) {
	p := newPool(t, nil)
	well, ill, out := newOrigin(t), newOrigin(t), newOrigin(t)
	ups := set(p, well, ill, out)
	if got := ask(t, ups[0], get("/")); got != "1" {
		t.Fatal(got)
	}
	ups[1].ejected.Store(true)
	p.Drain(out.name, true)
	change(p, func(o *Options) { o.Balance, o.MaxFails = balance.Find("random").Build, 7 })
	for i, u := range p.Upstreams() {
		if u != ups[i] {
			t.Errorf("%s is another upstream", u.Name())
		}
	}
	if got := ask(t, ups[0], get("/")); got != "1" {
		t.Errorf("connection %s, want the one that was kept", got)
	}
	if !ups[1].Ejected() || !ups[2].Drained() {
		t.Error("what was known of them is not")
	}
	for range 20 {
		if u := p.Pick(0, new(Tried)); u != ups[0] {
			t.Fatal("somebody is picked who is out")
		}
	}
}

func TestConfigureChangesWhoIsPicked(t *testing.T) {
	bubble(t, nil, func(p *Pool) {
		p.Set(nowhere(3, nil))
		same := func() bool {
			first := p.Pick(42, new(Tried))
			for range 5 {
				if p.Pick(42, new(Tried)) != first {
					return false
				}
			}
			return true
		}
		if same() {
			t.Fatal("round robin picks one alone")
		}
		change(p, func(o *Options) { o.Balance = balance.Find("hash").Build })
		if !same() {
			t.Error("hash picks several for one key")
		}
	})
}

func TestConfigureChangesLimitsOfWhoWaits(t *testing.T) {
	bubble(t, lineOf(1), func(p *Pool) {
		p.Set(nowhere(1, max1))
		p.Pick(0, new(Tried))
		first := take(p, new(Tried))
		synctest.Wait()
		if got := <-take(p, new(Tried)); got.f == nil {
			t.Fatal("two wait in a line of one")
		}
		change(p, func(o *Options) { o.Queue, o.QueueTimeout = 2, time.Second })
		second := take(p, new(Tried))
		synctest.Wait()
		if len(second) > 0 {
			t.Fatal("the second one does not wait")
		}
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if got := <-second; got.f == nil || got.f.Reason != QueueLate {
			t.Errorf("the second: %v", got.f)
		}
		if len(first) > 0 {
			t.Error("the first one is held to a time that it was not told")
		}
		p.Upstreams()[0].give()
		if got := <-first; got.u == nil {
			t.Errorf("the first: %v", got.f)
		}
	})
}

func TestConfigureBeginsChangesAndEndsChecks(t *testing.T) {
	p := newPool(t, nil)
	o := newOrigin(t)
	u := set(p, o)[0]
	checks := func(path string) Check {
		return Check{Path: path, Interval: time.Millisecond, Timeout: patience, Rise: 1, Fall: 1}
	}
	change(p, func(o *Options) { o.Check = checks("/garbage") })
	await(t, "checks that fail", u.Failing)
	change(p, func(o *Options) { o.Check = checks("/well") })
	await(t, "checks that go well", func() bool { return !u.Failing() })
	change(p, func(o *Options) { o.Check.Interval = time.Hour })
	change(p, func(o *Options) { o.Check = checks("/garbage") })
	await(t, "checks that fail again", u.Failing)
	change(p, func(o *Options) { o.Check = Check{} })
	await(t, "what checks said to be over with them", func() bool { return !u.Failing() })
	await(t, "checks to have ended", func() bool {
		p.mu.Lock()
		defer p.mu.Unlock()
		return u.again == nil
	})
}

// A reload every moment must not keep an upstream from ever being checked.
func TestConfigureThatChangesNothingDelaysNoCheck(t *testing.T) {
	bubble(t, func(o *Options) { o.Check = Check{Interval: time.Second, Timeout: time.Second, Rise: 1, Fall: 1} }, func(p *Pool) {
		p.Set(nowhere(1, nil))
		for range 100 {
			time.Sleep(100 * time.Millisecond)
			change(p, func(*Options) {})
		}
		if !p.Upstreams()[0].Failing() {
			t.Error("not checked")
		}
	})
}

func TestConfigureOfTLSMakesNewUpstreamsWhereItMatters(t *testing.T) {
	first, second := &tls.Config{ServerName: "a"}, &tls.Config{ServerName: "b"}
	bubble(t, func(o *Options) { o.TLS = first }, func(p *Pool) {
		targets := nowhere(2, nil)
		targets[0].TLS = true
		p.Set(targets)
		was := p.Upstreams()
		p.Drain(targets[0].Name, true)
		change(p, func(*Options) {})
		if now := p.Upstreams(); now[0] != was[0] {
			t.Error("others although nothing has changed")
		}
		change(p, func(o *Options) { o.TLS = second })
		now := p.Upstreams()
		if now[0] == was[0] || now[0].tls.ServerName != "b" || !was[0].retired.Load() {
			t.Error("TLS as it was")
		}
		if !now[0].Drained() {
			t.Error("what the operator said of it is forgotten")
		}
		if now[1] != was[1] {
			t.Error("one without TLS is another")
		}
		if p.Set(targets); p.Upstreams()[0] != now[0] {
			t.Error("it is another each time")
		}
	})
}

func TestFewerPlacesAtAGateLetThoseInBe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := gate(2, 5, time.Hour)
		for range 2 {
			if err := g.Enter(nil); err != nil {
				t.Fatal(err)
			}
		}
		g.Admit(1)
		waits := enter(g)
		g.Leave()
		if synctest.Wait(); !still(waits) {
			t.Error("a second one is in")
		}
		g.Admit(2)
		if err := <-waits; err != nil {
			t.Error(err)
		}
		g.Resize(0, time.Hour)
		if err := g.Enter(nil); !errors.Is(err, ErrFull) {
			t.Errorf("%v in a line of none", err)
		}
	})
}
