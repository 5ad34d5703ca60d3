package mongo

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"multiserver/sync/hub"
)

const (
	// keptBytes is the most of one history: a document of MongoDB's has 16 MiB,
	// and is written as a whole.
	keptBytes = 4 << 20
	tries     = 16

	notImplemented = 238
)

// A history is
//
//	{_id: channel, e: epoch, o: newest offset, x: end of all, n: lines, b: bytes, l: [{m: message, x: its end}, …]}
//
// It grows to twice its size before it is cut, so that not every message writes
// all others anew; and FerretDB cannot cut when it appends.
type history struct {
	Epoch  int64     `bson:"e"`
	Offset int64     `bson:"o"`
	Ends   time.Time `bson:"x"`
	Lines  []line    `bson:"l"`
}

type line struct {
	Msg  []byte    `bson:"m"`
	Ends time.Time `bson:"x"`
}

func (h *history) newest() hub.ID { return hub.ID{Epoch: uint64(h.Epoch), Offset: uint64(h.Offset)} }

// each calls f for what is behind after and has not ended.
func (h *history) each(after hub.ID, f func(id hub.ID, msg []byte)) {
	now := time.Now()
	id := hub.ID{Epoch: uint64(h.Epoch), Offset: uint64(h.Offset) - uint64(len(h.Lines))}
	for _, l := range h.Lines {
		id.Offset++
		if l.Ends.After(now) && (id.Epoch != after.Epoch || id.Offset > after.Offset) {
			f(id, l.Msg)
		}
	}
}

// keep appends msg to a history, or begins one, in one step.
func (b *Broker) keep(ctx context.Context, channel string, msg []byte, keep hub.History) (hub.ID, error) {
	for range tries {
		now := time.Now()
		id, err := b.push(ctx, channel, msg, keep, now)
		if err == nil {
			return id, nil
		}
		if !mongo.IsDuplicateKeyError(err) {
			return hub.ID{}, fmt.Errorf("mongodb: %w", err)
		}
		if err := b.shorten(ctx, channel, keep.Size, now); err != nil {
			return hub.ID{}, fmt.Errorf("mongodb: %w", err)
		}
	}
	return hub.ID{}, errors.New("mongodb: others were first again and again")
}

// push finds a history only if it has not ended and has room; else to begin one
// is a duplicate.
func (b *Broker) push(ctx context.Context, channel string, msg []byte, keep hub.History, now time.Time) (hub.ID, error) {
	end := now.Add(keep.TTL)
	filter := bson.D{
		{Key: "_id", Value: binary(channel)},
		{Key: "x", Value: bson.D{{Key: "$gt", Value: now}}},
		{Key: "n", Value: bson.D{{Key: "$lt", Value: 2 * int64(keep.Size)}}},
		{Key: "b", Value: bson.D{{Key: "$lte", Value: int64(max(b.most-len(msg), 0))}}},
	}
	change := bson.D{
		{Key: "$inc", Value: bson.D{{Key: "o", Value: int64(1)}, {Key: "n", Value: int64(1)}, {Key: "b", Value: int64(len(msg))}}},
		{Key: "$max", Value: bson.D{{Key: "x", Value: end}}},
		{Key: "$push", Value: bson.D{{Key: "l", Value: bson.D{{Key: "m", Value: bson.Binary{Data: msg}}, {Key: "x", Value: end}}}}},
		{Key: "$setOnInsert", Value: bson.D{{Key: "e", Value: rand.Int64()>>11 | 1}}}, // a JavaScript number
	}
	opts := options.FindOneAndUpdate().SetUpsert(true).SetReturnDocument(options.After)
	if !b.whole.Load() {
		opts.SetProjection(bson.D{{Key: "e", Value: 1}, {Key: "o", Value: 1}})
	}
	var h history
	err := b.kept.FindOneAndUpdate(ctx, filter, change, opts).Decode(&h)
	if code := (mongo.CommandError{}); errors.As(err, &code) && code.Code == notImplemented && !b.whole.Swap(true) {
		return b.push(ctx, channel, msg, keep, now)
	}
	return h.newest(), err
}

// shorten makes room in a history: it removes one that has ended, or cuts it to
// the newest size messages, or as many as are half of most.
func (b *Broker) shorten(ctx context.Context, channel string, size int, now time.Time) error {
	gone, err := b.kept.DeleteOne(ctx, bson.D{{Key: "_id", Value: binary(channel)}, {Key: "x", Value: bson.D{{Key: "$lte", Value: now}}}})
	if err != nil || gone.DeletedCount > 0 {
		return err
	}
	h, err := b.read(ctx, channel)
	if err != nil || h.Epoch == 0 {
		return err
	}
	left, bytes := len(h.Lines), 0
	for left > 0 && len(h.Lines)-left < size && bytes+len(h.Lines[left-1].Msg) <= b.most/2 {
		left--
		bytes += len(h.Lines[left].Msg)
	}
	filter := bson.D{{Key: "_id", Value: binary(channel)}, {Key: "e", Value: h.Epoch}, {Key: "o", Value: h.Offset}}
	change := bson.D{{Key: "$set", Value: bson.D{
		{Key: "l", Value: h.Lines[left:]}, {Key: "n", Value: int64(len(h.Lines) - left)}, {Key: "b", Value: int64(bytes)}}}}
	_, err = b.kept.UpdateOne(ctx, filter, change)
	return err
}

// read gives the zero history where there is none, or it has ended.
func (b *Broker) read(ctx context.Context, channel string) (h history, err error) {
	err = b.kept.FindOne(ctx, bson.D{{Key: "_id", Value: binary(channel)}}).Decode(&h)
	if errors.Is(err, mongo.ErrNoDocuments) || err == nil && !h.Ends.After(time.Now()) {
		return history{}, nil
	}
	return h, err
}

// newest gives the newest ids of those channels that have a history.
func (b *Broker) newest(channels []string) (map[string]hub.ID, error) {
	ctx, cancel := context.WithTimeout(b.ctx, overdue)
	defer cancel()
	names := make(bson.A, 0, len(channels))
	for _, name := range channels {
		names = append(names, binary(name))
	}
	cursor, err := b.kept.Find(ctx, bson.D{{Key: "_id", Value: bson.D{{Key: "$in", Value: names}}}},
		options.Find().SetProjection(bson.D{{Key: "e", Value: 1}, {Key: "o", Value: 1}}))
	if err != nil {
		return nil, err
	}
	defer cursor.Close(ctx)
	ids := make(map[string]hub.ID)
	for cursor.Next(ctx) {
		var h history
		if err := cursor.Decode(&h); err != nil {
			return nil, err
		}
		_, name, _ := cursor.Current.Lookup("_id").BinaryOK()
		ids[string(name)] = h.newest()
	}
	return ids, cursor.Err()
}

// Replay is hub.Broker's.
func (b *Broker) Replay(ctx context.Context, channel string, after hub.ID, f func(id hub.ID, msg []byte)) (hub.ID, error) {
	ctx, cancel := b.within(ctx)
	defer cancel()
	h, err := b.read(ctx, channel)
	if err != nil {
		return hub.ID{}, fmt.Errorf("mongodb: %w", err)
	}
	if after.Epoch != 0 && after.Epoch != uint64(h.Epoch) {
		return h.newest(), hub.ErrEpoch
	}
	if f != nil {
		h.each(after, f)
	}
	return h.newest(), nil
}
