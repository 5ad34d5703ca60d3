package memory

import (
	"bytes"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/VictoriaMetrics/fastcache"
	"github.com/cespare/xxhash/v2"
)

func TestFindGivesWhatWasPut(t *testing.T) {
	m := least(t)
	f := func(key, rec string, epoch uint64) {
		t.Helper()
		if !m.Put([]byte(key), []byte(rec), epoch) {
			t.Fatalf("%.20q was not put", key)
		}
		got, e, ok := m.Find([]byte("before "), []byte(key))
		if string(got) != "before "+rec || e != epoch || !ok {
			t.Errorf("under %.20q is %.40q of epoch %d, %v", key, got, e, ok)
		}
	}
	f("a", "record", 7)
	f("a", "another", 8)
	f("b", "", 0)
	f("", "no key", 1<<64-1)
	f("long", strings.Repeat("x", MaxRecord(4)), 1)
	f(strings.Repeat("k", MaxKey), strings.Repeat("x", MaxRecord(MaxKey)), 1)

	if got, _, ok := m.Find([]byte("before "), []byte("c")); ok || string(got) != "before " {
		t.Errorf("under c is %q", got)
	}
}

func TestTooLongIsNotPutAndDropsWhatWasThere(t *testing.T) {
	m := least(t)
	f := func(key, rec int) {
		t.Helper()
		k := bytes.Repeat([]byte("k"), key)
		m.Put(k, []byte("old"), 0)
		if m.Put(k, make([]byte, rec), 0) {
			t.Errorf("a key of %d bytes with %d was put", key, rec)
		}
		if _, _, ok := m.Find(nil, k); ok {
			t.Errorf("the old record under a key of %d bytes is still there", key)
		}
	}
	f(10, MaxRecord(10)+1)
	f(10, 1<<20)
	f(MaxKey, MaxRecord(MaxKey)+1)
	f(MaxKey+1, 0)
	f(100_000, 0)
}

func TestDroppedAndResetIsGone(t *testing.T) {
	m := least(t)
	m.Put([]byte("a"), []byte("1"), 0)
	m.Put([]byte("b"), []byte("2"), 0)
	m.Drop([]byte("a"))
	m.Drop([]byte("never"))
	if has(m, "a") || !has(m, "b") {
		t.Error("Drop took the wrong one")
	}
	m.Reset()
	if has(m, "b") {
		t.Error("a record outlived Reset")
	}
	m.Put([]byte("b"), []byte("3"), 0)
	if !has(m, "b") {
		t.Error("nothing can be put after Reset")
	}
	if st := m.Stats(); st.Hits != 2 || st.Misses != 2 || st.Entries != 1 {
		t.Errorf("%+v after two hits and two misses", st)
	}
}

func TestTooSmallIsRefused(t *testing.T) {
	for _, size := range []int64{-1, 0, 1 << 20, Least - 1} {
		_, err := New(Options{Size: size})
		if err == nil || !strings.Contains(err.Error(), fmt.Sprint(size)) || !strings.Contains(err.Error(), fmt.Sprint(int64(Least))) {
			t.Errorf("%d bytes: %v", size, err)
		}
	}
}

func TestCorruptIsAMissAndCounted(t *testing.T) {
	m := least(t)
	key := []byte("key")
	m.Put(key, bytes.Repeat([]byte("r"), 1000), 1)
	v := m.ring.Get(nil, key)
	flips := uint64(0)
	for i := range v {
		if i >= len(v)-tailSize+2 && i < len(v)-8 { // only where it is: costs a renewal at most
			continue
		}
		bad := bytes.Clone(v)
		bad[i] ^= 0x10
		m.ring.Set(key, bad)
		flips++
		if got, _, ok := m.Find(nil, key); ok || len(got) != 0 {
			t.Fatalf("a record with a flipped bit in byte %d of %d is handed out", i, len(v))
		}
	}
	m.ring.Set(key, v[:10])
	m.Find(nil, key)
	if st := m.Stats(); st.Corrupt != flips+1 || st.Misses != flips+1 {
		t.Errorf("%+v after %d", st, flips+1)
	}
}

func TestBytesUnderAnotherKeyAreCorrupt(t *testing.T) {
	m := least(t)
	m.Put([]byte("mine"), []byte("secret"), 0)
	m.ring.Set([]byte("yours"), m.ring.Get(nil, []byte("mine")))
	if has(m, "yours") {
		t.Error("a record is found under a key it was not put under")
	}
}

// The ring's own behaviour, which place copies: an entry is there until what is
// written reaches its place again, and not longer.
func TestRingsForgetWhereWeThink(t *testing.T) {
	m := least(t)
	ring := fastcache.New(int(m.plan.data))
	var s shard
	keys := inRing(7, 2000)
	at := make([]uint64, len(keys))
	for i, key := range keys {
		v := make([]byte, 16+i*7919%9000)
		at[i] = s.place(entryHead + len(key) + len(v))
		ring.Set(key, v)
		for j, key := range keys[max(0, i-100) : i+1] {
			j += max(0, i-100)
			if want := s.pos.Load()-at[j] <= m.plan.ring; ring.Has(key) != want {
				t.Fatalf("entry at %d, %d written of a ring of %d: there should be %v", at[j], s.pos.Load(), m.plan.ring, want)
			}
		}
	}
}

func TestWhatIsHitStays(t *testing.T) {
	m := least(t)
	keys := inRing(3, 1500)
	hot, rest := keys[0], keys[1:]
	m.Put(hot, make([]byte, 500), 9)
	for _, key := range rest {
		m.Put(key, make([]byte, 500), 0)
		if _, epoch, ok := m.Find(nil, hot); !ok || epoch != 9 {
			t.Fatal("a record that is hit all the time was lost")
		}
	}
	laps := m.shards[3].pos.Load() / m.plan.old
	if n := m.Stats().Renewals; n < laps-1 || n > laps+1 {
		t.Errorf("%d renewals in %d periods", n, laps)
	}
	if has(m, string(rest[0])) {
		t.Error("a record that nobody asked for outlived its lap")
	}
}

func TestARenewalBringsNothingBack(t *testing.T) {
	m := least(t)
	key := []byte("key")
	s := m.shard(key)
	m.Put(key, []byte("old"), 1)
	st, _ := open(m.ring.Get(nil, key), xxhash.Sum64(key), record)

	m.Drop(key)
	m.renew(s, key, st)
	if has(m, "key") {
		t.Error("dropped, and back")
	}
	m.Put(key, []byte("new"), 2)
	m.renew(s, key, st)
	if rec, epoch, _ := m.Find(nil, key); string(rec) != "new" || epoch != 2 {
		t.Errorf("replaced, and now it is %q of epoch %d", rec, epoch)
	}
	if n := s.renewed.Load(); n != 0 {
		t.Errorf("%d renewals of what was gone", n)
	}
}

func TestManyAtOnce(t *testing.T) {
	m := least(t)
	keys, file := inRing(11, 400), filepath.Join(t.TempDir(), "cache")
	var all sync.WaitGroup
	for g := range 4 {
		all.Go(func() {
			buf := make([]byte, 0, Room)
			for i := range 4000 {
				key := keys[(i*31+g*7)%len(keys)]
				switch i % 16 {
				case 0:
					m.Put(key, bytes.Repeat(key, 1+i%100), uint64(g))
				case 1:
					m.Drop(key)
				case 2:
					m.Admit(key)
				default:
					if rec, _, ok := m.Find(buf, key); ok && !bytes.HasPrefix(rec, key) {
						t.Errorf("under %q is %q", key, rec)
					}
				}
				if g == 0 && i%1000 == 999 {
					m.Reset()
					m.Stats()
					if err := m.Save(file); err != nil {
						t.Error(err)
					}
				}
			}
		})
	}
	all.Wait()
}

func least(t testing.TB) *Memory {
	t.Helper()
	return sized(t, Least)
}

// sized gives its memory back: rings come from a list that all share.
func sized(t testing.TB, size int64) *Memory {
	t.Helper()
	m, err := New(Options{Size: size})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(m.Reset)
	return m
}

func has(m *Memory, key string) bool {
	_, _, ok := m.Find(nil, []byte(key))
	return ok
}

// inRing makes n keys that fall into ring r.
func inRing(r uint64, n int) (keys [][]byte) {
	for i := 0; len(keys) < n; i++ {
		key := strconv.AppendInt([]byte("key-"), int64(i), 10)
		if xxhash.Sum64(key)%rings == r {
			keys = append(keys, key)
		}
	}
	return keys
}
