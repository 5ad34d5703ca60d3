package link

import (
	"context"
	"crypto/tls"
	"net"
	"sync"
	"sync/atomic"

	"github.com/redis/rueidis"

	"multiserver/sync/link/place"
)

// Client is how one who keeps no link goes to a server, with a client of his own.
func Client(url string) (rueidis.ClientOption, error) {
	p, err := place.Parse(url, "")
	if err != nil {
		return rueidis.ClientOption{}, err
	}
	return p.Client(), nil
}

func (l *Link) options(tracking bool) rueidis.ClientOption {
	o := l.place.Client()
	o.DialCtxFn = l.dials.dial
	o.DisableCache = !tracking
	if tracking {
		o.OnInvalidations = l.invalidated
		o.ClientTrackingOptions = []string{"BCAST"}
		for _, p := range l.opt.Prefixes {
			o.ClientTrackingOptions = append(o.ClientTrackingOptions, "PREFIX", p)
		}
	}
	return o
}

// invalidated is called by the goroutine that reads a connection. nil is a
// flush, or the end of the connection.
func (l *Link) invalidated(keys []rueidis.RedisMessage) {
	if keys == nil {
		l.everything()
		return
	}
	for i := range keys {
		if key, err := keys[i].ToString(); err == nil && key != "" {
			l.Stats.Pushes.Add(1)
			l.opt.Changed(key)
		}
	}
}

func (l *Link) everything() {
	l.Stats.Flushes.Add(1)
	if l.opt.Changed != nil {
		l.opt.Changed("")
	}
	l.nudge()
}

// dials counts the connections that the client makes and loses. The client
// tells of neither, and dials by itself when a command finds no connection.
type dials struct {
	of   *Link
	open atomic.Int64
}

func (d *dials) dial(ctx context.Context, addr string, dialer *net.Dialer, secure *tls.Config) (conn net.Conn, err error) {
	if secure == nil {
		conn, err = dialer.DialContext(ctx, "tcp", addr)
	} else {
		conn, err = (&tls.Dialer{NetDialer: dialer, Config: secure}).DialContext(ctx, "tcp", addr)
	}
	if err != nil {
		return nil, err
	}
	d.open.Add(1)
	d.of.Stats.Dials.Add(1)
	d.of.everything() // between the one before and this one nobody listened
	return &conned{Conn: conn, d: d}, nil
}

// conned says once that it was closed.
type conned struct {
	net.Conn
	d    *dials
	once sync.Once
}

func (c *conned) Close() error {
	err := c.Conn.Close()
	c.once.Do(func() {
		c.d.open.Add(-1)
		c.d.of.Stats.Lost.Add(1)
		c.d.of.everything()
	})
	return err
}
