package redis

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"

	"multiserver/cache/redis/redistest"
)

// marked collects what Marked says.
type marked struct {
	mu   sync.Mutex
	said []string
	last uint64
}

func (m *marked) listen(o *Options) {
	o.Marked = func(name []byte, seq uint64) {
		m.mu.Lock()
		defer m.mu.Unlock()
		if name == nil {
			name = []byte("ALL")
		}
		m.said = append(m.said, string(name))
		m.last = max(m.last, seq)
	}
}

func (m *marked) all() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return strings.Join(m.said, " ")
}

func (m *marked) highest() uint64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.last
}

func makeMarks(t *testing.T, r *Redis, names ...string) (last uint64) {
	t.Helper()
	for _, name := range names {
		seq, err := r.Mark(context.Background(), []byte(name))
		if err != nil {
			t.Fatal(err)
		}
		if seq <= last {
			t.Fatalf("mark %q has number %d after %d", name, seq, last)
		}
		last = seq
	}
	return last
}

func TestMarksReachAllNodesInOrder(t *testing.T) {
	t.Parallel()
	ways(t, func(t *testing.T, s *redistest.Server, url string, set func(*Options)) {
		var atA, atB, late marked
		a, _ := upTier(t, url, set, atA.listen), upTier(t, url, set, atB.listen)
		last := makeMarks(t, a, "one", "two", "three")
		for _, m := range []*marked{&atA, &atB} {
			within(t, "marks", func() bool { return m.all() == "one two three" })
		}
		makeMarks(t, a, "one") // again: it moves up
		upTier(t, url, set, late.listen)
		if got, want := late.all(), "two three one"; got != want {
			t.Errorf("who starts later is told %q, want %q", got, want)
		}
		if atB.highest() < last {
			t.Errorf("number %d, want %d or more", atB.highest(), last)
		}
		makeMarks(t, a, "") // all
		within(t, "a mark for all", func() bool { return strings.HasSuffix(atB.all(), " ALL") })
	})
}

func TestMarksMissedAreToldOnReturn(t *testing.T) {
	t.Parallel()
	s := redistest.Single(t)
	var at marked
	a := upTier(t, s.URL())
	b := upTier(t, s.URL(), at.listen, func(o *Options) { o.MarksKept = 3 })
	makeMarks(t, a, "before")
	within(t, "mark", func() bool { return at.all() == "before" })
	// The link of b breaks just before each mark.
	for _, name := range []string{"x", "y", "z"} {
		if _, err := s.Do("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"); err != nil {
			t.Fatal(err)
		}
		within(t, "a mark in spite of the loss", func() bool { _, err := a.Mark(context.Background(), []byte(name)); return err == nil })
	}
	within(t, "missed marks", func() bool {
		all := at.all()
		return strings.Contains(all, "x") && strings.Contains(all, "y") && strings.Contains(all, "z")
	})
	within(t, "link up", b.Up)
}

func TestTooManyMarksAreOneForAll(t *testing.T) {
	t.Parallel()
	s := redistest.Single(t)
	keep := func(o *Options) { o.MarksKept = 3 }
	var late marked
	a := upTier(t, s.URL(), keep)
	for i := range 10 {
		makeMarks(t, a, fmt.Sprint(i))
	}
	upTier(t, s.URL(), keep, late.listen)
	if got, want := late.all(), "ALL 7 8 9"; got != want {
		t.Errorf("after 10 marks of which 3 are kept: told %q, want %q", got, want)
	}
}

func TestMarksAreNumberedAboveThoseThatRedisForgot(t *testing.T) {
	t.Parallel()
	s := redistest.Single(t)
	a := upTier(t, s.URL())
	r := a.names
	future := "9000000000000" // as by a clock that was ahead
	if _, err := s.Do("ZADD", r.marks, future, "ahead"); err != nil {
		t.Fatal(err)
	}
	within(t, "the mark is heard of", func() bool { return a.last.Load() == 9000000000000 })
	if _, err := s.Do("FLUSHALL"); err != nil {
		t.Fatal(err)
	}
	if seq := makeMarks(t, a, "next"); seq != 9000000000001 {
		t.Errorf("number %d, want one more than %s", seq, future)
	}
}
