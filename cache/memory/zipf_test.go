//go:build !race

package memory

import (
	"container/list"
	"encoding/binary"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"testing"

	"github.com/VictoriaMetrics/fastcache"
)

// TestZipf records what share of requests is found when the ring has room for a
// tenth of the keys, in the second half of 1,000,000 requests or of as many as
// MEMORY_TEST_ZIPF says. doc.go quotes 4,000,000.
func TestZipf(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	const room = 96 << 20
	m := sized(t, 122<<20)
	if m.plan.data != room {
		t.Fatalf("%d bytes of rings", m.plan.data)
	}
	plain := fastcache.New(room)
	t.Cleanup(plain.Reset)
	requests := 1_000_000
	if n, err := strconv.Atoi(os.Getenv("MEMORY_TEST_ZIPF")); err == nil {
		requests = n
	}
	value := make([]byte, 1000)
	each := entryHead + 8 + len(value) + stampSize

	for _, s := range []float64{0.9, 1} {
		asked := zipf(1_000_000, s, requests)
		m.Reset()
		plain.Reset()
		exact := lru{at: map[uint32]*list.Element{}, room: room / each}
		f := func(name string, found func(key []byte, n uint32) bool) float64 {
			hits, key := 0, make([]byte, 8)
			for i, n := range asked {
				binary.LittleEndian.PutUint32(key, n)
				if found(key, n) && i >= len(asked)/2 {
					hits++
				}
			}
			share := 100 * float64(hits) / float64(len(asked)-len(asked)/2)
			t.Logf("s=%.1f  %-20s %.1f %%", s, name, share)
			return share
		}
		buf := make([]byte, 0, Room)
		tier := func(admit func(key []byte) bool) func([]byte, uint32) bool {
			return func(key []byte, _ uint32) bool {
				_, _, ok := m.Find(buf, key)
				if !ok && admit(key) {
					m.Put(key, value, 0)
				}
				return ok
			}
		}
		f("fastcache alone", func(key []byte, _ uint32) bool {
			_, ok := plain.HasGet(buf, key)
			if !ok {
				plain.Set(key, append(buf, value...)[:len(value)+stampSize])
			}
			return ok
		})
		renewed := f("renewal", tier(func([]byte) bool { return true }))
		perfect := f("exact LRU", func(_ []byte, n uint32) bool { return exact.found(n) })
		m.Reset()
		admitted := f("renewal and Admit", tier(m.Admit))
		if renewed < perfect-2.5 || admitted < perfect {
			t.Errorf("s=%.1f: renewal %.1f %%, with Admit %.1f %%, an exact LRU %.1f %%", s, renewed, admitted, perfect)
		}
	}
}

// zipf draws n of keys by Zipf's law with exponent s, the same each time.
func zipf(keys int, s float64, n int) []uint32 {
	sum, upTo := 0., make([]float64, keys)
	for i := range upTo {
		sum += math.Pow(float64(i+1), -s)
		upTo[i] = sum
	}
	r, drawn := rand.New(rand.NewPCG(1, 2)), make([]uint32, n)
	for i := range drawn {
		at, _ := slices.BinarySearch(upTo, r.Float64()*sum)
		drawn[i] = uint32(at)
	}
	return drawn
}

// lru is an exact one of room entries.
type lru struct {
	at   map[uint32]*list.Element
	ages list.List
	room int
}

func (l *lru) found(key uint32) bool {
	if e := l.at[key]; e != nil {
		l.ages.MoveToFront(e)
		return true
	}
	l.at[key] = l.ages.PushFront(key)
	if l.ages.Len() > l.room {
		delete(l.at, l.ages.Remove(l.ages.Back()).(uint32))
	}
	return false
}
