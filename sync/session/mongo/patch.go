package mongo

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"multiserver/sync/session"
)

const (
	// tries bound a change that others are always ahead of.
	tries    = 64
	pauseMax = 16 * time.Millisecond
)

// Patch is session.Store's. What has room by all accounts is one update, done
// without having read anything; else it is judged by what is there.
func (s *Store) Patch(ctx context.Context, id session.ID, p *session.Patch) (uint64, error) {
	ctx, cancel := s.within(ctx)
	defer cancel()
	for try := range tries {
		version, err := s.blind(ctx, id, p)
		if err == errNoMatch {
			version, err = s.judged(ctx, id, p)
		}
		switch {
		case err == errNoMatch:
		case err != nil:
			return 0, err
		default:
			return version, nil
		}
		if err := pause(ctx, try); err != nil {
			return 0, err
		}
	}
	return 0, away(errOvertaken)
}

func (s *Store) within(ctx context.Context) (context.Context, context.CancelFunc) {
	if _, ok := ctx.Deadline(); ok {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, s.timeout)
}

// pause is longer the more have been ahead, or they meet again.
func pause(ctx context.Context, try int) error {
	wait := time.NewTimer(rand.N(min(pauseMax, time.Millisecond<<min(try, 10))))
	defer wait.Stop()
	select {
	case <-wait.C:
		return nil
	case <-ctx.Done():
		return away(ctx.Err())
	}
}

// errNoMatch: the filter did not let the update happen.
var errNoMatch = errors.New("no match")

// room is what a patch adds to the bounds.
type room struct{ keys, bytes int }

// most is the room of a patch whose keys are all new.
func most(p *session.Patch) (r room) {
	for _, c := range p.Changes {
		if c.Value != nil {
			r.keys++
			r.bytes += len(c.Key) + len(c.Value)
		}
	}
	return r
}

// fits tells whether a session of nothing else would be within the limits.
func fits(p *session.Patch, r room) bool {
	for _, c := range p.Changes {
		if len(c.Key) > session.MaxKey {
			return false
		}
	}
	return r.keys <= session.MaxKeys && r.bytes <= session.MaxBytes
}

// blind patches what is alive, has the version and has room, or begins it.
// Where something is there that does not match, to begin is a duplicate.
func (s *Store) blind(ctx context.Context, id session.ID, p *session.Patch) (uint64, error) {
	need, now := most(p), time.Now()
	if !fits(p, need) {
		return 0, errNoMatch
	}
	filter := append(append(alive(id, now), need.filter()...), named(p)...)
	change := changes(p, now, need.growth())
	create := p.Create && p.IfVersion == 0
	if create {
		change = append(change, bson.E{Key: "$setOnInsert", Value: birth(p, now)})
	}
	return s.update(ctx, filter, change, create)
}

// judged patches what it has read, if the bounds or an end were in the way.
func (s *Store) judged(ctx context.Context, id session.ID, p *session.Patch) (uint64, error) {
	var r session.Record
	was, err := s.find(ctx, id, &r)
	if err != nil && !errors.Is(err, session.ErrNone) {
		return 0, err
	}
	need, old := lacking(p, &r)
	version, now := r.Version, time.Now()
	if err := r.Apply(p, now.UnixMilli()); err != nil {
		return 0, err
	}
	if version == 0 {
		return 0, s.bury(ctx, id, now)
	}
	filter := append(alive(id, now), named(p)...)
	switch {
	case was.bytes+need.bytes > session.MaxBytes: // counted anew, if nobody has written
		filter = append(filter, count("v", int(version)))
		return s.update(ctx, filter, changes(p, now, bson.D{count("a", 1)}, count("n", len(r.Values)), count("b", r.Size())), false)
	case was.keys+need.keys > session.MaxKeys: // counted anew, if nobody has added any
		filter = append(filter, count("a", was.added), atMost("b", session.MaxBytes-need.bytes))
		return s.update(ctx, filter, changes(p, now, bson.D{count("a", 1), count("b", need.bytes)}, count("n", len(r.Values))), false)
	}
	return s.update(ctx, append(append(filter, need.filter()...), old...), changes(p, now, need.growth()), false)
}

// lacking is the room that a patch needs beside what r has, if the keys of old
// are still there.
func lacking(p *session.Patch, r *session.Record) (need room, old bson.D) {
	need = most(p)
	for _, c := range p.Changes {
		if c.Value != nil && r.Find(c.Key) != nil {
			need.keys--
			old = append(old, bson.E{Key: path(c.Key), Value: bson.D{{Key: "$exists", Value: true}}})
		}
	}
	return need, old
}

// growth is what a patch of that need adds to the counters.
func (r room) growth() bson.D {
	return bson.D{count("n", r.keys), count("b", r.bytes), count("a", r.keys)}
}

// filter finds sessions that have the room.
func (r room) filter() bson.D {
	return bson.D{atMost("n", session.MaxKeys-r.keys), atMost("b", session.MaxBytes-r.bytes)}
}

func atMost(name string, n int) bson.E {
	return bson.E{Key: name, Value: bson.D{{Key: "$lte", Value: int64(n)}}}
}

// named is a filter for the version that a patch names.
func named(p *session.Patch) bson.D {
	if p.IfVersion == 0 {
		return nil
	}
	return bson.D{count("v", int(p.IfVersion))}
}

func count(name string, n int) bson.E { return bson.E{Key: name, Value: int64(n)} }

// update gives the version that it has made. The answer is the whole session:
// FerretDB has no projection here.
func (s *Store) update(ctx context.Context, filter, change bson.D, create bool) (uint64, error) {
	opts := options.FindOneAndUpdate().SetUpsert(create).SetReturnDocument(options.After)
	raw, err := s.sessions.FindOneAndUpdate(ctx, filter, change, opts).Raw()
	if errors.Is(err, mongo.ErrNoDocuments) || mongo.IsDuplicateKeyError(err) {
		return 0, errNoMatch
	}
	if err != nil {
		return 0, away(err)
	}
	version, _ := raw.Lookup("v").AsInt64OK()
	return uint64(version), nil
}

// bury removes what has ended and gives errNoMatch: it is time to try again.
func (s *Store) bury(ctx context.Context, id session.ID, now time.Time) error {
	over := bson.D{{Key: "$lte", Value: now}}
	_, err := s.sessions.DeleteOne(ctx, bson.D{{Key: "_id", Value: id.String()}, {Key: "$or", Value: bson.A{
		bson.D{{Key: "i", Value: over}},
		bson.D{{Key: "e", Value: over}},
	}}})
	if err != nil {
		return away(err)
	}
	return errNoMatch
}

// changes are those of keys, ends and version, beside what grows and is set as
// well. No field may be in two of them.
func changes(p *session.Patch, now time.Time, grow bson.D, set ...bson.E) bson.D {
	var unset bson.D
	for _, c := range p.Changes {
		if c.Value == nil {
			unset = append(unset, bson.E{Key: path(c.Key), Value: ""})
		} else {
			set = append(set, bson.E{Key: path(c.Key), Value: binary(c.Value)})
		}
	}
	change := bson.D{{Key: "$inc", Value: append(grow, count("v", 1))}}
	switch {
	case p.MaxAge > 0:
		end := now.Add(p.MaxAge)
		set = append(set, bson.E{Key: "i", Value: end}, bson.E{Key: "e", Value: end})
	case p.Idle > 0:
		change = append(change, bson.E{Key: "$max", Value: bson.D{{Key: "i", Value: now.Add(p.Idle)}}})
	}
	if set != nil {
		change = append(change, bson.E{Key: "$set", Value: set})
	}
	if unset != nil {
		change = append(change, bson.E{Key: "$unset", Value: unset})
	}
	return change
}

// birth is what a new session has that changes does not set.
func birth(p *session.Patch, now time.Time) bson.D {
	fields := bson.D{{Key: "c", Value: now}}
	if p.MaxAge > 0 {
		return fields
	}
	end := now.Add(p.Life)
	fields = append(fields, bson.E{Key: "e", Value: end})
	if p.Idle <= 0 {
		fields = append(fields, bson.E{Key: "i", Value: end})
	}
	return fields
}
