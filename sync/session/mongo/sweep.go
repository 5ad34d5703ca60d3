package mongo

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
)

const (
	// lenience is for clocks of nodes that differ: what has ended by one's
	// clock may live by another's.
	lenience = time.Minute
	// sweepTime is for one removal; what is left is left for the next.
	sweepTime      = 30 * time.Second
	notImplemented = 238
)

// sweep runs until ctx ends. Nodes that were started together do not sweep
// together.
func (s *Store) sweep(ctx context.Context, every time.Duration) {
	indexed := false
	for wait := rand.N(every); ; wait = every/2 + rand.N(every) {
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-timer.C:
		}
		if !indexed {
			indexed = s.index(ctx) == nil
		}
		s.remove(ctx, min(lenience, every))
	}
}

func (s *Store) remove(ctx context.Context, lenience time.Duration) {
	ctx, cancel := context.WithTimeout(ctx, sweepTime)
	defer cancel()
	for _, end := range [...]string{"i", "e"} { // one index each
		over := bson.D{{Key: end, Value: bson.D{{Key: "$lt", Value: time.Now().Add(-lenience)}}}}
		done, err := s.sessions.DeleteMany(ctx, over)
		if err != nil {
			return // the next time is soon enough
		}
		s.swept.Add(uint64(done.DeletedCount))
	}
}

// index makes removals cheap, and lets the server do them where it can.
func (s *Store) index(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, sweepTime)
	defer cancel()
	for _, end := range [...]string{"i", "e"} {
		keys := bson.D{{Key: end, Value: 1}}
		ttl := options.Index().SetExpireAfterSeconds(int32(lenience / time.Second))
		_, err := s.sessions.Indexes().CreateOne(ctx, mongo.IndexModel{Keys: keys, Options: ttl})
		if code := (mongo.CommandError{}); errors.As(err, &code) && code.Code == notImplemented {
			_, err = s.sessions.Indexes().CreateOne(ctx, mongo.IndexModel{Keys: keys})
		}
		if err != nil {
			return err
		}
	}
	return nil
}
