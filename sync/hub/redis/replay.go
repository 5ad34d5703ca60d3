package redis

import (
	"context"
	"errors"
	"strconv"

	"github.com/redis/rueidis"

	"multiserver/sync/hub"
)

// Replay reads page by page.
func (b *Broker) Replay(ctx context.Context, channel string, after hub.ID, f func(id hub.ID, msg []byte)) (newest hub.ID, err error) {
	from := after
	for {
		rows, err := b.page(ctx, channel, from, f != nil)
		if err != nil {
			return newest, about("replay", err)
		}
		newest, _ = hub.ParseID(rows[0])
		if from.Epoch != 0 && from.Epoch != newest.Epoch {
			return newest, hub.ErrEpoch
		}
		for i := 2; i+1 < len(rows); i += 2 {
			if id, ok := hub.ParseID(rows[i]); ok {
				f(id, []byte(rows[i+1]))
			}
		}
		last, more := hub.ParseID(rows[1])
		if !more {
			return newest, nil
		}
		from = last
	}
}

func (b *Broker) page(ctx context.Context, channel string, after hub.ID, wanted bool) ([]string, error) {
	args := []string{"", strconv.FormatUint(after.Offset+1, 10), "0"}
	if after.Epoch != 0 {
		args[0] = strconv.FormatUint(after.Epoch, 10)
	}
	if wanted {
		args[2] = strconv.Itoa(page)
	}
	keys := []string{b.stream(channel)}
	res, err := b.link.Ask(ctx, keys[0], func(ctx context.Context, c rueidis.Client) rueidis.RedisResult {
		return behind.Exec(ctx, c, keys, args)
	})
	if err != nil {
		return nil, err
	}
	rows, err := res.AsStrSlice()
	if err == nil && len(rows) < 2 {
		err = errors.New("Redis gives half an answer")
	}
	return rows, err
}
