package redis

import (
	"context"
	"errors"
	"fmt"
	"net"

	"github.com/redis/rueidis"
)

// layout says which master a channel is subscribed to at.
type layout struct {
	nodes map[string]rueidis.Client // by address; "" where there is but one
	slots []string                  // addresses; nil where there is but one
}

// node is where a channel is.
func (l *layout) node(pubsub string) string {
	if l.slots == nil {
		return ""
	}
	return l.slots[slotOf(pubsub)]
}

func newLayout(ctx context.Context, c rueidis.Client) (*layout, error) {
	if c.Mode() != rueidis.ClientModeCluster {
		return &layout{nodes: map[string]rueidis.Client{"": c}}, nil
	}
	ranges, err := c.Do(ctx, c.B().ClusterSlots().Build()).ToArray()
	if err != nil {
		return nil, err
	}
	l := &layout{nodes: c.Nodes(), slots: make([]string, slots)}
	for _, r := range ranges {
		if err := l.take(r); err != nil {
			return nil, err
		}
	}
	return l, nil
}

// take reads one range: first, last, the master, replicas.
func (l *layout) take(r rueidis.RedisMessage) error {
	fields, err := r.ToArray()
	if err != nil || len(fields) < 3 {
		return errors.New("CLUSTER SLOTS: a range without nodes")
	}
	first, err1 := fields[0].AsInt64()
	last, err2 := fields[1].AsInt64()
	place, err3 := fields[2].ToArray()
	if err1 != nil || err2 != nil || err3 != nil || len(place) < 2 || first < 0 || last >= slots {
		return errors.New("CLUSTER SLOTS: a range that cannot be read")
	}
	host, _ := place[0].ToString()
	port, err := place[1].AsInt64()
	if err != nil {
		return errors.New("CLUSTER SLOTS: a node without a place")
	}
	for i := first; i <= last; i++ {
		l.slots[i] = net.JoinHostPort(host, fmt.Sprint(port))
	}
	return nil
}
