package redis_test

import (
	"context"
	"log/slog"
	"strconv"
	"testing"
	"time"

	"multiserver/cache/redis/redistest"
	"multiserver/sync/hub"
	"multiserver/sync/hub/hubtest"
	"multiserver/sync/hub/redis"
	"multiserver/sync/link"
)

// broker is one more node, with a link of its own.
func broker(t testing.TB, url string) hub.Broker {
	l, err := link.Open(context.Background(), link.Options{URL: url, Timeout: 5 * time.Second, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(hubtest.Patience); !l.Up() && time.Now().Before(end); {
		time.Sleep(time.Millisecond)
	}
	return &node{redis.New(l, redis.Options{Log: slog.New(slog.DiscardHandler)}), l}
}

// node closes its link, too.
type node struct {
	*redis.Broker
	link *link.Link
}

func (n *node) Close() error {
	defer n.link.Close()
	return n.Broker.Close()
}

func TestOneServer(t *testing.T) {
	t.Parallel()
	s := redistest.Single(t)
	hubtest.Run(t, func(testing.TB) *hubtest.Stage {
		return &hubtest.Stage{
			New:     func(t testing.TB) hub.Broker { return broker(t, s.URL()) },
			Kill:    s.Kill,
			Restart: func() { must(t, s.Restart()) },
			Forgets: true,
		}
	})
}

func TestSentinel(t *testing.T) {
	t.Parallel()
	s := redistest.Sentinel(t)
	hubtest.Run(t, func(t testing.TB) *hubtest.Stage {
		return &hubtest.Stage{
			New:      func(t testing.TB) hub.Broker { return broker(t, s.URL) },
			Failover: s.Masters[0].Kill,
		}
	})
}

func TestCluster(t *testing.T) {
	t.Parallel()
	s := redistest.Cluster(t)
	t.Run("ASlotThatMovesIsFollowed", func(t *testing.T) { moved(t, s) })
	hubtest.Run(t, func(t testing.TB) *hubtest.Stage {
		return &hubtest.Stage{
			New:      func(t testing.TB) hub.Broker { return broker(t, s.URL) },
			Failover: s.Masters[0].Kill,
		}
	})
}

// moved has another master take the slot of a channel that is subscribed to.
func moved(t *testing.T, s *redistest.Set) {
	stage := &hubtest.Stage{New: func(t testing.TB) hub.Broker { return broker(t, s.URL) }}
	a, b := stage.Node(t), stage.Node(t)
	const channel = "moving"
	b.Enter(channel)
	joins := b.Joins(channel)
	slot, err := s.Masters[0].Do("CLUSTER", "KEYSLOT", channel)
	must(t, err)
	id, err := s.Masters[newOwner(t, s, slot)].Do("CLUSTER", "MYID")
	must(t, err)
	for _, master := range s.Masters {
		_, err := master.Do("CLUSTER", "SETSLOT", slot, "NODE", id)
		must(t, err)
	}
	hubtest.Until(t, "it is joined where it is now", func() bool { return b.Joins(channel) > joins })
	hubtest.Until(t, "it is heard there", func() bool {
		_, _ = a.Try(channel, "moved", hub.History{})
		return len(b.Heard(channel)) > 0
	})
}

// newOwner is the index of a master that does not have a slot.
func newOwner(t *testing.T, s *redistest.Set, slot string) int {
	n, err := strconv.Atoi(slot)
	must(t, err)
	return (n*3/16384 + 1) % 3
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Error(err)
	}
}
