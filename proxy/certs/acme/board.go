package acme

import (
	"context"
	"encoding/binary"
	"errors"
	"io/fs"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/caddyserver/certmagic"
	"github.com/redis/rueidis"
)

// board is a certmagic.Storage in Redis: a hash with a field for each of its
// keys, in front of whose value is when it was written. One hash, and not keys
// of their own, so that listing is no search through a server, or through all
// of a cluster.
type board struct {
	opt  rueidis.ClientOption
	hash string
	log  *slog.Logger

	mu     sync.Mutex
	client rueidis.Client   // guarded by mu; nil: not connected yet
	held   map[string]*hold // guarded by mu
}

var errTorn = errors.New("what Redis has for it was not written by us")

const stamp = 8 // bytes: nanoseconds since 1970

func newBoard(o rueidis.ClientOption, prefix string, log *slog.Logger) *board {
	o.DisableRetry = true // until the deadline, and in silence; who asks us tries again
	return &board{opt: o, hash: prefix + ":acme", log: log, held: map[string]*hold{}}
}

// at connects, if that has not been done: at start Redis may be away.
func (b *board) at() (rueidis.Client, error) {
	b.mu.Lock()
	c := b.client
	b.mu.Unlock()
	if c != nil {
		return c, nil
	}
	c, err := rueidis.NewClient(b.opt) // outside of mu: it waits on the network
	if err != nil {
		return nil, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.client != nil { // somebody was faster
		c.Close()
	} else {
		b.client = c
	}
	return b.client, nil
}

func (b *board) close() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.client != nil {
		b.client.Close()
	}
}

// do sends one command, and waits no longer than storeTime.
func (b *board) do(ctx context.Context, build func(rueidis.Builder) rueidis.Completed) (r rueidis.RedisResult, err error) {
	ctx, cancel := context.WithTimeout(ctx, storeTime)
	defer cancel()
	c, err := b.at()
	if err != nil {
		return r, err
	}
	r = c.Do(ctx, build(c.B()))
	if err = r.Error(); rueidis.IsRedisNil(err) {
		err = fs.ErrNotExist
	}
	return r, err
}

func (b *board) Store(ctx context.Context, key string, value []byte) error {
	dated := append(binary.BigEndian.AppendUint64(nil, uint64(time.Now().UnixNano())), value...)
	_, err := b.do(ctx, func(r rueidis.Builder) rueidis.Completed {
		return r.Hset().Key(b.hash).FieldValue().FieldValue(key, rueidis.BinaryString(dated)).Build()
	})
	return err
}

func (b *board) Load(ctx context.Context, key string) ([]byte, error) {
	dated, err := b.load(ctx, key)
	if err != nil {
		return nil, err
	}
	return dated[stamp:], nil
}

func (b *board) load(ctx context.Context, key string) ([]byte, error) {
	r, err := b.do(ctx, func(r rueidis.Builder) rueidis.Completed { return r.Hget().Key(b.hash).Field(key).Build() })
	if err != nil {
		return nil, err
	}
	dated, err := r.AsBytes()
	if err == nil && len(dated) < stamp {
		err = errTorn
	}
	return dated, err
}

// Delete takes the keys below one with it.
func (b *board) Delete(ctx context.Context, key string) error {
	fields, err := b.List(ctx, key, true)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	_, err = b.do(ctx, func(r rueidis.Builder) rueidis.Completed {
		return r.Hdel().Key(b.hash).Field(append(fields, key)...).Build()
	})
	return err
}

func (b *board) Exists(ctx context.Context, key string) bool {
	_, err := b.Stat(ctx, key)
	return err == nil
}

// List is the keys below dir; without recursive, only the next part of each.
func (b *board) List(ctx context.Context, dir string, recursive bool) (keys []string, err error) {
	r, err := b.do(ctx, func(r rueidis.Builder) rueidis.Completed { return r.Hkeys().Key(b.hash).Build() })
	if err != nil {
		return nil, err
	}
	fields, err := r.AsStrSlice()
	if err != nil {
		return nil, err
	}
	if keys = below(fields, dir, recursive); len(keys) == 0 {
		return nil, fs.ErrNotExist
	}
	return keys, nil
}

func below(fields []string, dir string, recursive bool) (keys []string) {
	if dir = strings.Trim(dir, "/"); dir != "" {
		dir += "/"
	}
	seen := map[string]bool{}
	for _, f := range fields {
		rest, ok := strings.CutPrefix(f, dir)
		if part, _, deeper := strings.Cut(rest, "/"); deeper && !recursive {
			rest = part
		}
		if ok && !seen[rest] {
			seen[rest] = true
			keys = append(keys, dir+rest)
		}
	}
	return keys
}

func (b *board) Stat(ctx context.Context, key string) (info certmagic.KeyInfo, err error) {
	info.Key = key
	dated, err := b.load(ctx, key)
	switch {
	case err == nil:
		info.Modified = time.Unix(0, int64(binary.BigEndian.Uint64(dated)))
		info.Size, info.IsTerminal = int64(len(dated)-stamp), true
	case errors.Is(err, fs.ErrNotExist): // or a directory
		_, err = b.List(ctx, key, false)
	}
	return info, err
}
