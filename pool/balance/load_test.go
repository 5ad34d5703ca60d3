package balance

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

func TestLeastConnectionsIsTheLeastOfFew(t *testing.T) {
	for _, n := range []int{1, 2, 3, 10, few} {
		s := equal(n)
		for i := range s.Hosts {
			s.Hosts[i].Weight = rand.Uint32N(10) + 1
		}
		p := LeastConnections(s)
		for range 10000 {
			least := math.Inf(1)
			for _, h := range s.Hosts {
				least = min(least, float64(h.Load.Load())/float64(h.Weight))
			}
			i := p.Pick(0)
			if got := float64(s.Hosts[i].Load.Load()) / float64(s.Hosts[i].Weight); got != least {
				t.Fatalf("%d hosts: load/weight %v picked, the least is %v", n, got, least)
			}
			s.begin(i, 1)
			if i := rand.N(n); s.Hosts[i].Load.Load() > 0 {
				s.begin(i, -1)
			}
		}
	}
}

// Hosts that are busy all the time leave their turns to all others alike.
func TestTurnsOfTheBusyAreShared(t *testing.T) {
	for _, n := range []int{5, few, 100} {
		s := equal(n)
		s.begin(1, 1)
		s.begin(2, 1)
		for i, got := range count(LeastConnections(s), n, 1000*(n-2), 1) {
			if i == 1 || i == 2 {
				if got > 0 {
					t.Errorf("%d hosts: %d picks of a busy one", n, got)
				}
			} else if got < 998 || got > 1002 {
				t.Errorf("%d hosts: %d picks of number %d, want 1000", n, got, i)
			}
		}
	}
}

// A host that is always quickest to be free has no influence on the turns of
// the others.
func TestOneThatIsLeastAloneSpendsNoTurn(t *testing.T) {
	s := equal(3)
	p := LeastConnections(s)
	c := make([]int, 3)
	for k := range 300 {
		s.Hosts[0].Load.Store(int64(k%2) * 2)
		s.Hosts[1].Load.Store(1)
		s.Hosts[2].Load.Store(1)
		c[p.Pick(0)]++
	}
	if !slices.Equal(c, []int{150, 75, 75}) {
		t.Errorf("picks %v", c)
	}
}

// Hosts whose turn comes once in a thousand are alike to each other, too.
func TestTurnsOfTheLight(t *testing.T) {
	s := hosts(1000, 1, 1, 1)
	s.begin(0, 1)
	for i, n := range count(LeastConnections(s), 4, 3000, 1) {
		if i > 0 && (n < 850 || n > 1150) {
			t.Errorf("%d picks of number %d, want 1000", n, i)
		}
	}
}

// most is the highest load of n hosts after as many requests as k times n.
func most(name string, n, k int) int64 {
	s := equal(n)
	p := Find(name).Build(s)
	for range n * k {
		s.begin(p.Pick(rand.Uint64()), 1)
	}
	return slices.MaxFunc(s.Hosts, func(a, b Host) int { return int(a.Load.Load() - b.Load.Load()) }).Load.Load()
}

// Balls into bins (Azar and others; Mitzenmacher): in a thousand bins with as
// many balls the fullest has about 6 of those thrown at random, 3 or 4 with two
// choices. With a hundred balls a bin it is about 135 and 103.
func TestChoicesBeatChance(t *testing.T) {
	for _, k := range []int{1, 100} {
		random, p2c, least := most("random", 1000, k), most("p2c", 1000, k), most("least-connections", 1000, k)
		t.Logf("%d a host: random %d, p2c %d, least-connections %d", k, random, p2c, least)
		if p2c >= random || p2c > int64(k)+4 {
			t.Errorf("%d a host: two choices %d, chance %d", k, p2c, random)
		}
		if least > int64(k)+1 {
			t.Errorf("%d a host: least connections %d", k, least)
		}
	}
}

// The same when exchanges also end, each after a time of its own: 3,000 at a
// thousand hosts.
func TestLoadsStayEven(t *testing.T) {
	for name, above := range map[string]int64{"p2c": 6, "least-connections": 4} {
		s := equal(1000)
		p := Find(name).Build(s)
		var under []int
		var high int64
		for range 100000 {
			i := p.Pick(rand.Uint64())
			s.begin(i, 1)
			high = max(high, s.Hosts[i].Load.Load())
			if under = append(under, i); len(under) > 3000 {
				k := rand.N(len(under))
				s.begin(under[k], -1)
				under[k] = under[len(under)-1]
				under = under[:len(under)-1]
			}
		}
		if t.Logf("%s: at most %d, 3 on average", name, high); high > 3+above {
			t.Errorf("%s: %d exchanges at one host, 3 on average", name, high)
		}
	}
}

func TestP2CComparesTwo(t *testing.T) {
	s := equal(3)
	s.begin(0, 2)
	s.begin(1, 1)
	c := count(P2C(s), 3, 30000, 1)
	if c[0] != 0 || math.Abs(float64(c[1])-10000) > 500 {
		t.Errorf("picks %v, want none of the most loaded and a third of the next", c)
	}
}

func TestP2CSparesTheSlow(t *testing.T) {
	s := equal(2)
	f := func(slow time.Duration, load int64, want float64) {
		t.Helper()
		s.Hosts[0].Load.Store(load)
		for i, d := range []time.Duration{10 * time.Millisecond, slow} {
			s.Hosts[i].Wait.packed.Store(0)
			s.Hosts[i].Wait.Observe(d, 0)
		}
		if n := count(P2C(s), 2, 10000, 1); math.Abs(float64(n[1])/10000-want) > 0.05 {
			t.Errorf("one of %v beside one of 10ms with %d: picks %v", slow, load, n)
		}
	}
	f(100*time.Millisecond, 0, 0)
	f(100*time.Millisecond, 8, 0)
	f(100*time.Millisecond, 10, 1)
	f(13*time.Millisecond, 0, 0.5) // so near each other loads decide
	f(13*time.Millisecond, 1, 1)
}

// Light hosts are asked less often: that they seem to be faded is no reason.
func TestP2CIsByWeightWhenAllAreQuiet(t *testing.T) {
	s := hosts(9, 1)
	var now int64
	s.Now = func() int64 { return now }
	for i := range s.Hosts {
		s.Hosts[i].Wait.Observe(time.Millisecond, 0)
	}
	p, n := P2C(s), 0
	for range 10000 {
		now += 10_000
		i := p.Pick(0)
		s.Hosts[i].Wait.Observe(time.Millisecond, now)
		n += i
	}
	if n < 850 || n > 1150 {
		t.Errorf("%d of 10000 picks of one that has a tenth of the weight", n)
	}
}

// One that has faded is as good as the other, and asked by one request: which
// has to answer, or to grow old.
func TestP2CAsksTheSlowOnceAtATime(t *testing.T) {
	s := equal(2)
	var now int64
	s.Now = func() int64 { return now }
	s.Hosts[0].Wait.Observe(10*time.Millisecond, 0)
	s.Hosts[1].Wait.Observe(100*time.Millisecond, 0)
	p := P2C(s)
	for _, want := range []int{0, 1, 1, 1} {
		if n := count(p, 2, 1000, 1); n[1] != want {
			t.Errorf("after %d ms: picks %v, want %d", now, n, want)
		}
		now += 60_000
	}
}
