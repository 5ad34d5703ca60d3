package cache

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"multiserver/cache/redis"
	"multiserver/cache/redis/redistest"
)

func TestOrdersPurgeWhatTheyName(t *testing.T) {
	s := newStage(t, Options{})
	s.answers("HTTP/1.1 200 OK\nCache-Control: max-age=10\nSurrogate-Key: a b\nETag: \"1\"\n\none")
	f := func(o Order, path, found, told string) {
		t.Helper()
		s.get(path)
		p, err := s.c.Order(t.Context(), &o)
		if err != nil {
			t.Fatal(err)
		}
		if got, _ := json.Marshal(p); string(got) != told {
			t.Errorf("%+v: told %s, want %s", o, got, told)
		}
		if _, got := s.get(path); !strings.Contains(got, found) {
			t.Errorf("%+v: %s is %s, want %s", o, path, got, found)
		}
	}
	const gone, stale, hit = "fwd=uri-miss", "fwd=stale", "; hit"
	f(Order{URL: "http://example.org/x"}, "/x", gone, `{"purged":"url","names":["example.org/x"],"soft":false,"nodes":"this"}`)
	f(Order{URL: "https://EXAMPLE.org/x"}, "/x", gone, `{"purged":"url","names":["example.org/x"],"soft":false,"nodes":"this"}`)
	f(Order{URL: "http://example.org/x", Soft: true}, "/x", stale, `{"purged":"url","names":["example.org/x"],"soft":true,"nodes":"this"}`)
	f(Order{URL: "http://example.org/x"}, "/x?q", hit, `{"purged":"url","names":["example.org/x"],"soft":false,"nodes":"this"}`)
	f(Order{URL: "http://example.org/x"}, "/xy", hit, `{"purged":"url","names":["example.org/x"],"soft":false,"nodes":"this"}`)
	f(Order{URL: "http://example.org"}, "/", gone, `{"purged":"url","names":["example.org/"],"soft":false,"nodes":"this"}`)
	f(Order{URL: "http://example.org/x*"}, "/xy", gone, `{"purged":"prefix","names":["example.org/x"],"soft":false,"nodes":"this"}`)
	f(Order{URL: "http://example.org*"}, "/x", gone, `{"purged":"prefix","names":["example.org/"],"soft":false,"nodes":"this"}`)
	f(Order{Prefix: "http://example.org/x"}, "/xy", gone, `{"purged":"prefix","names":["example.org/x"],"soft":false,"nodes":"this"}`)
	f(Order{Prefix: "http://example.org/x?a="}, "/x?b=", gone, `{"purged":"prefix","names":["example.org/x"],"soft":false,"nodes":"this"}`)
	f(Order{Prefix: "http://example.org/xyz"}, "/xy", hit, `{"purged":"prefix","names":["example.org/xyz"],"soft":false,"nodes":"this"}`)
	f(Order{Tags: []string{"c", " B "}}, "/x", gone, `{"purged":"tag","names":["c","B"],"soft":false,"nodes":"this"}`)
	f(Order{Tags: []string{"c"}}, "/x", hit, `{"purged":"tag","names":["c"],"soft":false,"nodes":"this"}`)
	f(Order{All: true, Soft: true}, "/x", stale, `{"purged":"all","soft":true,"nodes":"this"}`)
	f(Order{All: true}, "/x", gone, `{"purged":"all","soft":false,"nodes":"this"}`)
}

func TestAURLIsPurgedWithAllItsVariants(t *testing.T) {
	s := newStage(t, Options{})
	s.answers("HTTP/1.1 200 OK\nCache-Control: max-age=10\nVary: A\n\none")
	s.get("/", "A: 1")
	s.get("/", "A: 2")
	if _, err := s.c.Order(t.Context(), &Order{URL: "http://example.org/"}); err != nil {
		t.Fatal(err)
	}
	for _, a := range []string{"A: 1", "A: 2"} {
		if _, got := s.get("/", a); !strings.Contains(got, "fwd=") {
			t.Errorf("%s: %s", a, got)
		}
	}
}

func TestMistakesInOrdersNameTheFieldAndAWayOut(t *testing.T) {
	s := newStage(t, Options{})
	f := func(o Order, want string) {
		t.Helper()
		if _, err := s.c.Order(t.Context(), &o); err == nil || err.Error() != want {
			t.Errorf("%+v: %v, want %s", o, err, want)
		}
	}
	f(Order{}, `purge: 0 of url, prefix, tags and all are given, want one`)
	f(Order{URL: "http://a/", All: true}, `purge: 2 of url, prefix, tags and all are given, want one`)
	f(Order{URL: "example.org/x"}, `url "example.org/x": missing scheme, want http://example.org/x`)
	f(Order{URL: "/x"}, `url "/x": missing scheme, want http://x`)
	f(Order{URL: "http:///x"}, `url "http:///x": missing host, want one such as http://example.org/`)
	f(Order{URL: "http://me@a/x"}, `url "http://me@a/x": has user information, want the host alone`)
	f(Order{URL: "http://a/x y"}, `url "http://a/x y": ' ' cannot be in a request, want it percent-encoded`)
	f(Order{URL: "http://a/ä"}, `url "http://a/ä": 'ä' cannot be in a request, want it percent-encoded`)
	f(Order{URL: "http://a/#top"}, `url "http://a/#top": '#' cannot be in a request, want it percent-encoded`)
	f(Order{Prefix: "a/x"}, `prefix "a/x": missing scheme, want http://a/x`)
	f(Order{Tags: []string{"a", " "}}, `tags " ": an empty tag, want those that answers bear`)
	f(Order{Tags: []string{strings.Repeat("x", 1025)}}, `tags "xxxxxxxxxxxxxxxx"…: a tag of 1025 bytes, want 1024 at most`)
	f(Order{Tags: make([]string, 257)}, `tags: 257 of them, want 256 at most`)
	if n := s.c.Marks().Marks; n != 0 {
		t.Errorf("%d marks came of that", n)
	}
}

func FuzzSplitURL(f *testing.F) {
	for _, s := range []string{"http://a/", "https://a:1/x?y*", "http://[::1]", "://", "s://a", "http://a*", "HTTP://a?b"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		_, host, path, why := splitURL(s)
		if why == "" && (host == "" || strings.ContainsAny(host, "/?#@ ") || path != "" && path[0] != '/' && path[0] != '?') {
			t.Fatalf("%q: host %q, path %q", s, host, path)
		}
	})
}

// twoNodes share a Redis that can be killed.
func twoNodes(t *testing.T) (a, b *stage, server *redistest.Server) {
	server = redistest.Single(t)
	node := func() *stage {
		s := newStage(t, Options{Redis: &redis.Options{URL: server.URL(), ReadTimeout: time.Second}})
		within(t, "redis up", s.c.far.Up)
		s.answers("HTTP/1.1 200 OK\nCache-Control: max-age=1000\n\none")
		return s
	}
	return node(), node(), server
}

func TestAPurgeReachesTheOtherNodes(t *testing.T) {
	a, b, _ := twoNodes(t)
	b.get("/x")
	p, err := a.c.Order(t.Context(), &Order{URL: "http://example.org/x"})
	if err != nil || p.Nodes != AllNodes {
		t.Fatalf("%+v, %v", p, err)
	}
	within(t, "gone at the other node", func() bool { return b.c.Marks().Marks == 1 })
	if _, got := b.get("/x"); !strings.Contains(got, "fwd=") {
		t.Errorf("at the other node: %s", got)
	}
}

func TestAPurgeWhileRedisIsAwayReachesTheOtherNodesLater(t *testing.T) {
	a, b, server := twoNodes(t)
	b.get("/x")
	server.Kill()
	within(t, "redis away", func() bool { return !a.c.far.Up() && !b.c.far.Up() })
	p, err := a.c.Order(t.Context(), &Order{URL: "http://example.org/x"})
	if err != nil || p.Nodes != Pending || a.c.Owed() != 1 {
		t.Fatalf("%+v, %v, owed %d", p, err, a.c.Owed())
	}
	if n := b.c.Marks().Marks; n != 0 {
		t.Fatalf("the other node has heard of it: %d", n)
	}
	if err := server.Restart(); err != nil {
		t.Fatal(err)
	}
	within(t, "paid", func() bool { return a.c.Owed() == 0 })
	within(t, "known at the other node", func() bool { return b.c.Marks().Marks == 1 })
	if _, got := b.get("/x"); !strings.Contains(got, "fwd=") {
		t.Errorf("at the other node: %s", got)
	}
}

func TestTooManyPurgesOwedBecomeOne(t *testing.T) {
	s := newStage(t, Options{Redis: &redis.Options{URL: "redis://127.0.0.1:1"}})
	for range mostOwed {
		s.c.owe([]byte("Tx"))
	}
	s.c.owe([]byte("Ty"))
	if n, first := s.c.Owed(), string(s.c.owed.first()); n != 1 || first != "A" {
		t.Errorf("%d, the first %q", n, first)
	}
}

func TestAnOrderEndsWhileRedisHangs(t *testing.T) {
	a, _, server := twoNodes(t)
	server.Pause()
	defer server.Resume()
	tags := make([]string, mostTags)
	for i := range tags {
		tags[i] = strings.Repeat("x", i+1)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	p, err := a.c.Order(ctx, &Order{Tags: tags})
	if err != nil || p.Nodes != Pending || ctx.Err() != nil {
		t.Errorf("%v, nodes %q, %v", err, p.Nodes, ctx.Err())
	}
}

func within(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("in vain: %s", what)
		}
	}
}
