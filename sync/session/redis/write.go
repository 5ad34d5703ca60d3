package redis

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/redis/rueidis"

	"multiserver/sync/session"
)

// run runs a script that answers with a number. args are its own: a script that
// nobody waits for any more goes on with them.
func (s *Store) run(ctx context.Context, script *rueidis.Lua, id session.ID, args ...string) (int64, error) {
	if s.closed.Load() {
		return 0, session.ErrAway
	}
	key := s.key(id)
	res, err := s.Link.Ask(ctx, key, func(ctx context.Context, c rueidis.Client) rueidis.RedisResult {
		return script.Exec(ctx, c, []string{key}, args)
	})
	s.forget(id) // with an error, too: it may have been done
	if err != nil {
		return 0, session.ErrAway
	}
	n, err := res.AsInt64()
	if err != nil {
		s.Stats.Errors.Add(1)
		return 0, fmt.Errorf("%w: redis: %w", session.ErrAway, err)
	}
	switch n {
	case saysNone:
		return 0, session.ErrNone
	case saysMoved:
		return 0, session.ErrMoved
	case saysConflict:
		return 0, session.ErrConflict
	case saysLimit:
		return 0, session.ErrLimit
	}
	return n, nil
}

// Patch is session.Store's.
func (s *Store) Patch(ctx context.Context, id session.ID, p *session.Patch) (uint64, error) {
	if len(p.Changes) > maxChanges {
		return 0, session.ErrLimit
	}
	args := append(make([]string, 0, 8+2*len(p.Changes)),
		strconv.FormatUint(p.IfVersion, 10), flag(p.Create), millis(p.Life), millis(p.Idle), millis(p.MaxAge),
		strconv.Itoa(session.MaxKeys), strconv.Itoa(session.MaxBytes), "")
	deleted := 0
	for _, c := range p.Changes {
		if len(c.Key) > session.MaxKey {
			return 0, session.ErrLimit
		}
		if c.Value == nil {
			deleted++
			args = append(args, ":"+string(c.Key))
		}
	}
	args[7] = strconv.Itoa(deleted)
	for _, c := range p.Changes {
		if c.Value != nil {
			args = append(args, ":"+string(c.Key), string(c.Value))
		}
	}
	n, err := s.run(ctx, patch, id, args...)
	return uint64(n), err
}

// maxChanges is what a script's stack holds with room to spare; a patch of
// MaxPatch bytes that deletes keys of one letter has no more.
const maxChanges = 3000

func flag(on bool) string {
	if on {
		return "1"
	}
	return "0"
}

func millis(d time.Duration) string { return strconv.FormatInt(d.Milliseconds(), 10) }

// Touch is session.Store's.
func (s *Store) Touch(ctx context.Context, id session.ID, idle time.Duration) error {
	_, err := s.run(ctx, touch, id, millis(idle))
	return err
}

// Drop is session.Store's.
func (s *Store) Drop(ctx context.Context, id session.ID) error {
	if s.closed.Load() {
		return session.ErrAway
	}
	key := s.key(id)
	res, err := s.Link.Ask(ctx, key, func(ctx context.Context, c rueidis.Client) rueidis.RedisResult {
		return c.Do(ctx, c.B().Del().Key(key).Build())
	})
	s.forget(id)
	if err != nil || res.Error() != nil {
		return session.ErrAway
	}
	return nil
}

// moves are how often Rotate begins again, where others change the session.
const moves = 16

// Rotate is session.Store's. In a cluster the two ids lie on different servers,
// and no script sees both: the session is copied to where nobody knows of it
// yet, and then the old one becomes a pointer if it is still what was copied.
func (s *Store) Rotate(ctx context.Context, from, to session.ID, grace time.Duration) error {
	var r session.Record
	for range moves {
		if err := s.read(ctx, from, &r); err != nil {
			return err
		}
		if !r.Moved.Zero() {
			return session.ErrMoved
		}
		if _, err := s.run(ctx, place, to, hash(&r)...); err != nil {
			return err
		}
		_, err := s.run(ctx, point, from, strconv.FormatUint(r.Version, 10), strconv.FormatInt(r.Idle, 10),
			strconv.FormatInt(r.End, 10), to.String(), millis(grace))
		if err == nil {
			return nil
		}
		if errors.Is(err, session.ErrAway) { // it may be a pointer now: the copy has to stay
			return err
		}
		if !errors.Is(err, session.ErrConflict) {
			return errors.Join(err, s.Drop(ctx, to))
		}
	}
	return errors.Join(session.ErrConflict, s.Drop(ctx, to))
}

// hash is what place takes: the idle end, and all fields.
func hash(r *session.Record) []string {
	idle := strconv.FormatInt(r.Idle, 10)
	args := append(make([]string, 0, 11+2*len(r.Values)), idle,
		"v", strconv.FormatUint(r.Version, 10), "c", strconv.FormatInt(r.Created, 10),
		"i", idle, "e", strconv.FormatInt(r.End, 10), "n", strconv.Itoa(r.Size()))
	for _, v := range r.Values {
		args = append(args, ":"+string(v.Key), string(v.Raw))
	}
	return args
}
