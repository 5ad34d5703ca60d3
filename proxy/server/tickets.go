package server

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"net"
	"strconv"
	"time"

	"github.com/redis/rueidis"

	"multiserver/proxy/certs"
	"multiserver/proxy/config"
)

// ticketBoard keeps the keys of TLS session tickets in Redis, for all nodes.
// Whoever can read there can read what TLS 1.2 clients say that resume: the
// cache has no secrets of that kind, so Redis is worth its password and TLS.
type ticketBoard struct{ redis *config.Redis }

var errTicketKey = errors.New("what Redis has for a ticket key is none")

// Keys is of certs.Shared. It is asked twice a day, which is not worth
// keeping a connection for.
func (b ticketBoard) Keys(ctx context.Context, from int64, n int) ([][32]byte, error) {
	c, err := rueidis.NewClient(b.option())
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

func (b ticketBoard) option() rueidis.ClientOption {
	r := b.redis
	o := rueidis.ClientOption{
		InitAddress:       r.Addrs,
		Username:          r.User,
		Password:          r.Password,
		SelectDB:          r.DB,
		Dialer:            net.Dialer{Timeout: time.Second},
		ConnWriteTimeout:  2 * time.Second,
		DisableCache:      true, // its tracking is for what is read again
		PipelineMultiplex: -1,
		ForceSingleClient: r.Mode == "",
	}
	if r.TLS {
		o.TLSConfig = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	if r.Mode == "sentinel" {
		o.Sentinel = rueidis.SentinelOption{MasterSet: r.Master, Dialer: o.Dialer, TLSConfig: o.TLSConfig}
	}
	return o
}
