package pool

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"net"
	"path/filepath"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"multiserver/pool/balance"
)

var modelSeed = flag.Uint64("seed", 0, "of the one sequence to run")

// Random sequences of all that can happen to a pool, each against a model of
// who is a member, who is drained, which limits hold and who is busy. After
// each step, when all goroutines have come to rest: nobody was picked who is
// drained or gone, nobody has more than its limit, nobody waits while there is
// a place for him, or longer than he may, and all loads are what they should.
// What fails says its seed; with -seed it runs alone.
func TestPoolDoesWhatTheModelSays(t *testing.T) {
	const sequences, steps = 300, 200
	end := time.Now().Add(4 * time.Second)
	dir := t.TempDir()
	var n happened
	if *modelSeed != 0 {
		modelled(t, dir, *modelSeed, steps, &n)
		return
	}
	for i := range sequences {
		modelled(t, dir, rand.Uint64(), steps, &n)
		if time.Now().After(end) {
			t.Logf("%d sequences were all there was time for", i+1)
			break
		}
	}
	t.Logf("%+v", n)
	if n.served == 0 || n.waited == 0 || n.late == 0 || n.full == 0 || n.none == 0 || n.retried == 0 || n.ill == 0 {
		t.Error("that was no test: too little has happened")
	}
}

// happened counts what the sequences met with.
type happened struct{ served, waited, late, full, none, retried, ill int }

func modelled(t *testing.T, dir string, seed uint64, steps int, n *happened) {
	synctest.Test(t, func(t *testing.T) {
		m := &model{t: t, dir: dir, happened: n, seed: seed, rand: rand.New(rand.NewPCG(seed, 0)), known: map[*Upstream]bool{}}
		defer m.close()
		m.p = newPool(t, func(o *Options) {
			row := balance.Table[m.rand.IntN(len(balance.Table))]
			if row.Name == "hash" {
				row = balance.Table[0] // a table for each change takes too long here
			}
			o.Balance, o.Connect = row.Build, 0
			o.Queue, o.QueueTimeout = modelQueue, modelPatience
			o.MaxFails, o.EjectFor = 3, time.Second
			o.SlowStart = time.Duration(m.rand.IntN(2)) * time.Second
			o.Check = Check{Interval: time.Second * time.Duration(m.rand.IntN(2)), Timeout: time.Second, Rise: 2, Fall: 2}
		})
		for m.step = range steps {
			if m.act(); t.Failed() {
				return
			}
		}
		m.finish()
	})
}

const (
	modelQueue    = 6
	modelPatience = 3 * time.Second
)

// model is what should be, beside the pool that is.
type model struct {
	*happened
	t    *testing.T
	p    *Pool
	dir  string
	seed uint64
	rand *rand.Rand
	step int
	what string // the step is

	made    int
	members []*member
	busy    []exchange // under way
	line    []*waiting // in order of arrival
	known   map[*Upstream]bool
}

type member struct {
	Target
	drained bool
	ln      net.Listener // nil: dead
}

type exchange struct {
	u     *Upstream
	tried *Tried
}

type waiting struct {
	tried *Tried
	fresh bool // has tried nobody
	since time.Time
	done  chan taken
	ended time.Time // before done
}

// act makes one step.
func (m *model) act() {
	any := func() *member { return m.members[m.rand.IntN(len(m.members))] }
	slept := false
	switch n := m.rand.IntN(100); {
	case len(m.members) == 0 || n < 5 && len(m.members) < 6:
		m.what = "add"
		m.add()
	case n < 8:
		m.what = "remove"
		i := m.rand.IntN(len(m.members))
		m.members[i].die()
		m.members = slices.Delete(m.members, i, i+1)
		m.set()
	case n < 11:
		m.what = "limit"
		any().Max = m.rand.IntN(4)
		m.set()
	case n < 17:
		m.what = "drain"
		v := any()
		v.drained = m.rand.IntN(3) == 0
		m.p.Drain(v.Name, v.drained)
	case n < 20:
		m.what = "weigh"
		m.p.Weigh(any().Name, m.rand.Uint32N(5))
	case n < 23:
		m.what = "die"
		any().die()
	case n < 26:
		m.what = "live"
		m.live(any())
	case n < 60:
		m.what = "pick"
		m.take(new(Tried))
	case n < 95:
		m.what = "done"
		m.done()
	default:
		m.what, slept = "sleep", true
		time.Sleep(time.Duration(m.rand.IntN(1500)) * time.Millisecond)
	}
	synctest.Wait()
	m.collect(slept)
	m.check()
}

func (m *model) add() {
	m.made++
	name := filepath.Join(m.dir, fmt.Sprint(m.made))
	v := &member{Target: Target{Name: name, Network: "unix", Addr: name, Weight: m.rand.Uint32N(3), Max: m.rand.IntN(4)}}
	v.Backup = m.rand.IntN(4) == 0
	m.live(v)
	m.members = append(m.members, v)
	m.set()
}

func (m *model) set() {
	var ts []Target
	for _, v := range m.members {
		ts = append(ts, v.Target)
	}
	m.p.Set(ts)
}

func (m *model) live(v *member) {
	if v.ln == nil {
		ln, err := net.Listen("unix", v.Addr)
		if err != nil {
			m.t.Fatal(err)
		}
		v.ln = ln
	}
}

func (v *member) die() {
	if v.ln != nil {
		v.ln.Close()
		v.ln = nil
	}
}

func (m *model) take(tried *Tried) {
	w := &waiting{tried: tried, fresh: tried.Count() == 0, since: time.Now(), done: make(chan taken, 1)}
	m.line = append(m.line, w)
	key := m.rand.Uint64()
	go func() {
		u, f := m.p.Take(nil, key, tried)
		w.ended = time.Now()
		w.done <- taken{u, f}
	}()
}

// done ends an exchange, some of them badly, and then perhaps tries again.
func (m *model) done() {
	if len(m.busy) == 0 {
		return
	}
	i := m.rand.IntN(len(m.busy))
	x := m.busy[i]
	m.busy = slices.Delete(m.busy, i, i+1)
	v := m.member(x.u)
	switch n := m.rand.IntN(20); {
	case v != nil && v.ln == nil && n < 10:
		x.u.Done(&Fault{Reason: Refused}, 0)
	case n < 4:
		x.u.Done(&Fault{Reason: Broken, Sent: true}, 0)
	case n < 6:
		x.u.Done(nil, 503)
		return
	case n < 8:
		x.u.Done(&Fault{Side: Client, Reason: Left}, 0)
		return
	default:
		x.u.Done(nil, 200)
		return
	}
	m.retried++
	m.take(x.tried)
}

func (m *model) member(u *Upstream) *member {
	for _, v := range m.members {
		if v.Name == u.Name() {
			return v
		}
	}
	return nil
}

// collect looks at whose Take has ended, and how.
func (m *model) collect(slept bool) {
	still, before := m.line[:0:0], len(m.line)
	for _, w := range m.line {
		if len(w.done) == 0 {
			still = append(still, w)
			continue
		}
		got := <-w.done
		if d := w.ended.Sub(w.since); d > modelPatience {
			m.errorf("one waited %v", d)
		} else if d > 0 {
			m.waited++
		}
		switch {
		case got.u != nil:
			m.served++
			m.picked(got.u)
			m.busy = append(m.busy, exchange{got.u, w.tried})
			if len(still) > 0 && still[0].fresh && w.fresh {
				m.errorf("one was served before another who came earlier")
			}
		case got.f.Reason == QueueFull:
			m.full++
			if before <= modelQueue {
				m.errorf("the line is said to be full with %d in it", before-1)
			}
		case got.f.Reason == QueueLate:
			m.late++
		case got.f.Reason == NoUpstream:
			m.none++
			if !slept && w.tried.Count() < maxTries && len(m.choice(w)) > 0 {
				m.errorf("there is somebody to try")
			}
		default:
			m.errorf("%v", got.f)
		}
	}
	m.line = still
}

func (m *model) picked(u *Upstream) {
	m.known[u] = true
	switch v := m.member(u); {
	case v == nil:
		m.errorf("one that is gone was picked")
	case v.drained:
		m.errorf("one that is drained was picked")
	case v.Max > 0 && u.Load() > int64(v.Max):
		m.errorf("%d at once where %d may be", u.Load(), v.Max)
	}
}

// choice is who may be picked for w, full or not: of the best tier with
// somebody well in it.
func (m *model) choice(w *waiting) (out []*Upstream) {
	var tiers [3][]*Upstream
	for _, u := range m.p.Upstreams() {
		v := m.member(u)
		if v.drained {
			continue
		}
		tiers[2] = append(tiers[2], u)
		switch {
		case !u.well():
		case v.Backup:
			tiers[1] = append(tiers[1], u)
		default:
			tiers[0] = append(tiers[0], u)
		}
	}
	for _, tier := range tiers {
		if len(tier) > 0 {
			return slices.DeleteFunc(tier, w.tried.has)
		}
	}
	return nil
}

// check looks at the pool as it is between two steps.
func (m *model) check() {
	loads := map[*Upstream]int64{}
	for _, x := range m.busy {
		loads[x.u]++
	}
	for u := range m.known {
		if u.Load() != loads[u] {
			m.errorf("load %d, want %d", u.Load(), loads[u])
		}
	}
	if n := m.p.total.Load(); n != int64(len(m.busy)) {
		m.errorf("total %d, want %d", n, len(m.busy))
	}
	if n := m.p.queue.Waiting() + m.p.second.Waiting(); n != len(m.line) || n > 2*modelQueue {
		m.errorf("%d in line, want %d", n, len(m.line))
	}
	for i, w := range m.line {
		for _, u := range m.choice(w) {
			if most := u.limit.Load(); most == 0 || u.Load() < most {
				m.errorf("number %d of the line waits though there is a place", i)
			}
		}
	}
	for _, u := range m.p.Upstreams() {
		if !u.drained.Load() && !u.well() {
			m.ill++
		}
	}
}

// finish lets all end: who waits is served, or refused in time.
func (m *model) finish() {
	for m.what = "finish"; len(m.busy)+len(m.line) > 0 && !m.t.Failed(); {
		for _, x := range m.busy {
			x.u.Done(nil, 200)
		}
		m.busy = nil
		if len(m.line) > 0 {
			time.Sleep(modelPatience)
		}
		synctest.Wait()
		m.collect(true)
		m.check()
	}
}

func (m *model) close() {
	for _, v := range m.members {
		v.die()
	}
}

func (m *model) errorf(format string, args ...any) {
	m.t.Helper()
	m.t.Errorf("seed %d, step %d, %s: %s", m.seed, m.step, m.what, fmt.Sprintf(format, args...))
}
