package server

import (
	"context"
	"crypto/rand"
	"errors"
	"strconv"

	"github.com/redis/rueidis"

	"multiserver/proxy/certs"
	"multiserver/proxy/config"
	"multiserver/sync/link"
)

// ticketBoard keeps the keys of TLS session tickets in Redis, for all nodes.
// Whoever can read there can read what TLS 1.2 clients say that resume: the
// cache has no secrets of that kind, so Redis is worth its password and TLS.
type ticketBoard struct{ redis *config.Redis }

var errTicketKey = errors.New("what Redis has for a ticket key is none")

// Keys is of certs.Shared. It is asked twice a day, which is not worth
// keeping a connection for.
func (b ticketBoard) Keys(ctx context.Context, from int64, n int) ([][32]byte, error) {
	o, err := b.option()
	if err != nil {
		return nil, err
	}
	c, err := rueidis.NewClient(o)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	keys := make([][32]byte, n)
	for i := range keys {
		if err := b.agree(ctx, c, from+int64(i), &keys[i]); err != nil {
			return nil, err
		}
	}
	return keys, nil
}

// agree offers a key for an epoch, and takes the one that came first.
func (b ticketBoard) agree(ctx context.Context, c rueidis.Client, epoch int64, key *[32]byte) error {
	name := b.redis.Prefix + ":tls-ticket:" + strconv.FormatInt(epoch, 10)
	_, _ = rand.Read(key[:])         // never fails
	const life = 6 * certs.TicketAge // one before its epoch, three within and behind it, and some
	offer := c.B().Set().Key(name).Value(rueidis.BinaryString(key[:])).Nx().Ex(life).Build()
	if err := c.Do(ctx, offer).Error(); err != nil && !rueidis.IsRedisNil(err) {
		return err
	}
	there, err := c.Do(ctx, c.B().Get().Key(name).Build()).AsBytes()
	if err != nil {
		return err
	}
	if copy(key[:], there) != len(key) || len(there) != len(key) {
		return errTicketKey
	}
	return nil
}

// option is how a client goes there. What it reads it does not read again soon.
func (b ticketBoard) option() (rueidis.ClientOption, error) {
	o, err := link.Client(redisURL(b.redis))
	o.DisableCache = true
	return o, err
}
