package hub

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"
)

// Memory is the broker of one process. Its nodes hear each other; most have
// one, which keeps histories and has nobody to tell.
type Memory struct {
	mu    sync.Mutex
	nodes []*memoryNode     // guarded by mu
	kept  map[string]*track // guarded by mu
}

// track is one channel's history.
type track struct {
	newest ID
	ends   time.Time // of the one that is kept longest
	lines  []line    // oldest first
}

type line struct {
	id   ID
	msg  []byte
	ends time.Time
}

// NewMemory returns one without nodes.
func NewMemory() *Memory { return &Memory{kept: make(map[string]*track)} }

// Node returns a broker for one more node.
func (m *Memory) Node() Broker { return &memoryNode{m: m, joined: make(map[string]bool)} }

// memoryNode tells its Sink with Memory's lock held, which is what keeps the
// order, and why a Sink must neither wait nor call back.
type memoryNode struct {
	m      *Memory
	sink   Sink            // guarded by m.mu; nil before Open and after Close
	joined map[string]bool // guarded by m.mu
}

func (n *memoryNode) Open(s Sink) error {
	n.m.mu.Lock()
	defer n.m.mu.Unlock()
	n.sink = s
	n.m.nodes = append(n.m.nodes, n)
	return nil
}

func (n *memoryNode) Publish(_ context.Context, channel string, msg []byte, keep History) (id ID, err error) {
	m := n.m
	m.mu.Lock()
	defer m.mu.Unlock()
	if keep.Kept() {
		id = m.append(channel, msg, keep, time.Now())
	}
	for _, node := range m.nodes {
		if node.sink != nil && node.joined[channel] {
			node.sink.Message(channel, id, msg)
		}
	}
	return id, nil
}

// append keeps a copy of msg. Called with mu held.
func (m *Memory) append(channel string, msg []byte, keep History, now time.Time) ID {
	m.forget(now)
	t := m.kept[channel]
	if t == nil || now.After(t.ends) {
		t = &track{newest: ID{Epoch: rand.Uint64()>>12 | 1}}
		m.kept[channel] = t
	}
	t.newest.Offset++
	l := line{t.newest, append([]byte(nil), msg...), now.Add(keep.TTL)}
	t.lines = append(t.lines, l)
	if l.ends.After(t.ends) {
		t.ends = l.ends
	}
	if over := len(t.lines) - keep.Size; over > 0 {
		clear(t.lines[:over]) // the array lives on; what it pointed to need not
		t.lines = t.lines[over:]
	}
	return t.newest
}

// forget looks at a few channels, in an order that changes each time, so that
// what nobody publishes to any more does not stay for ever.
func (m *Memory) forget(now time.Time) {
	looks := 4
	for name, t := range m.kept {
		if now.After(t.ends) {
			delete(m.kept, name)
		}
		if looks--; looks == 0 {
			return
		}
	}
}

func (n *memoryNode) Replay(_ context.Context, channel string, after ID, f func(id ID, msg []byte)) (ID, error) {
	lines, newest := n.m.behind(channel, time.Now())
	if after.Epoch != 0 && after.Epoch != newest.Epoch {
		return newest, ErrEpoch
	}
	for _, l := range lines {
		if f != nil && l.id.Offset > after.Offset {
			f(l.id, l.msg)
		}
	}
	return newest, nil
}

// behind is what is kept of a channel: lines are never written to again.
func (m *Memory) behind(channel string, now time.Time) ([]line, ID) {
	m.mu.Lock()
	defer m.mu.Unlock()
	t := m.kept[channel]
	if t == nil || now.After(t.ends) {
		return nil, ID{}
	}
	var lines []line
	for _, l := range t.lines {
		if !now.After(l.ends) {
			lines = append(lines, l)
		}
	}
	return lines, t.newest
}

func (n *memoryNode) Join(channels ...string) {
	n.m.mu.Lock()
	defer n.m.mu.Unlock()
	for _, c := range channels {
		if n.sink != nil && !n.joined[c] {
			n.joined[c] = true
			n.sink.Joined(c)
		}
	}
}

func (n *memoryNode) Leave(channels ...string) {
	n.m.mu.Lock()
	defer n.m.mu.Unlock()
	for _, c := range channels {
		delete(n.joined, c)
	}
}

func (n *memoryNode) Up() bool { return true }

func (n *memoryNode) Close() error {
	n.m.mu.Lock()
	defer n.m.mu.Unlock()
	n.sink = nil
	for i, node := range n.m.nodes {
		if node == n {
			n.m.nodes = append(n.m.nodes[:i:i], n.m.nodes[i+1:]...)
			break
		}
	}
	return nil
}
