package cache

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"multiserver/cache/key"
)

// by is the stage with another view of its cache.
func (s *stage) by(change func(*Terms)) *stage {
	t := s.c.Terms()
	change(&t)
	other := *s
	other.c = s.c.With(t)
	return &other
}

// counting is an origin that never says the same twice.
func counting(n *int) func(string) string {
	return func(string) string {
		*n++
		return fmt.Sprintf("HTTP/1.1 200 OK\nCache-Control: max-age=60\nContent-Length: 1\n\n%d", *n)
	}
}

func apart(word string) func(*Terms) { return func(t *Terms) { t.Apart = " " + word } }

func newViews(t *testing.T, changes ...func(*Terms)) []*stage {
	n := 0
	s := newStage(t, Options{})
	s.origin = counting(&n)
	all, views := []*stage{s}, []*Cache(nil)
	for _, change := range changes {
		v := s.by(change)
		all, views = append(all, v), append(views, v.c)
	}
	s.c.Know(views)
	return all
}

func TestViewsFindWhatOthersStore(t *testing.T) {
	v := newViews(t, func(t *Terms) { t.Grace = time.Hour })
	v[0].want("/", "1", "fwd=uri-miss; stored")
	if body, _ := v[1].get("/"); body != "1" {
		t.Errorf("%q", body)
	}
}

func TestViewsThatKeepApartFindOnlyTheirOwn(t *testing.T) {
	v := newViews(t, apart("a"), apart("b"), apart("a"))
	f := func(view int, want string) {
		t.Helper()
		for range 2 {
			if body, _ := v[view].get("/x?y"); body != want {
				t.Errorf("view %d: %q, want %q", view, body, want)
			}
		}
	}
	f(0, "1")
	f(1, "2")
	f(2, "3")
	f(3, "2") // by the same word
	f(0, "1")
}

func TestPurgesAndChangesSpeakOfAllViews(t *testing.T) {
	drop := func(t *Terms) { t.Keys = key.Rules{DropQuery: []string{"utm_*"}} }
	sorted := func(t *Terms) { t.Keys, t.Apart = key.Rules{SortQuery: true}, " c" }
	f := func(name string, change func(v []*stage)) {
		t.Helper()
		v := newViews(t, apart("a"), drop, sorted)
		const url = "/x?b=1&a=2&utm_source=z"
		var first, second []string
		for _, s := range v {
			body, _ := s.get(url)
			first = append(first, body)
		}
		change(v)
		for _, s := range v {
			body, _ := s.get(url)
			second = append(second, body)
		}
		for i, body := range second {
			if slices.Contains(first, body) {
				t.Errorf("%s: view %d has %s still", name, i, body)
			}
		}
	}
	const full = "http://example.org/x?b=1&a=2&utm_source=z"
	f("url", func(v []*stage) { v[0].order(Order{URL: full}) })
	f("url, by a view", func(v []*stage) { v[3].order(Order{URL: full}) })
	f("prefix", func(v []*stage) { v[0].order(Order{Prefix: "http://example.org/"}) })
	f("all", func(v []*stage) { v[0].order(Order{All: true}) })
	f("PURGE", func(v []*stage) {
		v[0].c.PurgeTarget(t.Context(), []byte("example.org"), []byte("/x?b=1&a=2&utm_source=z"), false)
	})
	for i := range 4 {
		f(fmt.Sprint("POST to view ", i), func(v []*stage) { v[i].do("POST", "/x?b=1&a=2&utm_source=z") })
	}
	f("POST where nothing is kept", func(v []*stage) {
		v[0].by(func(t *Terms) { t.Off = true }).do("POST", "/x?b=1&a=2&utm_source=z")
	})
}

func (s *stage) order(o Order) {
	s.Helper()
	if _, err := s.c.Order(s.Context(), &o); err != nil {
		s.Error(err)
	}
}

func TestAPurgeNamesEachSpellingOnce(t *testing.T) {
	v := newViews(t, apart("a"), apart("b"), func(t *Terms) { t.Keys.SortQuery = true })
	f := func(url string, want ...string) {
		t.Helper()
		done, err := v[0].c.Order(t.Context(), &Order{URL: url})
		if err != nil || !slices.Equal(done.Names, want) {
			t.Errorf("%s: %q, %v, want %q", url, done.Names, err, want)
		}
	}
	f("http://example.org/x", "example.org/x")
	f("http://example.org/x?b=1&a=2", "example.org/x?b=1&a=2", "example.org/x?a=2&b=1")
}

func TestViewsHaveTermsOfTheirOwn(t *testing.T) {
	v := newViews(t,
		func(t *Terms) { t.Off = true },
		func(t *Terms) { t.Apart, t.Object = " small", 0 },
		func(t *Terms) { t.Apart, t.Rules.Default = " long", time.Minute })
	v[0].want("/", "1", "fwd=uri-miss; stored")
	for _, want := range []string{"2", "3"} {
		if body, _ := v[1].get("/"); body != want {
			t.Errorf("%q, want %q", body, want)
		}
	}
	v[2].want("/", "4", "fwd=uri-miss")
	v[0].answers("HTTP/1.1 200 OK\nContent-Length: 1\n\nx")
	v[3].origin = v[0].origin
	v[0].want("/y", "x", "fwd=uri-miss")
	v[3].want("/y", "x", "fwd=uri-miss; stored")
}

// A part and its rest, names that answers vary by, and HEAD: all of them lie
// where the view keeps its own.
func TestVariantsAndPartsKeepApart(t *testing.T) {
	v := newViews(t, apart("a"))
	n := 0
	varies := func(string) string {
		n++
		return fmt.Sprintf("HTTP/1.1 200 OK\nCache-Control: max-age=60\nVary: X\nContent-Length: 1\n\n%d", n)
	}
	v[0].origin, v[1].origin = varies, varies
	for i, want := range []string{"1", "2", "1", "2"} {
		if body, _ := v[i%2].get("/v", "X: 1"); body != want {
			t.Errorf("%d: %q, want %q", i, body, want)
		}
	}
	part := func(string) string {
		n++
		return fmt.Sprintf("HTTP/1.1 206 Partial Content\nETag: \"e\"\nCache-Control: max-age=60\nContent-Range: bytes 0-0/9\nContent-Length: 1\n\n%d", n)
	}
	v[0].origin, v[1].origin = part, part
	for i, want := range []string{"3", "4", "3", "4"} {
		if body, _ := v[i%2].get("/p", "Range: bytes=0-0"); body != want {
			t.Errorf("part %d: %q, want %q", i, body, want)
		}
	}
}
