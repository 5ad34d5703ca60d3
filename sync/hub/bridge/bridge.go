package bridge

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"multiserver/sync/hub"
)

// Options of New. Hub and Dial must be given.
type Options struct {
	Hub *hub.Hub

	// Name keeps rooms apart from those of other bridges on the same hub; the
	// same on all nodes. "": there is no other.
	Name string

	// Dial connects to an instance, with TLS if it wants it.
	Dial func(ctx context.Context, instance string) (net.Conn, error)

	// Header is what a handshake for a path has beside its own fields: a Host,
	// what lets it in. nil: nothing.
	Header func(path string) http.Header

	Share    bool          // tell other nodes what is heard
	MaxRooms int           // paths at once; 256. Beyond it clients are not bridged.
	Linger   time.Duration // how long ears stay in an empty room; 5 s
	Log      *slog.Logger  // slog.Default
}

// Bridge joins what instances say. Its methods may be called from any goroutine.
type Bridge struct {
	Stats Stats

	opt  Options
	ctx  context.Context // ends with Close
	stop context.CancelFunc
	all  sync.WaitGroup

	mu        sync.Mutex
	instances []string         // guarded by mu
	rooms     map[string]*room // guarded by mu; by path
	closed    bool             // guarded by mu
}

// Stats are counters, and gauges where it is said.
type Stats struct {
	Rooms     atomic.Int64 // gauge
	Ears      atomic.Int64 // gauge: silent connections that are open
	Heard     atomic.Uint64
	Lost      atomic.Uint64 // silent connections that have ended by themselves
	NotLet    atomic.Uint64 // handshakes that were not accepted, or had no answer
	RoomsFull atomic.Uint64 // clients that are not bridged, for MaxRooms
	TooLong   atomic.Uint64 // messages that end a silent connection: see hub.MaxMessage
	Shared    atomic.Uint64 // messages from other nodes that were shown
	Passed    atomic.Uint64 // and that were not, for they had come another way
}

// New makes one without instances.
func New(o Options) *Bridge {
	if o.MaxRooms == 0 {
		o.MaxRooms = 256
	}
	if o.Linger == 0 {
		o.Linger = 5 * time.Second
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	b := &Bridge{opt: o, rooms: make(map[string]*room)}
	b.ctx, b.stop = context.WithCancel(context.Background())
	return b
}

// Instances says which there are now. The names are those of hub.Who's Origin;
// with Share they must mean the same on all nodes.
func (b *Bridge) Instances(all []string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.instances = slices.Clone(all)
	for _, r := range b.rooms {
		b.staff(r)
	}
}

// Enter brings a client that hangs on an instance, its Origin, into its path's
// room; leave, to be called once, takes it out again.
func (b *Bridge) Enter(c *hub.Conn) (leave func(), why hub.Reason) {
	nothing := func() {}
	r := b.open(c.Path)
	if r == nil {
		return nothing, hub.OK
	}
	if why = c.Subscribe(r.channel); why != hub.OK {
		b.quit(r)
		return nothing, why
	}
	return func() {
		c.Unsubscribe(r.channel)
		b.quit(r)
	}, hub.OK
}

// open counts one more client in a path's room; nil: there is none.
func (b *Bridge) open(path string) *room {
	b.mu.Lock()
	defer b.mu.Unlock()
	r := b.rooms[path]
	switch {
	case b.closed:
		return nil
	case r == nil && len(b.rooms) >= b.opt.MaxRooms:
		b.Stats.RoomsFull.Add(1)
		return nil
	case r == nil:
		r = newRoom(b, path)
		b.rooms[path] = r
		b.Stats.Rooms.Add(1)
		b.staff(r)
	}
	r.clients++
	r.ends.Stop()
	return r
}

// quit closes a room a moment after the last client has left.
func (b *Bridge) quit(r *room) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if r.clients--; r.clients == 0 && !b.closed {
		r.ends.Reset(b.opt.Linger)
	}
}

// vacate is called by the room's timer.
func (b *Bridge) vacate(r *room) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if r.clients > 0 || b.rooms[r.path] != r {
		return
	}
	b.drop(r)
}

// drop is called with mu held.
func (b *Bridge) drop(r *room) {
	delete(b.rooms, r.path)
	b.Stats.Rooms.Add(-1)
	r.ends.Stop()
	for _, e := range r.ears {
		e.stop()
	}
	r.share.leave()
}

// Close ends all silent connections and waits for it.
func (b *Bridge) Close() {
	b.mu.Lock()
	b.closed = true
	for _, r := range b.rooms {
		b.drop(r)
	}
	b.mu.Unlock()
	b.stop()
	b.all.Wait()
}

// name makes a channel of a path, however long that is.
func (b *Bridge) name(kind, path string) string {
	kind += b.opt.Name
	if long := kind + path; hub.ValidName(long) {
		return long
	}
	sum := sha256.Sum256([]byte(path))
	return kind + hex.EncodeToString(sum[:])
}
