package balance

import (
	"container/heap"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// farm simulates hosts under open-loop load on a clock of its own: requests
// come at random however many are under way, and each host works at some of
// them at a time and queues the rest.
type farm struct {
	set     Set
	picker  Picker
	rate    float64 // requests a second
	workers int     // of each host
	work    func(host int) time.Duration
	random  *rand.Rand

	now   time.Duration
	ends  ends
	queue [][]time.Duration // at each host: when those came who wait
	busy  []int
}

// newFarm tells the picker the time with the given ticks.
func newFarm(name string, hosts, workers int, rate float64, tick time.Duration, work func(host int) time.Duration) *farm {
	f := &farm{set: equal(hosts), rate: rate, workers: workers, work: work}
	f.random = rand.New(rand.NewPCG(1, 2))
	f.queue, f.busy = make([][]time.Duration, hosts), make([]int, hosts)
	f.set.Now = func() int64 { return f.now.Truncate(tick).Milliseconds() }
	f.picker = Find(name).Build(f.set)
	return f
}

// run goes on for d and returns how long requests took and where they went.
func (f *farm) run(d time.Duration) (took []time.Duration, picks []int) {
	picks = make([]int, len(f.busy))
	until := f.now + d
	for {
		next := f.now + time.Duration(f.random.ExpFloat64()/f.rate*1e9)
		for len(f.ends) > 0 && f.ends[0].at <= next {
			took = append(took, f.end(heap.Pop(&f.ends).(end)))
		}
		if f.now = next; f.now > until {
			return took, picks
		}
		i := f.picker.Pick(f.random.Uint64())
		picks[i]++
		f.set.begin(i, 1)
		f.queue[i] = append(f.queue[i], f.now)
		f.start(i)
	}
}

func (f *farm) start(host int) {
	if q := f.queue[host]; len(q) > 0 && f.busy[host] < f.workers {
		f.busy[host]++
		f.queue[host] = q[1:]
		heap.Push(&f.ends, end{f.now + f.work(host), q[0], host})
	}
}

func (f *farm) end(e end) time.Duration {
	f.now = e.at
	f.busy[e.host]--
	f.set.begin(e.host, -1)
	f.set.Hosts[e.host].Wait.Observe(e.at-e.came, f.set.Now())
	f.start(e.host)
	return e.at - e.came
}

type end struct {
	at, came time.Duration
	host     int
}

type ends []end

func (e ends) Len() int           { return len(e) }
func (e ends) Less(i, j int) bool { return e[i].at < e[j].at }
func (e ends) Swap(i, j int)      { e[i], e[j] = e[j], e[i] }
func (e *ends) Push(x any)        { *e = append(*e, x.(end)) }
func (e *ends) Pop() any {
	last := (*e)[len(*e)-1]
	*e = (*e)[:len(*e)-1]
	return last
}

func percentile(d []time.Duration, p float64) time.Duration {
	slices.Sort(d)
	return d[int(math.Ceil(p/100*float64(len(d))))-1]
}

func share(picks []int, host int) float64 {
	var sum int
	for _, n := range picks {
		sum += n
	}
	return float64(picks[host]) / float64(sum)
}

// Four hosts, one of which takes 10 ms instead of 1 ms, at half of what they
// can do together: who looks at load spares it, who does not drowns it, and who
// looks at latency asks it so rarely that the 99th percentile does not tell.
func TestOneSlowHost(t *testing.T) {
	p99, slow := map[string]time.Duration{}, map[string]float64{}
	for _, name := range []string{"round-robin", "random", "p2c", "least-connections", "least-latency"} {
		f := newFarm(name, 4, 4, 0.5*(3*4+0.4)*1000, 50*time.Millisecond, nil)
		f.work = func(host int) time.Duration {
			mean := time.Millisecond
			if host == 3 {
				mean *= 10
			}
			return time.Duration(float64(mean) * (0.5 + f.random.ExpFloat64()/2))
		}
		f.run(3 * time.Second)
		took, picks := f.run(8 * time.Second)
		p99[name], slow[name] = percentile(took, 99), share(picks, 3)
		t.Logf("%-18s p50 %-8v p99 %-10v p99.9 %-10v to the slow one %.2f %%", name, percentile(took, 50).Round(time.Microsecond*10),
			p99[name].Round(time.Microsecond*10), percentile(took, 99.9).Round(time.Microsecond*10), 100*slow[name])
	}
	if p99["least-connections"] > p99["round-robin"]/10 {
		t.Error("load is not avoided")
	}
	for _, name := range byLatency {
		if p99[name] > p99["least-connections"]/2 || slow[name] > 0.005 {
			t.Errorf("%s: latency is not avoided", name)
		}
	}
}

// byLatency are those that go by it.
var byLatency = []string{"p2c", "least-latency"}

// One answer in a hundred that takes long on all hosts alike makes none slow,
// and one in three that fails at once makes a host no better than its load.
func TestOddAnswersDoNotMoveWork(t *testing.T) {
	f := func(what string, most float64, odd func(host, percent int) time.Duration) {
		for _, name := range byLatency {
			f := newFarm(name, 4, 4, 8000, 50*time.Millisecond, nil)
			f.work = func(host int) time.Duration {
				if d := odd(host, f.random.IntN(100)); d > 0 {
					return d
				}
				return time.Duration(1e6 * (0.5 + f.random.ExpFloat64()/2))
			}
			f.run(2 * time.Second)
			_, picks := f.run(5 * time.Second)
			t.Logf("%s, %s: %v", name, what, picks)
			if got := share(picks, 3); got < 0.2 || got > most {
				t.Errorf("%s, %s: %.3f to one of four", name, what, got)
			}
		}
	}
	f("some slow", 0.3, func(_, percent int) time.Duration {
		if percent == 0 {
			return 50 * time.Millisecond
		}
		return 0
	})
	f("some failing", 0.37, func(host, percent int) time.Duration { // 0.3 by load alone
		if host == 3 && percent < 30 {
			return 50 * time.Microsecond
		}
		return 0
	})
}

// A host that becomes slow is left within a second, asked from time to time,
// and comes back within 30 seconds when it has recovered, at few requests and
// at many.
func TestSlowHostIsLeftAndReturns(t *testing.T) {
	for _, name := range byLatency {
		for _, hosts := range []int{2, 4, few + 8} {
			for _, rate := range []float64{10 * float64(hosts), 500} {
				leaveAndReturn(t, name, hosts, rate)
			}
		}
	}
}

func leaveAndReturn(t *testing.T, name string, hosts int, rate float64) {
	slow := time.Duration(1)
	f := newFarm(name, hosts, 100, rate, 50*time.Millisecond, nil)
	f.work = func(host int) time.Duration {
		d := time.Millisecond/2 + time.Duration(f.random.IntN(1e6))
		if host == 0 {
			d *= slow
		}
		return d
	}
	even := 1 / float64(hosts)
	f.run(5 * time.Second)
	if _, picks := f.run(20 * time.Second); share(picks, 0) < even/2 || share(picks, 0) > even*2 {
		t.Errorf("%s, %d hosts, %v/s: all alike, %.4f to one", name, hosts, rate, share(picks, 0))
	}
	slow = 10
	f.run(time.Second)
	if _, picks := f.run(60 * time.Second); share(picks, 0) > even/20 && picks[0] > 5 || picks[0] == 0 {
		t.Errorf("%s, %d hosts, %v/s: %.4f, %d requests, to a slow one", name, hosts, rate, share(picks, 0), picks[0])
	}
	slow = 1
	f.run(30 * time.Second)
	if _, picks := f.run(20 * time.Second); share(picks, 0) < even/2 {
		t.Errorf("%s, %d hosts, %v/s: %.4f to one that has recovered", name, hosts, rate, share(picks, 0))
	}
}

// A host nobody has asked yet is asked at once, by one request and not by all
// that come before its answer.
func TestLeastLatencyTriesANewHost(t *testing.T) {
	f := newFarm("least-latency", 3, 100, 1000, 50*time.Millisecond, func(host int) time.Duration {
		if host == 2 {
			return 3 * time.Second
		}
		return time.Millisecond
	})
	for i := range 2 {
		f.set.Hosts[i].Wait.Observe(time.Millisecond, 0)
	}
	if i := f.picker.Pick(0); i != 2 {
		t.Errorf("asked %d first", i)
	}
	if _, picks := f.run(2 * time.Second); picks[2] > 1 {
		t.Errorf("%d requests to a host that has not answered yet", picks[2])
	}
}

// With p2c it is asked too, and by no more requests than the others have.
func TestP2CTriesANewHost(t *testing.T) {
	f := newFarm("p2c", 3, 100, 1000, 50*time.Millisecond, func(host int) time.Duration {
		if host == 2 {
			return 3 * time.Second
		}
		return time.Millisecond
	})
	for i := range 2 {
		f.set.Hosts[i].Wait.Observe(time.Millisecond, 0)
	}
	if _, picks := f.run(2 * time.Second); picks[2] < 1 || picks[2] > 8 {
		t.Errorf("%d requests to a host that has not answered yet", picks[2])
	}
}
