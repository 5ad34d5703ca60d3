package balance

import (
	"fmt"
	"math"
	"math/bits"
	"math/rand/v2"
	"slices"
	"testing"
)

// named are hosts with IDs as a pool gives them.
func named(weights ...uint32) Set {
	s := hosts(weights...)
	for i := range s.Hosts {
		s.Hosts[i].ID = ID(fmt.Sprintf("10.0.%d.%d:8080", i/256, i%256))
	}
	return s
}

func named1(n int) Set { return named(slices.Repeat([]uint32{1}, n)...) }

// without is s without host i.
func without(s Set, i int) Set {
	s.Hosts = slices.Delete(slices.Clone(s.Hosts), i, i+1)
	return s
}

const sample = 200000

// moved counts keys that met a host of a that is not the one they meet in b,
// and those of them that did not have to: their host is still there, and the
// one they meet was before, too.
func moved(a, b Set) (all, needless int) {
	p, q := Hash(a), Hash(b)
	in := func(s Set, id uint64) bool {
		return slices.ContainsFunc(s.Hosts, func(h Host) bool { return h.ID == id })
	}
	for k := uint64(1); k <= sample; k++ {
		was, is := a.Hosts[p.Pick(k)].ID, b.Hosts[q.Pick(k)].ID
		if was != is {
			all++
			if in(b, was) && in(a, is) {
				needless++
			}
		}
	}
	return all, needless
}

func TestHashMovesOnlyWhatItMust(t *testing.T) {
	for _, n := range []int{3, 10, 100, 1000} {
		s := named1(n)
		less := without(s, rand.N(n))
		// What moves is the share of the host: 1/n within four deviations.
		off := 4 * (math.Sqrt(float64(n)/slots) + math.Sqrt(float64(n)/sample))
		for what, move := range map[string][2]Set{"leaves": {s, less}, "joins": {less, s}} {
			all, needless := moved(move[0], move[1])
			t.Logf("one of %d %s: %.3f × 1/n of the keys move, %d needlessly", n, what, float64(all*n)/sample, needless)
			if part := float64(all*n) / sample; needless > 0 || part < 1-off || part > 1+off {
				t.Errorf("one of %d %s: %d of %d keys move, %d needlessly", n, what, all, sample, needless)
			}
		}
	}
}

func TestHashMovesOnlyWhatItMustWithWeights(t *testing.T) {
	s := named(1, 5, 10, 2, 7, 7, 1)
	if _, needless := moved(s, without(s, 2)); needless > 0 {
		t.Errorf("the heaviest leaves: %d keys move needlessly", needless)
	}
	heavier := without(s, 0)
	heavier.Hosts = append(heavier.Hosts, s.Hosts[0])
	last := &heavier.Hosts[len(heavier.Hosts)-1]
	last.Weight = 3
	p, q := Hash(s), Hash(heavier)
	for k := uint64(1); k <= sample; k++ {
		if was, is := s.Hosts[p.Pick(k)].ID, heavier.Hosts[q.Pick(k)].ID; was != is && is != last.ID {
			t.Fatalf("a host gained weight and a key moved to another")
		}
	}
}

func TestHashDoesNotCareForOrder(t *testing.T) {
	s := named(1, 2, 3, 4, 5, 6, 7, 8, 9)
	turned := s
	turned.Hosts = slices.Clone(s.Hosts)
	slices.Reverse(turned.Hosts)
	if all, _ := moved(s, turned); all > 0 {
		t.Errorf("%d keys move", all)
	}
}

func TestHashSharesAreEven(t *testing.T) {
	for n, want := range map[int]float64{3: 0.01, 10: 0.01, 100: 0.03, 1000: 0.08} {
		c := make([]int, n)
		for _, i := range rendezvous(named1(n).Hosts) {
			c[i]++
		}
		var square float64
		for _, k := range c {
			off := float64(k*n)/slots - 1
			square += off * off / float64(n)
		}
		t.Logf("%d hosts: shares off by %.2f %%, from %.3f to %.3f", n, 100*math.Sqrt(square),
			float64(slices.Min(c)*n)/slots, float64(slices.Max(c)*n)/slots)
		if math.Sqrt(square) > want {
			t.Errorf("%d hosts: a standard deviation of %.4f", n, math.Sqrt(square))
		}
	}
}

func TestWalkersVisitEverySlotOnce(t *testing.T) {
	ws, _ := walkersOf(named1(3).Hosts)
	for _, w := range ws {
		var seen [slots]bool
		for range slots {
			seen[w.slot()] = true
			w.rank += step
		}
		if slices.Contains(seen[:], false) {
			t.Error("a slot is never visited")
		}
	}
}

// However hot a key is, nobody gets more than the bound.
func TestHashBoundHolds(t *testing.T) {
	for _, weights := range [][]uint32{{1, 1, 1}, {5, 1, 1, 3}, slices.Repeat([]uint32{1}, 100)} {
		s := named(weights...)
		var sum float64
		for _, w := range weights {
			sum += float64(w)
		}
		p := Hash(s)
		var under []int
		for range 50000 {
			key := uint64(42)
			if rand.N(2) == 0 {
				key = rand.Uint64()
			}
			i := p.Pick(key)
			h := s.Hosts[i]
			bound := max(unbounded, math.Ceil(1.25*float64(h.Weight)/sum*float64(s.Total.Load()+1)))
			if s.begin(i, 1); float64(h.Load.Load()) > bound {
				t.Fatalf("%v: %d exchanges at host %d, bound %v", weights, h.Load.Load(), i, bound)
			}
			if under = append(under, i); len(under) > 200 {
				k := rand.N(len(under))
				s.begin(under[k], -1)
				under[k] = under[len(under)-1]
				under = under[:len(under)-1]
			}
		}
	}
}

// The keys of a full host go each its own way, the same every time, and come
// back.
func TestHashSpreadsTheKeysOfAFullHost(t *testing.T) {
	s := named1(10)
	p := Hash(s)
	full := p.Pick(1)
	const n = 50000
	before, after := make([]int, n), make([]int, 10)
	for k := range before {
		before[k] = p.Pick(uint64(k + 1))
	}
	s.begin(full, 1000)
	for k, was := range before {
		i := p.Pick(uint64(k + 1))
		if i == full || was != full && i != was || i != p.Pick(uint64(k+1)) {
			t.Fatalf("key %d went to %d and goes to %d", k, was, i)
		}
		if was == full {
			after[i]++
		}
	}
	after = slices.Delete(after, full, full+1)
	if slices.Max(after) > slices.Min(after)*3/2 {
		t.Errorf("the keys are not spread: %v", after)
	}
	s.begin(full, -1000)
	if p.Pick(1) != full {
		t.Error("a key does not come back")
	}
}

func TestHashWithoutTotalHasNoBound(t *testing.T) {
	s := named1(10)
	host := Hash(s).Pick(1)
	s.begin(host, 1000)
	s.Total = nil
	if i := Hash(s).Pick(1); i != host {
		t.Errorf("%d instead of %d", i, host)
	}
}

func TestHashWithoutKeyTakesTurns(t *testing.T) {
	p := Hash(named1(3))
	for i := range 9 {
		if got := p.Pick(0); got != i%3 {
			t.Errorf("%d in turn %d", got, i)
		}
	}
}

func TestSticky(t *testing.T) {
	for _, n := range []int{1, 3, 1000} {
		s := named1(n)
		p := Sticky(s)
		for i, h := range s.Hosts {
			if got := p.Pick(h.ID); got != i {
				t.Errorf("%d instead of %d of %d", got, i, n)
			}
		}
		for i := range 2 * n {
			key := uint64(0)
			if i%2 > 0 {
				key = ID("gone")
			}
			if got := p.Pick(key); got != i%n {
				t.Errorf("no host of that ID: %d in turn %d of %d", got, i, n)
			}
		}
	}
}

// Written down because it may never change: it would move every key of every
// cluster in the middle of an update.
func TestHashKeyStaysAsItIs(t *testing.T) {
	f := func(s string, want uint64) {
		t.Helper()
		if got := HashKey([]byte(s)); got != want {
			t.Errorf("%q: %#x", s, got)
		}
	}
	f("", 0)
	f("a", 0xee27a426092bf39a)
	f("abc", 0x3bedd5baecdf52d5)
	f("abcd", 0xa82acedf9850657c)
	f("10.0.0.1:8080", 0x3094bb2591289393)
	f("/sixteen/bytes/x", 0x288eaa006e037a87)
	f("/a/path/of/a/little/more/than/two/blocks", 0xa01463e076061d0f)
	if ID("10.0.0.1:8080") != HashKey([]byte("10.0.0.1:8080")) {
		t.Error("ID")
	}
	if Next(0) != 0 || Next(1) != 0x910a2dec89025cc1 {
		t.Errorf("Next(0) %#x, Next(1) %#x", Next(0), Next(1))
	}
	var first [4]int
	p := Hash(named1(10))
	for k := range first {
		first[k] = p.Pick(uint64(k + 1))
	}
	if first != [4]int{5, 9, 2, 5} {
		t.Errorf("keys 1 to 4 at %v", first)
	}
}

// Every bit of the input changes every bit of the hash half of the time.
func TestHashKeyMixes(t *testing.T) {
	for _, n := range []int{4, 7, 8, 9, 15, 16, 17, 31, 32, 33, 48, 100} {
		const rounds = 400
		flips := make([][64]int, n*8)
		b := make([]byte, n)
		for range rounds {
			for i := range b {
				b[i] = byte(rand.Uint32())
			}
			h := HashKey(b)
			for bit := range flips {
				b[bit/8] ^= 1 << (bit % 8)
				for d := h ^ HashKey(b); d != 0; d &= d - 1 {
					flips[bit][bits.TrailingZeros64(d)]++
				}
				b[bit/8] ^= 1 << (bit % 8)
			}
		}
		for bit, of := range flips {
			for out, k := range of {
				if math.Abs(float64(k)/rounds-0.5) > 0.16 { // six deviations
					t.Fatalf("%d bytes: bit %d changes bit %d in %d of %d", n, bit, out, k, rounds)
				}
			}
		}
	}
}

// Keys that look alike share no hash, and spread over the first bits, which
// are what slots go by.
func TestHashKeyOfLikeKeys(t *testing.T) {
	seen := map[uint64]bool{}
	var spread [256]int
	const n = 100000
	for i := range n {
		h := HashKey(fmt.Appendf(nil, "/user/%d/profile?session=%08d", i, i*7))
		if seen[h] {
			t.Fatal("two keys, one hash")
		}
		seen[h] = true
		spread[h>>56]++
	}
	for i, k := range spread {
		if math.Abs(float64(k)-n/256.) > 6*math.Sqrt(n/256.) {
			t.Errorf("%d of %d in part %d", k, n, i)
		}
	}
}
