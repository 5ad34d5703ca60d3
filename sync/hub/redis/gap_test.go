package redis_test

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"time"

	"multiserver/cache/redis/redistest"
	"multiserver/sync/hub"
	"multiserver/sync/hub/hubtest"
)

// ear is a member that writes down what it is given.
type ear struct {
	mu  sync.Mutex
	got []string // guarded by mu
}

func (e *ear) Post(m *hub.Message) hub.Verdict {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.got = append(e.got, string(m.Data))
	return hub.Written
}

func (e *ear) Close(uint16, string) {}

func (e *ear) words() []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return append([]string(nil), e.got...)
}

func newHub(t testing.TB, url string, keep hub.History) *hub.Hub {
	h, err := hub.New(hub.Options{
		Broker:  broker(t, url),
		History: func(string) hub.History { return keep },
		Log:     slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = h.Close() })
	return h
}

func listen(t *testing.T, h *hub.Hub, channel string) *ear {
	e := new(ear)
	c, why := h.Enter(e, hub.Who{ID: hub.NewID()})
	if why != hub.OK {
		t.Fatal(why)
	}
	t.Cleanup(c.Leave)
	if why := c.Subscribe(channel); why != hub.OK {
		t.Fatal(why)
	}
	return e
}

// Subscriptions are cut again and again while somebody publishes: what is kept
// is shown in order all the same, each message once.
func TestNothingKeptIsLostOrShownTwiceWhileLinksBreak(t *testing.T) {
	t.Parallel()
	const n = 1000
	s := redistest.Single(t)
	keep := hub.History{Size: 10 * n, TTL: time.Hour}
	a, b := newHub(t, s.URL(), keep), newHub(t, s.URL(), keep)
	there, here := listen(t, b, "room"), listen(t, a, "room")
	publish := func(i int) {
		if _, err := a.Publish(context.Background(), hub.Post{Channel: "room", Data: fmt.Append(nil, i)}); err != nil {
			t.Error(err)
		}
	}
	first := 0
	hubtest.Until(t, "both are in the room", func() bool {
		publish(first)
		first++
		return len(here.words()) > 0 && len(there.words()) > 0
	})
	for i := first; i < n; i++ {
		if i%100 == 50 {
			if _, err := s.Do("CLIENT", "KILL", "TYPE", "pubsub"); err != nil {
				t.Error(err)
			}
		}
		publish(i)
	}
	for _, e := range []*ear{here, there} {
		hubtest.Until(t, "the last is heard", func() bool {
			w := e.words()
			return len(w) > 0 && w[len(w)-1] == fmt.Sprint(n-1)
		})
		words := e.words()
		for i, w := range words {
			if want := fmt.Sprint(n - len(words) + i); w != want {
				t.Fatalf("heard %s where %s belongs", w, want)
			}
		}
	}
	if b.Stats.Replayed.Load() == 0 {
		t.Error("nothing was ever missed: this tests nothing")
	}
}

func TestMembersOfOneNodeHearEachOtherWithoutRedis(t *testing.T) {
	t.Parallel()
	s := redistest.Single(t)
	h := newHub(t, s.URL(), hub.History{})
	e := listen(t, h, "room")
	s.Kill()
	if _, err := h.Publish(context.Background(), hub.Post{Channel: "room", Data: []byte("here")}); err == nil {
		t.Error("all is well, it says")
	}
	hubtest.Until(t, "it is heard here", func() bool { return len(e.words()) == 1 })
}
