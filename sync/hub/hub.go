package hub

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"
	"hash/maphash"
	"log/slog"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"
)

// Hub is one node's: who is in which channel here, and what is shown to them.
type Hub struct {
	Stats Stats

	opt    Options
	broker Broker
	node   uint64 // this one, among those of the broker; random
	seq    atomic.Uint64
	seed   maphash.Seed
	shards [64]shard
	people people
	dirty  dirty
	boxes  [outboxes]outbox
	shown  shown
	peers  peers
	asks   asks

	ctx  context.Context // ends with Close
	stop context.CancelFunc
	work work
}

// Options are a hub's limits, and who carries its messages. Zero values are
// what is said of them.
type Options struct {
	Broker Broker // nil: there is no other node

	// History says what is kept of a channel; nil: nothing of any. It is called
	// when a channel begins, and on each Publish, and must be quick.
	History func(channel string) History

	MaxJoined   int           // channels of one connection; 128
	MaxMembers  int           // connections in one channel; without limit
	MaxPerAddr  int           // connections of one address; without limit
	DropNewest  bool          // what is too much for a member is dropped; false: it is closed with 1013
	LeaveBehind time.Duration // how long a channel without members stays joined; 5 s

	Log *slog.Logger // slog.Default
}

// New begins one. It does not wait for the Broker's server; Close ends it, and
// the Broker.
func New(o Options) (*Hub, error) {
	if o.Broker == nil {
		o.Broker = NewMemory().Node()
	}
	if o.History == nil {
		o.History = func(string) History { return History{} }
	}
	if o.MaxJoined == 0 {
		o.MaxJoined = 128
	}
	if o.LeaveBehind == 0 {
		o.LeaveBehind = 5 * time.Second
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	h := &Hub{opt: o, broker: o.Broker, node: number64(), seed: maphash.MakeSeed()}
	h.ctx, h.stop = context.WithCancel(context.Background())
	for i := range h.shards {
		h.shards[i].channels = make(map[string]*channel)
		h.shards[i].box = &h.boxes[i%outboxes]
	}
	h.people.byID = make(map[string]*Conn)
	h.people.byAddr = make(map[netip.Addr]int)
	h.dirty.wake = make(chan struct{}, 1)
	if err := h.broker.Open(h); err != nil {
		h.stop()
		return nil, err
	}
	for i := range h.boxes {
		h.boxes[i].waiting = make(chan *outgoing, outboxSize)
		h.work.start(func() { h.send(&h.boxes[i]) })
	}
	h.work.start(h.tend)
	h.work.start(h.beat)
	return h, nil
}

// Close ends the hub and its Broker, but not its connections: see End.
func (h *Hub) Close() error {
	h.stop()
	h.work.close()
	return h.broker.Close()
}

// Up tells whether other nodes can be reached.
func (h *Hub) Up() bool { return h.broker.Up() }

// NewID returns a name for a connection that nobody can guess.
func NewID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	return base64.RawURLEncoding.EncodeToString(b[:])
}

func number64() uint64 {
	var b [8]byte
	_, _ = rand.Read(b[:])
	return binary.BigEndian.Uint64(b[:])
}

// work is the goroutines of a hub: none begins when Close has.
type work struct {
	mu    sync.Mutex
	ended bool // guarded by mu
	all   sync.WaitGroup
}

// start tells whether f is run.
func (w *work) start(f func()) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.ended {
		return false
	}
	w.all.Go(f)
	return true
}

func (w *work) close() {
	w.mu.Lock()
	w.ended = true
	w.mu.Unlock()
	w.all.Wait()
}
