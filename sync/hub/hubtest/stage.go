package hubtest

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"multiserver/sync/hub"
)

// Patience is for anything to come about, on a machine that is busy.
const Patience = 30 * time.Second

// Stage is a server, or several, and the way to it.
type Stage struct {
	// New returns a broker of one more node, not opened yet.
	New func(t testing.TB) hub.Broker

	// Kill ends the server as a crash does; Restart starts it again at the same
	// place. nil: there is none that could die.
	Kill, Restart func()

	// Failover ends the server that is written to, where another takes its
	// place by itself. nil: there is no other.
	Failover func()

	// Forgets: a restart has lost the histories.
	Forgets bool

	// NoHistory: Publish keeps nothing, whatever it is told.
	NoHistory bool
}

// Heard is one message.
type Heard struct {
	Channel string
	ID      hub.ID
	Msg     string
}

// Node is a broker and all that it said.
type Node struct {
	hub.Broker
	t testing.TB

	mu     sync.Mutex
	heard  []Heard        // guarded by mu
	joined map[string]int // guarded by mu; how often
}

// Node opens one more, which is closed at the end of the test.
func (s *Stage) Node(t testing.TB) *Node {
	t.Helper()
	n := &Node{Broker: s.New(t), t: t, joined: make(map[string]int)}
	if err := n.Open(n); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := n.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return n
}

// Message and Joined make it the broker's Sink.
func (n *Node) Message(channel string, id hub.ID, msg []byte) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.heard = append(n.heard, Heard{channel, id, string(msg)})
}

func (n *Node) Joined(channel string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.joined[channel]++
}

// Heard is what came over a channel, in order.
func (n *Node) Heard(channel string) (all []Heard) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, h := range n.heard {
		if h.Channel == channel {
			all = append(all, h)
		}
	}
	return all
}

// Joins is how often a channel was joined.
func (n *Node) Joins(channel string) int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.joined[channel]
}

// Enter joins channels and waits until they are.
func (n *Node) Enter(channels ...string) {
	n.t.Helper()
	n.Join(channels...)
	Until(n.t, "channels are joined", func() bool {
		for _, c := range channels {
			if n.Joins(c) == 0 {
				return false
			}
		}
		return true
	})
}

// Say publishes, and is sure of it.
func (n *Node) Say(channel, msg string, keep hub.History) hub.ID {
	n.t.Helper()
	id, err := n.Try(channel, msg, keep)
	if err != nil {
		n.t.Fatalf("publish %q to %q: %v", msg, channel, err)
	}
	return id
}

// Try publishes, with a limit.
func (n *Node) Try(channel, msg string, keep hub.History) (hub.ID, error) {
	ctx, cancel := context.WithTimeout(context.Background(), Patience)
	defer cancel()
	return n.Publish(ctx, channel, []byte(msg), keep)
}

// Kept replays a channel.
func (n *Node) Kept(channel string, after hub.ID) (all []Heard, newest hub.ID, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), Patience)
	defer cancel()
	newest, err = n.Replay(ctx, channel, after, func(id hub.ID, msg []byte) {
		all = append(all, Heard{channel, id, string(msg)})
	})
	return all, newest, err
}

// Until waits for f to be true.
func Until(t testing.TB, what string, f func() bool) {
	t.Helper()
	for end := time.Now().Add(Patience); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if f() {
			return
		}
	}
	t.Fatalf("did not come about: %s", what)
}

// words are the messages alone.
func words(all []Heard) (msgs []string) {
	for _, h := range all {
		msgs = append(msgs, h.Msg)
	}
	return msgs
}

func word(i int) string { return fmt.Sprintf("m%d", i) }
