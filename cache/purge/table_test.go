package purge

import (
	"bytes"
	"math/rand/v2"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

func mark(kind Kind, name string) Mark { return Mark{Kind: kind, Name: []byte(name)} }
func soft(kind Kind, name string) Mark { return Mark{Kind: kind, Soft: true, Name: []byte(name)} }

func TestVerdicts(t *testing.T) {
	f := func(m Mark, key, tags string, want Verdict) {
		t.Helper()
		var table Table
		table.Set(m, 10)
		packed := AppendTags(nil, []byte(tags), ',')
		if got := table.Check([]byte(key), packed, 9); got != want {
			t.Errorf("%s of %s [%s]: %d, want %d", m.Append(nil), key, tags, got, want)
		}
		if got := table.Check([]byte(key), packed, 10); got != Valid {
			t.Errorf("%s of %s [%s], fetched since: %d", m.Append(nil), key, tags, got)
		}
	}
	f(mark(All, ""), "http://a/", "", Gone)
	f(soft(All, ""), "http://a/", "", Soft)
	f(mark(Prefix, ""), "http://a/", "", Gone)
	f(mark(Prefix, "http://a/"), "http://a/", "", Gone)
	f(mark(Prefix, "http://a/b"), "http://a/bc", "", Gone)
	f(soft(Prefix, "http://a/b"), "http://a/b?q", "", Soft)
	f(mark(Prefix, "http://a/b"), "http://a/", "", Valid)
	f(mark(Prefix, "http://a/b"), "http://a/c", "", Valid)
	f(mark(Prefix, "http://a/b"), "", "", Valid)
	f(mark(Prefix, "http://a/B"), "http://a/b", "", Valid)
	f(mark(Prefix, "https://a/"), "http://a/b", "", Gone)
	f(mark(Prefix, "a/"), "https://a/b", "", Gone)
	f(mark(URL, "http://a/b"), "http://a/b", "", Gone)
	f(mark(URL, "http://a/b"), "https://a/b", "", Gone)
	f(soft(URL, "a/b"), "http://a/b", "", Soft)
	f(mark(URL, "http://a/b"), "http://a/bc", "", Valid)
	f(mark(URL, "http://a/b"), "http://a/b?q", "", Valid)
	f(mark(URL, "http://a/b"), "http://a/", "", Valid)
	f(mark(URL, "news"), "http://a/", "news", Valid)
	f(mark(Prefix, "news"), "http://a/", "news", Valid)
	f(mark(Tag, "news"), "http://a/", "news", Gone)
	f(mark(Tag, "news"), "http://a/", "sport, news", Gone)
	f(mark(Tag, "News"), "http://a/", "sport,nEWS", Gone)
	f(soft(Tag, "news"), "http://a/", "sport,news", Soft)
	f(mark(Tag, "news"), "http://a/", "sport", Valid)
	f(mark(Tag, "news"), "http://a/", "newss", Valid)
	f(mark(Tag, "news"), "news", "", Valid)
	f(Mark{}, "http://a/", "", Valid)
	f(Mark{Kind: 9, Name: []byte("http")}, "http://a/", "", Valid)
}

func TestTheWorstVerdictCounts(t *testing.T) {
	var table Table
	table.Set(soft(All, ""), 30)
	table.Set(mark(Tag, "a"), 10)
	table.Set(soft(Tag, "b"), 40)
	table.Set(mark(Prefix, "k"), 20)
	f := func(key, tags string, seq uint64, want Verdict) {
		t.Helper()
		if got := table.Check([]byte(key), AppendTags(nil, []byte(tags), ' '), seq); got != want {
			t.Errorf("%s [%s] of %d: %d, want %d", key, tags, seq, got, want)
		}
	}
	f("key", "a b", 9, Gone)
	f("key", "", 19, Gone)
	f("key", "", 20, Soft)
	f("x", "b a", 9, Gone)
	f("x", "b a", 10, Soft)
	f("x", "", 29, Soft)
	f("x", "", 30, Valid)
	f("x", "b", 39, Soft)
	f("x", "b", 40, Valid)
}

func TestLongPrefixesAreLookedAtForTheirBeginning(t *testing.T) {
	var table Table
	same := strings.Repeat("x", longest)
	table.Set(mark(Prefix, same+"a"), 1)
	f := func(key string, want Verdict) {
		t.Helper()
		if got := table.Check([]byte(key), nil, 0); got != want {
			t.Errorf("%d bytes: %d, want %d", len(key), got, want)
		}
	}
	f(same+"a", Gone)
	f(same+"b", Gone)
	f(same, Gone)
	f(same[1:], Valid)
	f("y"+same, Valid)
}

func TestTooManyTagsGoWithAny(t *testing.T) {
	var value []byte
	for i := range MaxTags + 1 {
		value = strconv.AppendInt(append(value, ' '), int64(i), 10)
	}
	tags := AppendTags(nil, value, ' ')
	var table Table
	table.Set(mark(Prefix, "other"), 1)
	if got := table.Check([]byte("key"), tags, 0); got != Valid {
		t.Errorf("a prefix: %d", got)
	}
	table.Set(soft(Tag, "none of them"), 2)
	if got := table.Check([]byte("key"), tags, 0); got != Soft {
		t.Errorf("another tag, soft: %d", got)
	}
	table.Set(mark(Tag, "none of them"), 3)
	if got := table.Check([]byte("key"), tags, 2); got != Gone {
		t.Errorf("another tag: %d", got)
	}
	if got := table.Check([]byte("key"), tags, 3); got != Valid {
		t.Errorf("fetched since: %d", got)
	}
}

func TestNumbersGrow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var table Table
		now := uint64(time.Now().UnixMilli())
		f := func(got, want uint64) {
			t.Helper()
			if got != want {
				t.Errorf("%d, want %d", got, want)
			}
		}
		f(table.Last(), 0)
		f(table.Next(), now)
		f(table.Next(), now+1)
		f(table.Last(), now+1)
		f(table.Meanwhile(), now+2)
		table.Seen(now)
		f(table.Last(), now+2)
		table.Set(mark(Tag, "a"), now+50)
		table.Set(mark(Tag, "b"), now+20)
		f(table.Last(), now+50)
		f(table.Next(), now+51)
		time.Sleep(time.Second)
		f(table.Next(), now+1000)
	})
}

func TestForgottenMarksApplyNoMore(t *testing.T) {
	var table Table
	table.Set(mark(Tag, "a"), 10)
	table.Set(mark(Prefix, "k"), 20)
	table.Set(mark(Tag, "b"), 30)
	table.Forget(20)
	f := func(key, tag string, want Verdict) {
		t.Helper()
		if got := table.Check([]byte(key), AppendTags(nil, []byte(tag), ' '), 1); got != want {
			t.Errorf("%s [%s]: %d, want %d", key, tag, got, want)
		}
	}
	f("x", "a", Valid)
	f("k", "", Gone)
	f("x", "b", Gone)
	table.Forget(100)
	f("k", "b", Valid)
	if s := table.Stats(); s != (Stats{}) || table.Last() != 30 {
		t.Errorf("left: %+v, last %d", s, table.Last())
	}
}

// What a flood of purges costs: entries older than the folded marks, and no
// later ones.
func TestBeyondTheLimitTheOldestAreFolded(t *testing.T) {
	table := Table{most: 8}
	for i := range 8 {
		table.Set(mark(Tag, strconv.Itoa(i)), uint64(i+1))
	}
	if s := table.Stats(); s != (Stats{Marks: 8}) {
		t.Errorf("full: %+v", s)
	}
	table.Set(soft(Tag, "8"), 9)
	if s := table.Stats(); s != (Stats{Marks: 7, Folded: 2}) {
		t.Errorf("folded: %+v", s)
	}
	f := func(tag string, seq uint64, want Verdict) {
		t.Helper()
		if got := table.Check(nil, AppendTags(nil, []byte(tag), ' '), seq); got != want {
			t.Errorf("[%s] of %d: %d, want %d", tag, seq, got, want)
		}
	}
	f("none", 1, Gone)
	f("none", 2, Valid)
	f("1", 1, Gone)
	f("2", 2, Gone)
	f("7", 7, Gone)
	f("8", 8, Soft)
}

// naive is what the table says it is: a list.
type naive []struct {
	m   Mark
	seq uint64
}

func (n naive) check(key string, tags []string, seq uint64) (v Verdict) {
	for _, e := range n {
		if e.seq <= seq {
			continue
		}
		applies := e.m.Kind == All || e.m.Kind == Prefix && strings.HasPrefix(key, string(e.m.Name)) ||
			e.m.Kind == URL && key == string(e.m.Name)
		for _, tag := range tags {
			applies = applies || e.m.Kind == Tag && strings.EqualFold(tag, string(e.m.Name))
		}
		switch {
		case applies && e.m.Soft:
			v = max(v, Soft)
		case applies:
			v = Gone
		}
	}
	return v
}

func TestItIsAsAListWouldBe(t *testing.T) {
	for seed := range uint64(40) {
		r := rand.New(rand.NewPCG(seed, 0))
		word := func() string { return strings.Repeat("/"+string('a'+rune(r.IntN(4))), r.IntN(12)) }
		var list naive
		limited := Table{most: 8 + r.IntN(40)} // purges as much, or more
		var table Table
		for range 400 {
			m := Mark{Kind: []Kind{Tag, Tag, Prefix, Prefix, Prefix, All, URL, URL}[r.IntN(8)], Soft: r.IntN(2) == 0}
			seq := uint64(r.IntN(300))
			switch {
			case m.Kind == All:
				seq /= 8 // else it hides the rest
			case m.Kind == Prefix, m.Kind == URL:
				m.Name = []byte("http://" + word())
			default:
				m.Name = []byte("tag" + word())
			}
			list = append(list, struct {
				m   Mark
				seq uint64
			}{m, seq})
			table.Set(m, seq)
			limited.Set(m, seq)
			key, tags, seq := "http://"+word(), []string{"tag" + word(), "TAG" + word()}, uint64(r.IntN(300))
			packed := AppendTags(nil, []byte(strings.Join(tags, " ")), ' ')
			want := list.check(key, tags, seq)
			if got := table.Check([]byte(key), packed, seq); got != want {
				t.Fatalf("seed %d: %s %v of %d: %d, want %d", seed, key, tags, seq, got, want)
			}
			if got := limited.Check([]byte(key), packed, seq); got < want {
				t.Fatalf("seed %d, limit %d: %s %v of %d: %d, want %d", seed, limited.most, key, tags, seq, got, want)
			}
		}
	}
}

// Once Set has returned, no reader finds what it purged, whatever else is
// written, grown and folded meanwhile.
func TestPurgedStaysPurgedWhileOthersPurge(t *testing.T) {
	table := Table{most: 300}
	var writers, readers sync.WaitGroup
	done := make(chan struct{})
	for w := range 3 {
		writers.Go(func() {
			for i := range 2000 {
				name := strconv.Itoa(w) + "-" + strconv.Itoa(i)
				seen := table.Last()
				m := Mark{Kind: []Kind{Tag, Prefix}[i%2], Name: []byte(name)}
				table.Set(m, table.Next())
				if v := table.Check([]byte(name+"/"), AppendTags(nil, []byte(name), ' '), seen); v != Gone {
					t.Errorf("%s: %d after it was purged", name, v)
				}
			}
		})
	}
	table.Set(mark(Tag, "first"), table.Next())
	first := AppendTags(nil, []byte("first"), ' ')
	readers.Go(func() {
		for {
			select {
			case <-done:
				return
			default:
			}
			if v := table.Check([]byte("k"), first, 1); v != Gone {
				t.Errorf("first: %d", v)
			}
		}
	})
	writers.Wait()
	close(done)
	readers.Wait()
	if s := table.Stats(); s.Marks > 300 || s.Folded == 0 {
		t.Errorf("%+v", s)
	}
}

func TestTagsOfFields(t *testing.T) {
	f := func(value string, sep byte, want ...string) {
		t.Helper()
		var packed []byte
		for _, tag := range want {
			h := HashTag([]byte(tag))
			for i := range 8 {
				packed = append(packed, byte(h>>(8*i)))
			}
		}
		if got := AppendTags(nil, []byte(value), sep); !bytes.Equal(got, packed) {
			t.Errorf("%q: %x, want %q: %x", value, got, want, packed)
		}
	}
	f("", ' ')
	f("  ", ' ')
	f("a", ' ', "a")
	f("a b", ' ', "a", "b")
	f(" a \t b\t", ' ', "a", "b")
	f("a,b c", ' ', "a,b", "c")
	f("a b a B", ' ', "a", "b")
	f("", ',')
	f(",, ,", ',')
	f("a", ',', "a")
	f("a,b", ',', "a", "b")
	f(" a , b c,\ta", ',', "a", "b c")

	lines := AppendTags(AppendTags(nil, []byte("a b"), ' '), []byte("b,c"), ',')
	if want := AppendTags(nil, []byte("a b c"), ' '); !bytes.Equal(lines, want) {
		t.Errorf("two lines: %x, want %x", lines, want)
	}
}

// The hash is stored: a change of it has to be seen as one.
func TestHashesStayWhatTheyAre(t *testing.T) {
	f := func(tag string, want uint64) {
		t.Helper()
		if got := HashTag([]byte(tag)); got != want {
			t.Errorf("%q: %#x, want %#x", tag, got, want)
		}
	}
	f("", 0x557a8e613b973e9d)
	f("a", 0x5b1abaa98b4cc88c)
	f("node:1234", 0x161b9d2472307052)
	f("a tag of more than two words", 0xc0145ee45a58fd0a)
}

func TestHashesDiffer(t *testing.T) {
	seen := map[uint64]string{}
	f := func(tag string) {
		h := HashTag([]byte(tag))
		if other, ok := seen[h]; ok {
			t.Errorf("%q and %q are one", tag, other)
		}
		seen[h] = tag
	}
	for n := range 40 {
		f(strings.Repeat("\x00", n))
		f(strings.Repeat("a", n) + "b")
	}
	for i := range 100000 {
		f("node:" + strconv.Itoa(i))
	}
}
