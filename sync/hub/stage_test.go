package hub

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"
)

// fake is a member that writes down what it is given, or takes nothing.
type fake struct {
	mu      sync.Mutex
	got     []*Message // guarded by mu
	closed  uint16     // guarded by mu
	verdict Verdict    // guarded by mu; Full and Closed: it takes nothing
}

func (f *fake) Post(m *Message) Verdict {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.verdict < Full {
		f.got = append(f.got, m)
	}
	return f.verdict
}

func (f *fake) Close(code uint16, _ string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.closed = code
	f.verdict = Closed
}

func (f *fake) say(v Verdict) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.verdict = v
}

func (f *fake) code() uint16 {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.closed
}

func (f *fake) words() (all []string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, m := range f.got {
		all = append(all, string(m.Data))
	}
	return all
}

// stage is hubs on one broker.
type stage struct {
	*testing.T
	m *Memory
}

func newStage(t *testing.T) *stage { return &stage{t, NewMemory()} }

func (s *stage) hub(change ...func(o *Options)) *Hub {
	s.Helper()
	o := Options{Broker: s.m.Node(), Log: slog.New(slog.DiscardHandler)}
	for _, f := range change {
		f(&o)
	}
	h, err := New(o)
	if err != nil {
		s.Fatal(err)
	}
	s.Cleanup(func() {
		if err := h.Close(); err != nil {
			s.Error(err)
		}
	})
	return h
}

// enter makes a member of channels, which the broker has joined then.
func (s *stage) enter(h *Hub, channels ...string) (*fake, *Conn) {
	s.Helper()
	f := new(fake)
	c := s.conn(h, f, Who{ID: NewID()})
	for _, name := range channels {
		if why := c.Subscribe(name); why != OK {
			s.Fatalf("subscribe %q: %v", name, why)
		}
		s.joined(h, name)
	}
	return f, c
}

func (s *stage) conn(h *Hub, m Member, who Who) *Conn {
	s.Helper()
	c, why := h.Enter(m, who)
	if why != OK {
		s.Fatal(why)
	}
	s.Cleanup(c.Leave)
	return c
}

// joined waits until a hub's node hears a channel.
func (s *stage) joined(h *Hub, channel string) {
	s.Helper()
	n := h.broker
	if f, ok := n.(*faulty); ok {
		n = f.Broker
	}
	node := n.(*memoryNode)
	s.until("the broker joins "+channel, func() bool {
		node.m.mu.Lock()
		defer node.m.mu.Unlock()
		return node.joined[channel]
	})
}

func (s *stage) say(h *Hub, channel, text string) ID {
	s.Helper()
	id, err := h.Publish(context.Background(), Post{Channel: channel, Data: []byte(text)})
	if err != nil {
		s.Fatalf("publish %q: %v", text, err)
	}
	return id
}

func (s *stage) hears(f *fake, want ...string) {
	s.Helper()
	end := time.Now().Add(20 * time.Second)
	for !slices.Equal(f.words(), want) {
		if time.Now().After(end) {
			s.Fatalf("heard %q, want %q", f.words(), want)
		}
		time.Sleep(time.Millisecond)
	}
}

func (s *stage) until(what string, f func() bool) {
	s.Helper()
	for end := time.Now().Add(20 * time.Second); !f(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			s.Fatalf("did not come about: %s", what)
		}
	}
}

// keeps has some channels keep what is said in them.
func keeps(o *Options) {
	o.History = func(channel string) History {
		if Match("kept*", channel) {
			return History{Size: 10, TTL: time.Hour}
		}
		return History{}
	}
}

// faulty is a broker whose link can be cut.
type faulty struct {
	Broker
	mu      sync.Mutex
	sink    Sink
	deaf    bool  // guarded by mu: messages do not come
	publish error // guarded by mu: after it is published, unless lost
	lost    bool  // guarded by mu: nothing is published

	replayed func() // guarded by mu: called once, before Replay returns
}

func (f *faulty) Replay(ctx context.Context, channel string, after ID, each func(id ID, msg []byte)) (ID, error) {
	newest, err := f.Broker.Replay(ctx, channel, after, each)
	f.mu.Lock()
	hook := f.replayed
	f.replayed = nil
	f.mu.Unlock()
	if hook != nil {
		hook()
	}
	return newest, err
}

func (f *faulty) Open(s Sink) error { f.sink = s; return f.Broker.Open(f) }

func (f *faulty) Joined(channel string) { f.sink.Joined(channel) }

func (f *faulty) Message(channel string, id ID, msg []byte) {
	f.mu.Lock()
	deaf := f.deaf
	f.mu.Unlock()
	if !deaf {
		f.sink.Message(channel, id, msg)
	}
}

func (f *faulty) Publish(ctx context.Context, channel string, msg []byte, keep History) (id ID, err error) {
	f.mu.Lock()
	lost, fails := f.lost, f.publish
	f.mu.Unlock()
	if !lost {
		id, err = f.Broker.Publish(ctx, channel, msg, keep)
	}
	if fails != nil {
		return ID{}, fails
	}
	return id, err
}

func (f *faulty) set(change func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change()
}
