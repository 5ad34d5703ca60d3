package redis_test

import (
	"context"
	"encoding/binary"
	"slices"
	"sync"
	"testing"
	"time"

	"multiserver/cache/redis/redistest"
	"multiserver/sync/hub"
)

// clock is a member that notes how old messages are.
type clock struct {
	mu  sync.Mutex
	all []time.Duration // guarded by mu
}

func (c *clock) Post(m *hub.Message) hub.Verdict {
	age := time.Since(time.Unix(0, int64(binary.BigEndian.Uint64(m.Data))))
	c.mu.Lock()
	defer c.mu.Unlock()
	c.all = append(c.all, age)
	return hub.Written
}

func (c *clock) Close(uint16, string) {}

func (c *clock) len() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.all)
}

// BenchmarkNodeToNode is the time from Publish on one node to a member of
// another, at 1,000 messages a second.
func BenchmarkNodeToNode(b *testing.B) {
	for name, keep := range map[string]hub.History{"plain": {}, "kept": {Size: 100, TTL: time.Minute}} {
		b.Run(name, func(b *testing.B) { nodeToNode(b, keep) })
	}
}

func nodeToNode(b *testing.B, keep hub.History) {
	s := redistest.Single(b)
	from, to := newHub(b, s.URL(), keep), newHub(b, s.URL(), keep)
	c := new(clock)
	conn, _ := to.Enter(c, hub.Who{ID: "1"})
	defer conn.Leave()
	conn.Subscribe("room")
	say := func() {
		now := binary.BigEndian.AppendUint64(nil, uint64(time.Now().UnixNano()))
		if _, err := from.Publish(context.Background(), hub.Post{Channel: "room", Kind: hub.Binary, Data: now}); err != nil {
			b.Fatal(err)
		}
	}
	for c.len() == 0 {
		say()
		time.Sleep(10 * time.Millisecond)
	}
	before := c.len()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	b.ResetTimer()
	for range b.N {
		<-tick.C
		say()
	}
	for end := time.Now().Add(5 * time.Second); c.len() < before+b.N && time.Now().Before(end); {
		time.Sleep(time.Millisecond)
	}
	ages := slices.Clone(c.all[before:])
	slices.Sort(ages)
	b.ReportMetric(float64(ages[len(ages)/2].Microseconds()), "p50-µs")
	b.ReportMetric(float64(ages[len(ages)*99/100].Microseconds()), "p99-µs")
	b.ReportMetric(float64(b.N-len(ages)), "lost")
}
