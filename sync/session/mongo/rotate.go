package mongo

import (
	"context"
	"errors"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"multiserver/sync/session"
)

// Rotate is session.Store's. The copy is there before the pointer leads to it,
// and until then nobody knows of it; if the session changes in between, the
// copy is made anew.
func (s *Store) Rotate(ctx context.Context, from, to session.ID, grace time.Duration) error {
	ctx, cancel := s.within(ctx)
	defer cancel()
	for try := range tries {
		err := s.move(ctx, from, to, grace)
		if err == nil || errors.Is(err, session.ErrAway) { // away: the pointer may be there
			return err
		}
		if err != errNoMatch {
			if try > 0 {
				_ = s.Drop(ctx, to) // if that fails: its end comes
			}
			return err
		}
		if err := pause(ctx, try); err != nil {
			return err
		}
	}
	_ = s.Drop(ctx, to)
	return session.ErrConflict
}

func (s *Store) move(ctx context.Context, from, to session.ID, grace time.Duration) error {
	var r session.Record
	if _, err := s.find(ctx, from, &r); err != nil {
		return err
	}
	if !r.Moved.Zero() {
		return session.ErrMoved
	}
	copied := document(to, &r)
	if _, err := s.sessions.ReplaceOne(ctx, copied[:1], copied, options.Replace().SetUpsert(true)); err != nil {
		return away(err)
	}
	now := time.Now()
	pointer := bson.D{{Key: "_id", Value: from.String()}, {Key: "m", Value: to.String()}, {Key: "e", Value: now.Add(max(grace, time.Millisecond))}}
	done, err := s.sessions.ReplaceOne(ctx, append(alive(from, now), bson.E{Key: "v", Value: int64(r.Version)}), pointer)
	if err != nil {
		return away(err)
	}
	if done.MatchedCount == 0 {
		return errNoMatch
	}
	return nil
}
