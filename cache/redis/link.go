package redis

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strconv"
	"sync"
	"sync/atomic"

	"github.com/cespare/xxhash/v2"
	"github.com/redis/rueidis"

	"multiserver/sync/link/place"
)

// A link is a client and how changes come over it.
type link struct {
	rueidis.Client
	tracking   bool
	subscribed atomic.Uint64 // without tracking: how often; 0 while it is not
	first      chan struct{} // closed when it is subscribed for the first time
	stop       context.CancelFunc
	done       chan struct{} // closed when the subscriber has ended; nil if there is none
}

// options are for tracking over the one connection to each node. NOLOOP spares
// us news of what came over the same connection only: with a second one we would
// hear of our own writes, and drop from memory what we have just put there.
func (r *Redis) options(tracking bool) rueidis.ClientOption {
	o := r.place.Client()
	o.DialCtxFn = r.dials.dial
	o.OnInvalidations = r.invalidated
	o.DisableCache = !tracking
	o.ClientTrackingOptions = []string{"PREFIX", r.opt.Prefix, "BCAST", "NOLOOP"}
	return o
}

// connect makes the link, by tracking if the server can.
func (r *Redis) connect() (*link, error) {
	r.dials.lost = r.nudge
	r.dials.stats = &r.Stats
	tracking := !r.opt.NoTracking && !r.untracked
	client, err := rueidis.NewClient(r.options(tracking))
	if err != nil {
		if client != nil {
			client.Close()
		}
		return nil, err
	}
	l := &link{Client: client, tracking: tracking, stop: func() {}}
	if !tracking {
		r.subscribe(l)
	}
	return l, nil
}

func (l *link) close() {
	l.stop()
	l.Client.Close()
	if l.done != nil {
		<-l.done
	}
}

// masters are the nodes that are written to. Replicas are left alone: over a
// connection to one we would hear of our own writes.
func (r *Redis) masters(ctx context.Context, l *link) (map[string]rueidis.Client, error) {
	if r.place.Shape != place.Cluster {
		return map[string]rueidis.Client{"": l.Client}, nil
	}
	slots, err := l.Do(ctx, l.B().ClusterSlots().Build()).ToArray()
	if err != nil {
		return nil, err
	}
	nodes, found := l.Nodes(), make(map[string]rueidis.Client)
	for _, slot := range slots {
		addr, err := masterOf(slot)
		if err != nil {
			return nil, err
		}
		node, ok := nodes[addr]
		if !ok {
			return nil, fmt.Errorf("node %s of the cluster is not known yet", addr)
		}
		found[addr] = node
	}
	if len(found) == 0 {
		return nil, errors.New("the cluster has no slots")
	}
	return found, nil
}

// masterOf reads one range of CLUSTER SLOTS: begin, end, the master, replicas.
func masterOf(slot rueidis.RedisMessage) (string, error) {
	fields, err := slot.ToArray()
	if err != nil || len(fields) < 3 {
		return "", errors.New("CLUSTER SLOTS: a range without nodes")
	}
	node, err := fields[2].ToArray()
	if err != nil || len(node) < 2 {
		return "", errors.New("CLUSTER SLOTS: a node without a place")
	}
	host, _ := node[0].ToString()
	port, err := node[1].AsInt64()
	return net.JoinHostPort(host, fmt.Sprint(port)), err
}

// armed is what news depend on: the masters and when each was dialled, or how
// often we subscribed. Another value: news may have been missed. 0: none come.
func (r *Redis) armed(l *link, masters map[string]rueidis.Client) (mark uint64) {
	switch {
	case !l.tracking:
		return l.subscribed.Load()
	case r.place.Shape != place.Cluster:
		return r.dials.count()
	}
	for addr := range masters {
		mark += xxhash.Sum64String(addr + strconv.FormatUint(r.dials.of(addr), 10))
	}
	return mark
}

// dials counts the connections that the client makes and loses. The client
// tells of neither, and dials by itself when a command finds no connection.
type dials struct {
	lost  func()
	stats *Stats
	open  atomic.Int64

	mu   sync.Mutex
	all  uint64            // guarded by mu
	last map[string]uint64 // guarded by mu; all, when an address was last dialled
}

func (d *dials) dial(ctx context.Context, addr string, dialer *net.Dialer, secure *tls.Config) (net.Conn, error) {
	conn, err := d.connect(ctx, addr, dialer, secure)
	if err != nil {
		return nil, err
	}
	d.mu.Lock()
	if d.last == nil {
		d.last = make(map[string]uint64)
	}
	d.all++
	d.last[addr] = d.all
	d.mu.Unlock()
	d.open.Add(1)
	d.stats.Dials.Add(1)
	d.lost()
	return &conned{Conn: conn, d: d}, nil
}

func (d *dials) connect(ctx context.Context, addr string, dialer *net.Dialer, secure *tls.Config) (net.Conn, error) {
	if secure == nil {
		return dialer.DialContext(ctx, "tcp", addr)
	}
	return (&tls.Dialer{NetDialer: dialer, Config: secure}).DialContext(ctx, "tcp", addr)
}

func (d *dials) count() uint64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.all
}

func (d *dials) of(addr string) uint64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.last[addr]
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
		c.d.stats.LinkLost.Add(1)
		c.d.lost()
	})
	return err
}
