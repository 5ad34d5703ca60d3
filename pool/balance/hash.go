package balance

import (
	"cmp"
	"math"
	"slices"
	"sync/atomic"
)

// hash gives every key the same host again.
type hash struct {
	table []uint16 // owners of the slots
	hosts []bounded
	total *atomic.Int64
	free  Picker // for requests without a key
}

// bounded is all of a host that a pick reads.
type bounded struct {
	load *atomic.Int64
	most float64 // of Total, what it may have
}

// slots is how many parts the keys fall into. More make shares more even, by
// the square root, and take longer to hand out, by as much.
const (
	slots    = 1 << slotBits
	slotBits = 17
)

// excess is by how much a host may be above its share of the load.
const excess = 1.25

// unbounded is how many exchanges a host may have whatever its share: with few
// under way the bound would be one or two, and break affinity for nothing.
const unbounded = 16

// Hash gives a key the same host as long as that is there, on all nodes alike.
//
// When a host leaves only its keys move, and spread over the others by weight;
// when one joins, or gains weight, keys move only to it. The share of a host
// is its weight's, give or take a standard deviation of 0.5 % of it with 10
// hosts, 2 % with 100 and 6 % with 1,000.
//
// No host has more than ⌈1.25 × its share of Total+1⌉ exchanges under way, or 16
// if that is more; a
// key whose host has goes to the next of its own row of hosts that has not
// (Mirrokni, Thorup, Zadimoghaddam 2018), and comes back when it can. Picks at
// the same instant may overshoot by one each. Without a Total nobody is bounded.
func Hash(s Set) Picker {
	if s.Total == nil {
		s.Total = new(atomic.Int64)
		s.Total.Store(math.MaxInt64 / 2) // whatever a host has, it is less than its share
	}
	h := &hash{table: rendezvous(s.Hosts), total: s.Total, free: RoundRobin(s)}
	var sum float64
	for i := range s.Hosts {
		sum += float64(s.Hosts[i].weight())
	}
	for i := range s.Hosts {
		h.hosts = append(h.hosts, bounded{s.Hosts[i].Load, excess * float64(s.Hosts[i].weight()) / sum})
	}
	return h
}

// tries is after how many full hosts the row of a key is walked no further.
// With at most 1 in 1.25 of the weight full, 3 of 100 keys of a pool that could
// not be more unevenly loaded get there.
const tries = 16

func (h *hash) Pick(key uint64) int {
	if key == 0 {
		return h.free.Pick(0)
	}
	key = mix(key) // whoever brings keys of their own may count from 1
	total := float64(h.total.Load() + 1)
	first := h.owner(key)
	i := first
	for range tries {
		if h.room(i, total) {
			return i
		}
		key = Next(key)
		i = h.owner(key)
	}
	for range h.hosts { // somebody has room: the bounds sum up to more than Total
		if h.room(i, total) {
			return i
		}
		if i++; i == len(h.hosts) {
			i = 0
		}
	}
	return first
}

func (h *hash) owner(key uint64) int { return int(h.table[key>>(64-slotBits)]) }

// room tells whether one more stays within ⌈most·total⌉: n+1 ≤ ⌈x⌉ is n < x.
func (h *hash) room(i int, total float64) bool {
	n := h.hosts[i].load.Load()
	return n < unbounded || float64(n) < h.hosts[i].most*total
}

// rendezvous says who owns which slot: the host that gets there first. A host
// is at the r-th of its m slots at the time -ln(1-r/m)/weight: seen from a slot
// an exponential variable, the least of which is each host's with the
// probability of its weight. That is weighted rendezvous hashing (Thaler,
// Ravishankar 1998), and since a host's times depend on nobody else, all slots
// stay where they are but those of a host that comes or goes. Each host has
// each rank once, which halves the variance its share would have with a hash of
// host and slot for a rank.
//
// Maglev (Eisenbud and others 2016) walks the same way, but who comes second
// goes on until it finds a free slot. That makes the shares equal, and moves
// 1.4 times as many slots as it must with 100 hosts, 6 times with 1,000.
func rendezvous(hosts []Host) []uint16 {
	table := make([]uint16, slots)
	for i := range table {
		table[i] = nobody
	}
	walkers, sum := walkersOf(hosts)
	claims := make([]claim, slots)
	taken := make([]uint32, 0, slots)
	// Time goes by in laps of slots/4 visits. Within a lap one host walks after
	// the other, and who came later gives way; at its end claims are for good.
	for lap := 1.; slots > len(taken); lap++ {
		fresh := len(taken)
		for i := range walkers {
			w := &walkers[i]
			for end := uint32(slots * step * -math.Expm1(-w.weight*lap/4/sum)); w.rank < end; w.rank += step {
				slot := w.slot()
				if table[slot] != nobody {
					continue
				}
				c := &claims[slot]
				if c.by == 0 {
					taken = append(taken, slot)
				} else if !w.before(c.rank, &walkers[c.by-1]) {
					continue
				}
				*c = claim{w.rank, uint32(i) + 1}
			}
		}
		for _, s := range taken[fresh:] {
			table[s] = walkers[claims[s].by-1].host
		}
	}
	return table
}

// nobody is no host's index.
const nobody = MaxHosts

// walker is a host on its way over all slots, in an order of its own.
type walker struct {
	host    uint16
	rank    uint32 // how many steps it has made, and a fraction of its own, which decides draws
	start   uint32
	a, b, c uint32 // odd
	weight  float64
}

// step is one rank.
const step = 1 << 14

// claim is the rank with which who came, +1.
type claim struct{ rank, by uint32 }

// slot is where w is: a permutation of the ranks, since odd factors and shifted
// exclusive ors can be undone. Steps of one length, as in Maglev, relate two
// hosts' ways so simply that now and then one is off its share by a tenth.
func (w *walker) slot() uint32 {
	const mask = slots - 1
	x := (w.rank/step*w.a + w.start) & mask
	x = (x ^ x>>8) * w.b & mask
	x = (x ^ x>>9) * w.c & mask
	return x ^ x>>8
}

// before tells whether w is where it is now before o was there with rank.
func (w *walker) before(rank uint32, o *walker) bool {
	if w.weight == o.weight {
		return w.rank < rank
	}
	return math.Log1p(-float64(w.rank)/(slots*step))*o.weight > math.Log1p(-float64(rank)/(slots*step))*w.weight
}

// walkersOf are in the order of their IDs, so that all nodes decide draws
// alike.
func walkersOf(hosts []Host) (ws []walker, sum float64) {
	for i := range hosts {
		x := mix(hosts[i].ID)
		y := mix(x + golden)
		z := mix(y + golden)
		ws = append(ws, walker{
			host: uint16(i), weight: float64(hosts[i].weight()),
			rank: uint32(x) % step, start: uint32(x >> 32),
			a: uint32(y) | 1, b: uint32(y>>32) | 1, c: uint32(z) | 1,
		})
		sum += ws[i].weight
	}
	slices.SortFunc(ws, func(v, w walker) int { return cmp.Compare(hosts[v.host].ID, hosts[w.host].ID) })
	return ws, sum
}
