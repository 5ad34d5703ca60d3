package pool

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"
)

func TestWhoStaysKeepsConnectionsAndHealth(t *testing.T) {
	p := newPool(t, nil)
	a, b, c := newOrigin(t), newOrigin(t), newOrigin(t)
	before := set(p, a, b)
	ask(t, before[0], get("/"))
	ask(t, before[1], get("/"))
	gone := before[1]

	after := set(p, c, a)
	if after[1] != before[0] || after[0] == before[1] {
		t.Fatal("other upstreams than before")
	}
	if n := after[1].Idle(); n != 1 {
		t.Errorf("%d connections kept to one who stays", n)
	}
	if n := gone.Idle(); n != 0 {
		t.Errorf("%d connections kept to one who goes", n)
	}
	ask(t, after[1], get("/"))
	if _, conns := a.count("/"); conns != 1 {
		t.Errorf("%d connections were made to one who stays", conns)
	}
	if body := ask(t, gone, get("/")); body != "2" || gone.Idle() != 0 { // an exchange that had picked it before
		t.Errorf("connection %s, %d kept", body, gone.Idle())
	}

	a.stop()
	after[1].Done(fault(after[1]), 0)
	if !after[1].Down() {
		t.Fatal("it is still up")
	}
	if again := set(p, a, c); again[0] != after[1] || !again[0].Down() {
		t.Error("one who stays has lost its health")
	}
}

// fault is what asking u gives; its load counts one more.
func fault(u *Upstream) *Fault {
	u.load.Add(1)
	_, f := try(u, get("/"))
	return f
}

// The weight is the operator's to change while exchanges are under way.
func TestWhoChangesWeightStays(t *testing.T) {
	p := newPool(t, nil)
	o := newOrigin(t)
	u := set(p, o)[0]
	ask(t, u, get("/"))
	heavy := o.target()
	heavy.Weight = 7
	p.Set([]Target{heavy})
	if p.Upstreams()[0] != u || u.Idle() != 1 {
		t.Error("it is another upstream now")
	}
}

func TestTheSameTargetTwiceIsTwoUpstreams(t *testing.T) {
	p := newPool(t, nil)
	o := newOrigin(t)
	ups := set(p, o, o)
	if len(ups) != 2 || ups[0] == ups[1] {
		t.Fatal("not two")
	}
	if again := set(p, o, o); again[0] != ups[0] || again[1] != ups[1] {
		t.Error("they have not stayed")
	}
}

func TestPickTakesTurnsByWeight(t *testing.T) {
	p := newPool(t, nil)
	a, b := newOrigin(t).target(), newOrigin(t).target()
	a.Weight = 3
	p.Set([]Target{a, b})
	picks := map[string]int{}
	for range 400 {
		u := p.Pick(0, new(Tried))
		picks[u.Name()]++
		u.Done(nil, 200)
	}
	if picks[a.Name] != 300 || picks[b.Name] != 100 {
		t.Error(picks)
	}
}

func TestTriedMeetsEachUpstreamOnce(t *testing.T) {
	p := newPool(t, nil)
	var tried Tried
	if p.Pick(0, &tried) != nil {
		t.Error("picked from nobody")
	}
	for n := 1; n <= 6; n++ {
		var targets []Target
		for i := range n {
			targets = append(targets, Target{Name: fmt.Sprint(i), Network: "tcp", Addr: "127.0.0.1:1", Weight: 1})
		}
		p.Set(targets)
		tried.Reset()
		seen := map[*Upstream]bool{}
		for u := p.Pick(0, &tried); u != nil; u = p.Pick(0, &tried) {
			if seen[u] || u.Load() != 1 {
				t.Errorf("%s again, or its load is %d", u.Name(), u.Load())
			}
			seen[u] = true
			u.Done(nil, 200)
		}
		if want := min(n, maxTries); len(seen) != want || tried.Count() != want {
			t.Errorf("%d of %d tried, counted %d", len(seen), n, tried.Count())
		}
	}
}

func TestRefusingUpstreamIsLeftAloneAndComesBack(t *testing.T) {
	p := newPool(t, nil)
	a, b := newOrigin(t), newOrigin(t)
	ups := set(p, a, b)
	down, up := ups[0], ups[1]
	a.stop()
	down.Done(fault(down), 0)
	for range 100 {
		u := p.Pick(0, new(Tried))
		if u != up {
			t.Fatal("the one that is down was picked")
		}
		u.Done(nil, 200)
	}
	a.start()
	await(t, "it to come back", func() bool { return !down.Down() })
	picked := map[*Upstream]int{}
	for range 100 {
		u := p.Pick(0, new(Tried))
		picked[u]++
		u.Done(nil, 200)
	}
	if picked[down] != 50 || picked[up] != 50 {
		t.Errorf("%d and %d picks", picked[down], picked[up])
	}
	ask(t, down, get("/"))
}

func TestOnlyFailedConnectsPutDown(t *testing.T) {
	p := newPool(t, nil)
	u := set(p, newOrigin(t))[0]
	for r := range Reasons {
		switch r {
		case Refused, Unreachable, ConnectTime, Untrusted, WrongName, Expired, NoHandshake:
			continue
		}
		u.load.Add(1)
		if u.Done(&Fault{Reason: r}, 0); u.Down() {
			t.Fatalf("down by %v", r)
		}
	}
	if u.Load() != 0 {
		t.Errorf("load %d", u.Load())
	}
}

func TestWithAllDownSomebodyIsTried(t *testing.T) {
	p := newPool(t, nil)
	a, b := newOrigin(t), newOrigin(t)
	ups := set(p, a, b)
	a.stop()
	b.stop()
	for _, u := range ups {
		u.Done(fault(u), 0)
	}
	picked := map[*Upstream]bool{}
	for range 4 {
		u := p.Pick(0, new(Tried))
		if u == nil {
			t.Fatal("nobody")
		}
		picked[u] = true
		u.Done(nil, 200)
	}
	if len(picked) != 2 {
		t.Errorf("%d of 2 tried", len(picked))
	}
}

// Everything at once, for the race detector: exchanges, the reaper, members
// that come and go, verdicts.
func TestPoolUnderAllHands(t *testing.T) {
	p := newPool(t, func(o *Options) { o.MaxIdle = 4; o.IdleAge = 100 * time.Millisecond })
	origins := []*origin{newOrigin(t), newOrigin(t), newOrigin(t)}
	set(p, origins...)
	stop := time.Now().Add(time.Second)
	var group sync.WaitGroup
	for range 6 {
		group.Go(func() {
			for time.Now().Before(stop) {
				u := p.Pick(rand.Uint64(), new(Tried))
				_, f := try(u, get("/"))
				u.Done(f, 0)
				if f != nil && f.Reason != Broken { // hangUp below
					t.Error(f)
				}
			}
		})
	}
	group.Go(func() {
		for time.Now().Before(stop) {
			set(p, origins[rand.N(3)], origins[rand.N(3)])
			time.Sleep(time.Millisecond)
		}
	})
	group.Go(func() {
		for time.Now().Before(stop) {
			p.sweep()
			origins[rand.N(3)].hangUp()
			time.Sleep(time.Millisecond)
		}
	})
	group.Wait()
	for _, u := range p.Upstreams() {
		if u.Load() != 0 {
			t.Errorf("load %d in the end", u.Load())
		}
	}
}

// The reaper looks at connections that are in use a moment later.
func TestReaperAndExchangesShareConnections(t *testing.T) {
	p := newPool(t, func(o *Options) { o.IdleAge = time.Minute; o.MaxAge = time.Minute })
	u := set(p, newOrigin(t))[0]
	stop := time.Now().Add(500 * time.Millisecond)
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			for time.Now().Before(stop) {
				if _, f := try(u, get("/")); f != nil {
					t.Error(f)
				}
			}
		})
	}
	for time.Now().Before(stop) {
		p.sweep()
	}
	group.Wait()
}

// sweep is one turn of reap.
func (p *Pool) sweep() {
	now := p.opt().Guard.Now()
	for _, u := range p.Upstreams() {
		for _, l := range u.idle.sweep(now) {
			_ = l.Conn.Close()
		}
	}
}
