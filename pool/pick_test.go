package pool

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"multiserver/pool/balance"
)

// nowhere are n targets that nobody asks anything.
func nowhere(n int, change func(*Target)) (out []Target) {
	for i := range n {
		t := Target{Name: fmt.Sprint("http://", i), Network: "unix", Addr: "/nowhere", Weight: 1}
		if change != nil {
			change(&t)
		}
		out = append(out, t)
	}
	return out
}

func max1(t *Target) { t.Max = 1 }

// bubble runs f with a pool whose time is a bubble's.
func bubble(t *testing.T, change func(*Options), f func(p *Pool)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) { f(newPool(t, change)) })
}

// lineOf lets n wait, without a limit on time.
func lineOf(n int) func(*Options) { return func(o *Options) { o.Queue = n } }

// taken is how a Take ended.
type taken struct {
	u *Upstream
	f *Fault
}

// take takes in a goroutine; what comes of it arrives in the channel.
func take(p *Pool, tried *Tried) chan taken {
	done := make(chan taken, 1)
	go func() {
		u, f := p.Take(nil, 0, tried)
		done <- taken{u, f}
	}()
	synctest.Wait()
	return done
}

func TestNobodyGetsMoreThanItsMax(t *testing.T) {
	for _, row := range balance.Table {
		t.Run(row.Name, func(t *testing.T) {
			p := newPool(t, func(o *Options) { o.Balance, o.Queue = row.Build, 1000 })
			targets := nowhere(4, nil)
			for i := range targets {
				targets[i].Max = i
			}
			p.Set(targets[1:])
			var busy [4]atomic.Int64
			var group sync.WaitGroup
			for range 16 {
				group.Go(func() {
					for range 200 {
						u, f := p.Take(nil, rand.Uint64(), new(Tried))
						if f != nil {
							t.Error(f)
							return
						}
						i := u.target.Max
						if n := busy[i].Add(1); n > int64(i) {
							t.Errorf("%d at once where %d may be", n, i)
						}
						if rand.N(32) == 0 {
							time.Sleep(time.Microsecond)
						}
						busy[i].Add(-1)
						u.Done(nil, 200)
					}
				})
			}
			finish(t, &group)
			for _, u := range p.Upstreams() {
				if u.Load() != 0 || u.Stats.Picked.Load() == 0 {
					t.Errorf("%s: load %d in the end, picked %d times", u.Name(), u.Load(), u.Stats.Picked.Load())
				}
			}
			if n := p.total.Load(); n != 0 {
				t.Errorf("total %d in the end", n)
			}
		})
	}
}

func TestPickWalksPastTheFullAndTheTried(t *testing.T) {
	for _, row := range balance.Table {
		for key := range uint64(50) {
			p := newPool(t, func(o *Options) { o.Balance = row.Build })
			p.Set(nowhere(maxTries, max1))
			seen := map[*Upstream]bool{}
			for range maxTries { // of different requests: the rest are full
				u := p.Pick(key, new(Tried))
				if u == nil || seen[u] {
					t.Fatalf("%s: %v after %d picks", row.Name, u, len(seen))
				}
				seen[u] = true
			}
			if u := p.Pick(key, new(Tried)); u != nil {
				t.Errorf("%s: picked from nobody", row.Name)
			}
			for u := range seen {
				u.Done(nil, 200)
			}
			var tried Tried
			for n := range maxTries { // of one request: the rest are tried
				u := p.Pick(key, &tried)
				if u == nil || !seen[u] {
					t.Fatalf("%s: %v after %d tries", row.Name, u, n)
				}
				delete(seen, u)
				u.Done(nil, 200)
			}
			if row.Name == "hash" && key == 4 {
				break // its tables cost milliseconds
			}
		}
	}
}

func TestAKeyFindsItsHostAgainOnceThatHasRoom(t *testing.T) {
	for _, row := range balance.Table {
		if row.Key == balance.NoKey {
			continue
		}
		p := newPool(t, func(o *Options) { o.Balance = row.Build })
		p.Set(nowhere(5, max1))
		for _, own := range p.Upstreams() {
			key := own.ID()
			own = p.Pick(key, new(Tried))
			if row.Key == balance.HostID && own.ID() != key {
				t.Errorf("%s: not the host that was asked for", row.Name)
			}
			other := p.Pick(key, new(Tried))
			if other == nil || other == own {
				t.Errorf("%s: %v instead of another while its own is full", row.Name, other)
			}
			own.Done(nil, 200)
			other.Done(nil, 200)
			if again := p.Pick(key, new(Tried)); again != own {
				t.Errorf("%s: not its own again", row.Name)
			}
			own.Done(nil, 200)
		}
	}
}

// The keys of a host that is full spread over all others.
func TestAFullHostsLoadIsNotItsNeighbours(t *testing.T) {
	p := newPool(t, func(o *Options) { o.Balance = balance.Sticky })
	targets := nowhere(5, nil)
	targets[0].Max = 1
	p.Set(targets)
	full := p.Pick(balance.ID(targets[0].Name), new(Tried))
	for range 400 {
		u := p.Pick(full.ID(), new(Tried))
		defer u.Done(nil, 200)
	}
	for _, u := range p.Upstreams() {
		if n := u.Load(); u != full && (n < 95 || n > 105) {
			t.Errorf("%s got %d of 400 among 4", u.Name(), n)
		}
	}
	full.Done(nil, 200)
}

func TestTakeWaitsWhileAllAreFull(t *testing.T) {
	bubble(t, lineOf(10), func(p *Pool) {
		p.Set(nowhere(2, max1))
		a, b := p.Pick(0, new(Tried)), p.Pick(0, new(Tried))
		first, second := take(p, new(Tried)), take(p, new(Tried))
		if n := p.queue.Waiting(); n != 2 {
			t.Fatalf("%d wait", n)
		}
		b.Done(nil, 200)
		synctest.Wait()
		if len(first) != 1 || len(second) != 0 {
			t.Fatal("not the first, or the second too")
		}
		if got := <-first; got.u != b || got.f != nil {
			t.Error(got)
		}
		a.Done(nil, 200)
		if got := <-second; got.u != a || got.f != nil {
			t.Error(got)
		}
		a.Done(nil, 200)
		b.Done(nil, 200)
		if n := p.total.Load(); n != 0 {
			t.Errorf("total %d in the end", n)
		}
	})
}

func TestTakeSaysWhyThereIsNobody(t *testing.T) {
	o := func(o *Options) { o.Queue, o.QueueTimeout = 1, time.Second }
	bubble(t, o, func(p *Pool) {
		reason := func(say string, got taken, want Reason) {
			if got.u != nil || got.f == nil || got.f.Reason != want || got.f.Side != Self || got.f.Status() != 503 {
				t.Errorf("%s: %+v", say, got)
			}
		}
		reason("no members", <-take(p, new(Tried)), NoUpstream)
		p.Set(nowhere(1, max1))
		var tried Tried
		u := p.Pick(0, &tried)
		reason("all tried", <-take(p, &tried), NoUpstream)
		late := take(p, new(Tried))
		reason("a full line", <-take(p, new(Tried)), QueueFull)
		reason("a long wait", <-late, QueueLate)
		u.Done(nil, 200)
	})
}

func TestWhoWaitsHearsOfChange(t *testing.T) {
	for _, c := range []struct {
		what   string
		begin  func(p *Pool, ts []Target)
		change func(p *Pool, ts []Target)
		want   string // "": nobody
	}{
		{"a new member", nil, func(p *Pool, ts []Target) { p.Set(ts[:2]) }, "http://1"},
		{"a higher limit", nil, func(p *Pool, ts []Target) { ts[0].Max = 2; p.Set(ts[:1]) }, "http://0"},
		{"no limit", nil, func(p *Pool, ts []Target) { ts[0].Max = 0; p.Set(ts[:1]) }, "http://0"},
		{"no members", nil, func(p *Pool, ts []Target) { p.Set(nil) }, ""},
		{"the end of a drain", func(p *Pool, ts []Target) { p.Set(ts[:2]); p.Drain("http://1", true) },
			func(p *Pool, ts []Target) { p.Drain("http://1", false) }, "http://1"},
		{"the last one drained", nil, func(p *Pool, ts []Target) { p.Drain("http://0", true) }, ""},
		{"backups that step in when the others are drained", func(p *Pool, ts []Target) { ts[1].Backup = true; p.Set(ts[:2]) },
			func(p *Pool, ts []Target) { p.Drain("http://0", true) }, "http://1"},
		{"backups that step in when the others are down", func(p *Pool, ts []Target) { ts[1].Backup = true; p.Set(ts[:2]) },
			func(p *Pool, ts []Target) { p.Upstreams()[0].lose(&Fault{Reason: Refused}) }, "http://1"},
	} {
		t.Run(c.what, func(t *testing.T) {
			bubble(t, lineOf(10), func(p *Pool) {
				ts := nowhere(3, max1)
				if p.Set(ts[:1]); c.begin != nil {
					c.begin(p, ts)
				}
				p.Pick(0, new(Tried))
				done := take(p, new(Tried))
				if len(done) != 0 {
					t.Fatal("it does not wait")
				}
				began := time.Now()
				c.change(p, ts)
				got := <-done
				if d := time.Since(began); d > 0 {
					t.Errorf("heard of it after %v", d)
				}
				switch {
				case c.want == "" && (got.u != nil || got.f.Reason != NoUpstream):
					t.Errorf("%+v, want nobody", got)
				case c.want != "" && (got.u == nil || got.u.Name() != c.want):
					t.Errorf("%+v, want %s", got, c.want)
				}
			})
		})
	}
}

// ill makes checks say that the upstream of that name is ill, or is not.
func ill(p *Pool, name string, is bool) {
	for _, u := range p.Upstreams() {
		switch {
		case u.Name() != name:
		case is:
			p.mu.Lock()
			u.failing.Store(true)
			p.rebuild()
			p.mu.Unlock()
		default:
			u.back("", &u.failing)
		}
	}
}

// One who has been where there is room now waits for the others. Who comes
// behind has not, and need not.
func TestARetryThatWaitsHoldsUpNobodyElse(t *testing.T) {
	o := func(o *Options) { o.Queue, o.QueueTimeout = 10, 5*time.Second }
	bubble(t, o, func(p *Pool) {
		ts := nowhere(2, nil)
		ts[0].Max, ts[1].Max = 1, 10
		p.Set(ts)
		ups := p.Upstreams()
		full, free := ups[0], ups[1]
		full.take()
		var tried Tried
		tried.note(free)
		retry := take(p, &tried)
		if len(retry) != 0 {
			t.Fatal("it does not wait for the one that it has not tried")
		}
		began := time.Now()
		got := <-take(p, new(Tried))
		if got.u != free || time.Since(began) > 0 {
			t.Errorf("%+v after %v, though %s has 10 places and nobody there", got, time.Since(began), free.Name())
		}
		full.Done(nil, 200)
		if got := <-retry; got.u != full {
			t.Errorf("the retry got %+v", got)
		}
	})
}

func TestBackupsOnlyWhenNoOtherIsWell(t *testing.T) {
	p := newPool(t, nil)
	ts := nowhere(4, nil)
	ts[2].Backup, ts[3].Backup = true, true
	p.Set(ts)
	picked := func() string {
		seen := ""
		for _, t := range ts {
			for range 8 {
				if u := p.Pick(0, new(Tried)); u != nil {
					defer u.Done(nil, 200)
					if u.Name() == t.Name {
						seen += t.Name[len("http://"):]
						break
					}
				}
			}
		}
		return seen
	}
	step := func(change func(), want string) {
		t.Helper()
		if change(); picked() != want {
			t.Errorf("picked %q, want %q", picked(), want)
		}
	}
	step(func() {}, "01")
	step(func() { ill(p, "http://0", true) }, "1")
	step(func() { p.Drain("http://1", true) }, "23")
	step(func() { ill(p, "http://2", true) }, "3")
	step(func() { ill(p, "http://3", true) }, "023") // all are ill: whoever is not drained
	step(func() { p.Drain("http://0", true) }, "23")
	step(func() { ill(p, "http://2", false) }, "2")
	step(func() { p.Drain("http://2", true); p.Drain("http://3", true) }, "")
	step(func() { p.Drain("http://0", false) }, "0") // ill, but all there is
	step(func() { p.Drain("http://1", false) }, "1")
	step(func() { ill(p, "http://0", false) }, "01")
}

func TestBackupsThatAreFullAreNotMadeUpFor(t *testing.T) {
	p := newPool(t, nil)
	ts := nowhere(2, max1)
	ts[1].Backup = true
	p.Set(ts)
	u := p.Pick(0, new(Tried))
	if v := p.Pick(0, new(Tried)); v != nil {
		t.Errorf("%s was picked: being full is not being ill", v.Name())
	}
	u.Done(nil, 200)
}
