package mongo

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
	"go.mongodb.org/mongo-driver/v2/x/mongo/driver/connstring"

	"multiserver/sync/hub"
)

const (
	defaultName    = "multiserver" // of the database, where the URL names none
	defaultPrefix  = "hub"
	defaultSize    = 16 << 20
	defaultTimeout = time.Second
	selection      = time.Second // to find a server that can be asked; then calls fail
)

// Options of a broker. Zero values are the defaults.
type Options struct {
	URL     string        // mongodb://… or mongodb+srv://…, as the driver takes it
	Prefix  string        // of its two collections' names; hub
	Size    int64         // of the capped collection, in bytes, if it is not there yet; 16 MiB
	Timeout time.Duration // for a call whose context has no deadline; 1 s
}

// Broker is a hub.Broker.
type Broker struct {
	Stats Stats

	client  *mongo.Client
	said    *mongo.Collection // capped: what is published
	kept    *mongo.Collection // a history in each document
	size    int64
	timeout time.Duration
	node    int64 // a number that nobody else has
	most    int   // bytes of one history

	polls   bool         // tailable cursors are not tried
	written atomic.Int64 // the number of the last document that is there
	up      atomic.Bool
	whole   atomic.Bool // findAndModify has no projection here
	queue   chan item
	kick    chan struct{} // a marker is wanted
	stop    context.CancelFunc
	ctx     context.Context // ended by Close
	running sync.WaitGroup
	sink    hub.Sink

	mu       sync.Mutex
	channels map[string]*channel // guarded by mu; those that are wanted
	marker   int64               // guarded by mu; the last one that was written
}

// channel is one that this node wants to hear.
type channel struct {
	joined bool
	marker int64  // that must come back before it is joined
	last   hub.ID // of what is kept: the newest that was delivered, or was there before
}

// Stats counts since the beginning.
type Stats struct {
	Losses atomic.Uint64 // of the link, or of messages on their way
	Failed atomic.Uint64 // batches that could not be written
	Swept  atomic.Uint64 // histories removed after their end
}

var _ hub.Broker = (*Broker)(nil)

// New waits for no server. Only a mongodb+srv URL is looked up at once.
func New(o Options) (*Broker, error) {
	at, err := connstring.ParseAndValidate(o.URL)
	if err != nil {
		return nil, fmt.Errorf("mongodb: %w; want mongodb://host:port/database", err)
	}
	// A question that was asked again by the driver would hide a loss.
	opts := options.Client().SetRetryReads(false).SetServerSelectionTimeout(selection).ApplyURI(o.URL)
	client, err := mongo.Connect(opts)
	if err != nil {
		return nil, fmt.Errorf("mongodb: %w", err)
	}
	database, prefix := client.Database(or(at.Database, defaultName)), or(o.Prefix, defaultPrefix)
	b := &Broker{
		client:   client,
		said:     database.Collection(prefix + "_said"),
		kept:     database.Collection(prefix + "_kept"),
		size:     or(o.Size, defaultSize),
		timeout:  or(o.Timeout, defaultTimeout),
		node:     rand.Int64(),
		most:     keptBytes,
		queue:    make(chan item, queueLen),
		kick:     make(chan struct{}, 1),
		channels: make(map[string]*channel),
	}
	b.ctx, b.stop = context.WithCancel(context.Background())
	return b, nil
}

func or[T comparable](v, other T) T {
	var zero T
	if v == zero {
		return other
	}
	return v
}

// Open is hub.Broker's.
func (b *Broker) Open(s hub.Sink) error {
	b.sink = s
	b.running.Go(b.write)
	b.running.Go(b.tend)
	b.running.Go(b.sweep)
	return nil
}

// Close is hub.Broker's.
func (b *Broker) Close() error {
	b.stop()
	b.running.Wait()
	ctx, cancel := context.WithTimeout(context.Background(), b.timeout)
	defer cancel()
	return b.client.Disconnect(ctx)
}

// Up is hub.Broker's.
func (b *Broker) Up() bool { return b.up.Load() }

// Join is hub.Broker's.
func (b *Broker) Join(channels ...string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, name := range channels {
		if b.channels[name] == nil {
			b.channels[name] = &channel{marker: b.marker + 1}
		}
	}
	b.mark()
}

// Leave is hub.Broker's.
func (b *Broker) Leave(channels ...string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, name := range channels {
		delete(b.channels, name)
	}
}

// rejoin says of all channels that something may be missing.
func (b *Broker) rejoin() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, c := range b.channels {
		c.joined, c.marker = false, b.marker+1
	}
	b.Stats.Losses.Add(1)
}

// mark asks for a marker.
func (b *Broker) mark() {
	select {
	case b.kick <- struct{}{}:
	default: // asked for already
	}
}

// waiting tells whether a channel is not joined yet.
func (b *Broker) waiting() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, c := range b.channels {
		if !c.joined {
			return true
		}
	}
	return false
}

// within gives a call the broker's own deadline if it has none.
func (b *Broker) within(ctx context.Context) (context.Context, context.CancelFunc) {
	if _, ok := ctx.Deadline(); ok {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, b.timeout)
}

var errClosed = errors.New("the broker is closed")
