package mongo

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
	"go.mongodb.org/mongo-driver/v2/x/mongo/driver/connstring"

	"multiserver/sync/session"
)

const (
	defaultTimeout = 250 * time.Millisecond
	defaultConns   = 64
	defaultName    = "multiserver" // of the database, where the URL names none
	defaultSweep   = time.Minute
)

// Options of a store. Zero values are the defaults.
type Options struct {
	URL        string        // mongodb://… or mongodb+srv://…, as the driver takes it
	Collection string        // sessions
	Timeout    time.Duration // for a method whose context has no deadline; 250 ms
	Conns      uint64        // to each server at once; 64, or what the URL says
	Sweep      time.Duration // between two removals of what has ended; a minute
}

// Store is a session.Store.
type Store struct {
	client   *mongo.Client
	sessions *mongo.Collection
	timeout  time.Duration

	swept   atomic.Uint64
	stop    context.CancelFunc
	sweeper sync.WaitGroup
}

var _ session.Store = (*Store)(nil)

// New waits for no server: it may be down, and is used when it is up. Only a
// mongodb+srv URL is looked up at once.
func New(o Options) (*Store, error) {
	at, err := connstring.ParseAndValidate(o.URL)
	if err != nil {
		return nil, fmt.Errorf("mongodb: %w; want mongodb://host:port/database", err)
	}
	s := &Store{timeout: defaultTimeout}
	if o.Timeout > 0 {
		s.timeout = o.Timeout
	}
	opts := options.Client().SetMaxPoolSize(defaultConns).SetTimeout(s.timeout).ApplyURI(o.URL)
	if o.Conns > 0 {
		opts.SetMaxPoolSize(o.Conns)
	}
	if s.client, err = mongo.Connect(opts); err != nil {
		return nil, fmt.Errorf("mongodb: %w", err)
	}
	s.sessions = s.client.Database(or(at.Database, defaultName)).Collection(or(o.Collection, "sessions"))
	ctx, stop := context.WithCancel(context.Background())
	s.stop = stop
	every := o.Sweep
	if every <= 0 {
		every = defaultSweep
	}
	s.sweeper.Go(func() { s.sweep(ctx, every) })
	return s, nil
}

func or(word, other string) string {
	if word == "" {
		return other
	}
	return word
}

// Swept counts the sessions that this node has removed after their end.
func (s *Store) Swept() uint64 { return s.swept.Load() }

// Close is session.Store's.
func (s *Store) Close() error {
	s.stop()
	s.sweeper.Wait()
	ctx, cancel := context.WithTimeout(context.Background(), s.timeout)
	defer cancel()
	return s.client.Disconnect(ctx)
}

// Load is session.Store's.
func (s *Store) Load(ctx context.Context, id session.ID, into *session.Record) error {
	if _, err := s.find(ctx, id, into); err != nil {
		into.Reset()
		return err
	}
	return nil
}

// find fills into, or leaves it empty with ErrNone or ErrAway.
func (s *Store) find(ctx context.Context, id session.ID, into *session.Record) (was counters, err error) {
	into.Reset()
	raw, err := s.sessions.FindOne(ctx, bson.D{{Key: "_id", Value: id.String()}}).Raw()
	if errors.Is(err, mongo.ErrNoDocuments) {
		return was, session.ErrNone
	}
	if err != nil {
		return was, away(err)
	}
	if was, err = decode(raw, into); err != nil {
		into.Reset()
		return was, away(err)
	}
	if !into.Alive(time.Now().UnixMilli()) {
		into.Reset()
		return was, session.ErrNone
	}
	return was, nil
}

// Touch is session.Store's.
func (s *Store) Touch(ctx context.Context, id session.ID, idle time.Duration) error {
	now := time.Now()
	filter := append(alive(id, now), bson.E{Key: "v", Value: bson.D{{Key: "$gt", Value: 0}}})
	change := bson.D{{Key: "$max", Value: bson.D{{Key: "i", Value: now.Add(idle)}}}}
	done, err := s.sessions.UpdateOne(ctx, filter, change)
	if err != nil {
		return away(err)
	}
	if done.MatchedCount > 0 {
		return nil
	}
	return s.absence(ctx, id)
}

// absence says why a filter has found no session.
func (s *Store) absence(ctx context.Context, id session.ID) error {
	var r session.Record
	if _, err := s.find(ctx, id, &r); err != nil {
		return err
	}
	if !r.Moved.Zero() {
		return session.ErrMoved
	}
	return away(errOvertaken)
}

// Drop is session.Store's.
func (s *Store) Drop(ctx context.Context, id session.ID) error {
	if _, err := s.sessions.DeleteOne(ctx, bson.D{{Key: "_id", Value: id.String()}}); err != nil {
		return away(err)
	}
	return nil
}

// alive is a filter for a session that has not ended. A pointer has no i.
func alive(id session.ID, now time.Time) bson.D {
	after := bson.D{{Key: "$gt", Value: now}}
	return bson.D{{Key: "_id", Value: id.String()}, {Key: "i", Value: after}, {Key: "e", Value: after}}
}

// errOvertaken: somebody else was first.
var errOvertaken = errors.New("others were first again and again")

// away says that it is the store's fault.
func away(err error) error { return fmt.Errorf("%w: %w", session.ErrAway, err) }
