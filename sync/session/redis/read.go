package redis

import (
	"context"
	"fmt"
	"strconv"

	"github.com/redis/rueidis"

	"multiserver/sync/session"
)

// read is a Load that asks Redis.
func (s *Store) read(ctx context.Context, id session.ID, into *session.Record) error {
	key := s.key(id)
	res, err := s.Link.Ask(ctx, key, func(ctx context.Context, c rueidis.Client) rueidis.RedisResult {
		return c.Do(ctx, c.B().Hgetall().Key(key).Build())
	})
	if err != nil {
		return session.ErrAway
	}
	fields, err := res.AsStrMap()
	if err != nil {
		s.Stats.Damaged.Add(1)
		return fmt.Errorf("%w: %s is no hash: %w", session.ErrAway, key, err)
	}
	if len(fields) == 0 {
		return session.ErrNone
	}
	if !parse(fields, into) {
		s.Stats.Damaged.Add(1)
		into.Reset()
		return session.ErrNone
	}
	return nil
}

// parse fills into from a hash.
func parse(fields map[string]string, into *session.Record) bool {
	var err error
	number := func(name string) int64 {
		n, e := strconv.ParseInt(fields[name], 10, 64)
		if e != nil {
			err = e
		}
		return n
	}
	into.End = number("e")
	if to, pointer := fields["m"]; pointer {
		id, ok := session.ParseID([]byte(to))
		into.Moved = id
		return ok && err == nil
	}
	into.Version, into.Created, into.Idle = uint64(number("v")), number("c"), number("i")
	for name, value := range fields {
		if name != "" && name[0] == ':' {
			into.Put([]byte(name[1:]), []byte(value))
		}
	}
	return err == nil
}
