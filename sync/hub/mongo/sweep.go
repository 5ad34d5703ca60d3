package mongo

import (
	"context"
	"math/rand/v2"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
)

const (
	sweepEvery = time.Minute
	sweepTime  = 30 * time.Second // for one removal; what is left is left for the next
	// lenience is for clocks of nodes that differ.
	lenience = time.Minute
)

// sweep removes histories that have ended. Nodes that were started together do
// not sweep together.
func (b *Broker) sweep() {
	indexed := false
	for wait := rand.N(sweepEvery); ; wait = sweepEvery/2 + rand.N(sweepEvery) {
		timer := time.NewTimer(wait)
		select {
		case <-b.ctx.Done():
			timer.Stop()
			return
		case <-timer.C:
		}
		ctx, cancel := context.WithTimeout(b.ctx, sweepTime)
		if !indexed {
			_, err := b.kept.Indexes().CreateOne(ctx, mongo.IndexModel{Keys: bson.D{{Key: "x", Value: 1}}})
			indexed = err == nil
		}
		b.remove(ctx, time.Now().Add(-lenience))
		cancel()
	}
}

func (b *Broker) remove(ctx context.Context, ended time.Time) {
	done, err := b.kept.DeleteMany(ctx, bson.D{{Key: "x", Value: bson.D{{Key: "$lt", Value: ended}}}})
	if err == nil {
		b.Stats.Swept.Add(uint64(done.DeletedCount))
	}
}
