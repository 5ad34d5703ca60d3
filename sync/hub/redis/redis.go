package redis

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/rueidis"

	"multiserver/sync/hub"
)

// Link is the way to Redis; *link.Link of sync/link is one. It must not retry
// by itself: what is published would come twice.
type Link interface {
	Client() rueidis.Client // nil: not reached yet
	Up() bool
	// Ask runs f within a time of the link's own.
	Ask(ctx context.Context, key string, f func(ctx context.Context, c rueidis.Client) rueidis.RedisResult) (rueidis.RedisResult, error)
}

// Options of New. Zero values are what is said of them.
type Options struct {
	Prefix string       // of all names; "hub:". No brace may be in it.
	Log    *slog.Logger // slog.Default
}

// Broker is a hub.Broker on Redis.
type Broker struct {
	Stats Stats

	opt     Options
	link    Link
	sink    hub.Sink
	sharded atomic.Int32 // see mode
	closed  atomic.Bool

	mu    sync.Mutex
	want  map[string]bool // guarded by mu; by pubsub name
	dirty map[string]bool // guarded by mu; what may not be as wanted
	gone  []string        // guarded by mu; what the server has ended
	wake  chan struct{}

	ctx  context.Context // ends with Close
	stop context.CancelFunc
	all  sync.WaitGroup
}

// Stats are counters, and gauges where it is said.
type Stats struct {
	Lanes      atomic.Int64 // gauge: connections that messages come over
	LanesLost  atomic.Uint64
	Subscribed atomic.Uint64 // channels, each time
	Refused    atomic.Uint64 // subscriptions that the server did not want
}

// New makes one over a link, which must be closed after it.
func New(link Link, o Options) *Broker {
	if o.Prefix == "" {
		o.Prefix = "hub:"
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	b := &Broker{opt: o, link: link, want: make(map[string]bool), dirty: make(map[string]bool), wake: make(chan struct{}, 1)}
	b.ctx, b.stop = context.WithCancel(context.Background())
	return b
}

// Open says who is to hear.
func (b *Broker) Open(s hub.Sink) error {
	if strings.ContainsAny(b.opt.Prefix, "{}") {
		return fmt.Errorf("hub: prefix %q: braces decide where Redis puts a key; leave them out", b.opt.Prefix)
	}
	b.sink = s
	b.all.Go(b.tend)
	return nil
}

// Close ends the subscriptions, and waits for it.
func (b *Broker) Close() error {
	b.closed.Store(true)
	b.stop()
	b.all.Wait()
	return nil
}

// Up tells whether Redis answered when last asked.
func (b *Broker) Up() bool { return b.link.Up() }

// Join and Leave say what is wanted; tend sees to it.
func (b *Broker) Join(channels ...string)  { b.wish(channels, true) }
func (b *Broker) Leave(channels ...string) { b.wish(channels, false) }

func (b *Broker) wish(channels []string, wanted bool) {
	b.mu.Lock()
	for _, c := range channels {
		name := b.pubsub(c)
		if wanted {
			b.want[name] = true
		} else {
			delete(b.want, name)
		}
		b.dirty[name] = true
	}
	b.mu.Unlock()
	b.nudge()
}

func (b *Broker) nudge() {
	select {
	case b.wake <- struct{}{}:
	default: // it is awake
	}
}

// Publish sends one command, or runs one script.
func (b *Broker) Publish(ctx context.Context, channel string, msg []byte, k hub.History) (hub.ID, error) {
	name, sharded, err := b.pubsub(channel), false, error(nil)
	if sharded, err = b.mode(ctx); err != nil {
		return hub.ID{}, err
	}
	if k.Kept() {
		return b.keep(ctx, channel, name, sharded, msg, k)
	}
	text := string(append([]byte{plainMark}, msg...)) // f may outlive this call
	res, err := b.link.Ask(ctx, name, func(ctx context.Context, c rueidis.Client) rueidis.RedisResult {
		if sharded {
			return c.Do(ctx, c.B().Spublish().Channel(name).Message(text).Build())
		}
		return c.Do(ctx, c.B().Publish().Channel(name).Message(text).Build())
	})
	if err == nil {
		err = res.Error()
	}
	return hub.ID{}, about("publish", err)
}

func (b *Broker) keep(ctx context.Context, channel, name string, sharded bool, msg []byte, k hub.History) (hub.ID, error) {
	by := "PUBLISH"
	if sharded {
		by = "SPUBLISH"
	}
	keys := []string{b.stream(channel), name}
	args := []string{epoch(), strconv.Itoa(k.Size), strconv.FormatInt(max(1, k.TTL.Milliseconds()), 10), by, string(msg)}
	res, err := b.link.Ask(ctx, keys[0], func(ctx context.Context, c rueidis.Client) rueidis.RedisResult {
		return keep.Exec(ctx, c, keys, args)
	})
	if err != nil {
		return hub.ID{}, about("publish", err)
	}
	text, err := res.ToString()
	if err != nil {
		return hub.ID{}, about("publish", err)
	}
	id, ok := hub.ParseID(text)
	if !ok {
		return hub.ID{}, fmt.Errorf("hub: publish: Redis says %q where an id belongs", text)
	}
	return id, nil
}

// epoch proposes one, small enough for a Lua number.
func epoch() string { return strconv.FormatUint(rand.Uint64()>>12|1, 10) }

func about(what string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("hub: %s: %w", what, err)
}

// Modes of publishing.
const (
	modeUnknown = iota
	modePlain
	modeSharded
)

// mode asks once whether the server knows sharded pub/sub.
func (b *Broker) mode(ctx context.Context) (sharded bool, err error) {
	if m := b.sharded.Load(); m != modeUnknown {
		return m == modeSharded, nil
	}
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	res, err := b.link.Ask(ctx, b.opt.Prefix, func(ctx context.Context, c rueidis.Client) rueidis.RedisResult {
		return c.Do(ctx, c.B().Arbitrary("COMMAND", "INFO", "SPUBLISH").Build())
	})
	if err != nil {
		return false, about("what Redis can do", err)
	}
	known, err := res.ToArray()
	if err != nil {
		return false, about("what Redis can do", err)
	}
	mode := int32(modePlain)
	if len(known) > 0 && !known[0].IsNil() {
		mode = modeSharded
	}
	b.sharded.Store(mode)
	return mode == modeSharded, nil
}
