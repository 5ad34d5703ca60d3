package meta

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/cespare/xxhash/v2"
)

const (
	// MaxKey is the longest key, in bytes.
	MaxKey = 250
	// MaxValue is the longest value: memcached takes items of 1 MiB, of which
	// the key and its own notes take a little.
	MaxValue = 1<<20 - 1<<10
	maxValue = 1 << 20 // of an answer

	defaultTimeout = 250 * time.Millisecond
	defaultConns   = 64
)

var none = []byte{}

var (
	ErrMiss     = errors.New("memcached has no such key")
	ErrExists   = errors.New("memcached has the key already")
	ErrConflict = errors.New("the value has changed since it was read")
	ErrKey      = errors.New("not a key for memcached: 1 to 250 bytes, no space and nothing unprintable")
	ErrSize     = errors.New("value too long for memcached")
	// ErrDown: the last calls failed, and it is too early to try again.
	ErrDown   = errors.New("memcached does not answer and is not asked for a while")
	ErrBusy   = errors.New("all connections to memcached are in use")
	ErrClosed = errors.New("the client is closed")
)

// Options of a client. Zero values are the defaults.
type Options struct {
	Servers  []string      // host:port, or unix:/path
	Timeout  time.Duration // for a call whose context has no deadline; 250 ms
	Conns    int           // to each server at once; 64
	User     string        // with Password, where memcached runs with -Y
	Password string
	Dial     func(ctx context.Context, network, addr string) (net.Conn, error) // nil: as usual
}

// Client asks the servers. Its methods may be called by many at once.
type Client struct {
	servers []*server
	timeout time.Duration
}

// Stats counts since the beginning, over all servers.
type Stats struct {
	Failed uint64 // calls and dials that failed
	Shut   uint64 // calls refused with ErrDown
	Busy   uint64 // calls refused with ErrBusy
}

type stats struct{ failed, shut, busy atomic.Uint64 }

// New opens nothing: servers may be down, and are found when they are up.
func New(o Options) (*Client, error) {
	if o.Dial == nil {
		o.Dial = new(net.Dialer).DialContext
	}
	if o.Timeout <= 0 {
		o.Timeout = defaultTimeout
	}
	if o.Conns <= 0 {
		o.Conns = defaultConns
	}
	c := &Client{timeout: o.Timeout}
	for _, name := range o.Servers {
		s, err := newServer(name, &o)
		if err != nil {
			return nil, err
		}
		if slices.ContainsFunc(c.servers, func(t *server) bool { return t.addr == s.addr }) {
			return nil, fmt.Errorf("memcached %s is named twice", name)
		}
		c.servers = append(c.servers, s)
	}
	if len(c.servers) == 0 {
		return nil, errors.New("no memcached is named: want host:port or unix:/path")
	}
	return c, nil
}

func newServer(name string, o *Options) (*server, error) {
	s := &server{network: "tcp", addr: name, dial: o.Dial, slots: make(chan struct{}, o.Conns)}
	s.seed = xxhash.Sum64String(name)
	if path, ok := strings.CutPrefix(name, "unix:"); ok {
		s.network, s.addr = "unix", path
		if path == "" {
			return nil, fmt.Errorf("memcached %q: want unix:/path", name)
		}
	} else if _, port, err := net.SplitHostPort(name); err != nil || port == "" {
		return nil, fmt.Errorf("memcached %q: want host:port or unix:/path", name)
	}
	s.login = login(o.User, o.Password)
	return s, nil
}

// Get appends to dst what key holds, and gives the number that Swap wants.
func (c *Client) Get(ctx context.Context, dst, key []byte) ([]byte, uint64, error) {
	return c.get(ctx, dst, key, -1)
}

// GetTouch does as Get and lets the value live for ttl from now, in one command.
func (c *Client) GetTouch(ctx context.Context, dst, key []byte, ttl time.Duration) ([]byte, uint64, error) {
	return c.get(ctx, dst, key, ttl)
}

func (c *Client) get(ctx context.Context, dst, key []byte, ttl time.Duration) ([]byte, uint64, error) {
	k, err := c.begin(ctx, "mg ", key)
	if err != nil {
		return dst, 0, err
	}
	k.out = append(k.out, " v c"...)
	if ttl >= 0 {
		k.flag('T', uint64(expiry(k.now, ttl)))
	}
	r, err := k.ask(nil)
	if err == nil && r.code == codeValue {
		dst, err = k.value(dst, r.size)
	}
	return dst, r.cas, k.end(r, err, codeValue)
}

// Touch lets a value live for ttl from now; 0: for ever. ErrMiss if there is none.
func (c *Client) Touch(ctx context.Context, key []byte, ttl time.Duration) error {
	k, err := c.begin(ctx, "mg ", key)
	if err != nil {
		return err
	}
	k.flag('T', uint64(expiry(k.now, ttl)))
	r, err := k.ask(nil)
	return k.end(r, err, codeDone)
}

// Set puts a value whatever was there, for ttl; 0: for ever. It gives the
// number that Swap wants, as do Add and Swap.
func (c *Client) Set(ctx context.Context, key, val []byte, ttl time.Duration) (uint64, error) {
	return c.put(ctx, key, val, " MS", 0, ttl)
}

// Add puts a value where there is none, else ErrExists.
func (c *Client) Add(ctx context.Context, key, val []byte, ttl time.Duration) (uint64, error) {
	return c.put(ctx, key, val, " ME", 0, ttl)
}

// Swap puts a value in the place of the one whose number is cas. ErrConflict:
// it has another by now; ErrMiss: it has none.
func (c *Client) Swap(ctx context.Context, key, val []byte, cas uint64, ttl time.Duration) (uint64, error) {
	return c.put(ctx, key, val, " MS", cas, ttl)
}

func (c *Client) put(ctx context.Context, key, val []byte, mode string, cas uint64, ttl time.Duration) (uint64, error) {
	if len(val) > MaxValue {
		return 0, fmt.Errorf("%w: %d bytes, at most %d", ErrSize, len(val), MaxValue)
	}
	k, err := c.begin(ctx, "ms ", key)
	if err != nil {
		return 0, err
	}
	k.size(len(val))
	k.out = append(append(k.out, " c"...), mode...)
	k.flag('T', uint64(expiry(k.now, ttl)))
	if cas != 0 {
		k.flag('C', cas)
	}
	if val == nil {
		val = none
	}
	r, err := k.ask(val)
	return r.cas, k.end(r, err, codeDone)
}

// Delete drops a key; with a cas, only the value of that number. ErrMiss,
// ErrConflict as with Swap.
func (c *Client) Delete(ctx context.Context, key []byte, cas uint64) error {
	k, err := c.begin(ctx, "md ", key)
	if err != nil {
		return err
	}
	if cas != 0 {
		k.flag('C', cas)
	}
	r, err := k.ask(nil)
	return k.end(r, err, codeDone)
}

// Count adds delta to a number in decimal digits and gives the sum. Where there
// is none it begins at delta, and lives for ttl from then.
func (c *Client) Count(ctx context.Context, key []byte, delta uint64, ttl time.Duration) (uint64, error) {
	k, err := c.begin(ctx, "ma ", key)
	if err != nil {
		return 0, err
	}
	k.out = append(k.out, " v"...)
	k.flag('N', uint64(expiry(k.now, ttl)))
	k.flag('J', delta)
	k.flag('D', delta)
	var digits [24]byte
	val := digits[:0]
	r, err := k.ask(nil)
	if err == nil && r.code == codeValue {
		val, err = k.value(val, r.size)
	}
	if err = k.end(r, err, codeValue); err != nil {
		return 0, err
	}
	n, ok := number(val)
	if !ok {
		return 0, fmt.Errorf("%q is no number: %w", val, errProtocol)
	}
	return n, nil
}

// Stats counts over all servers.
func (c *Client) Stats() (sum Stats) {
	for _, s := range c.servers {
		sum.Failed += s.stats.failed.Load()
		sum.Shut += s.stats.shut.Load()
		sum.Busy += s.stats.busy.Load()
	}
	return sum
}

// Close closes connections as they come to rest. Calls under way end as they
// would; later ones have ErrClosed.
func (c *Client) Close() {
	for _, s := range c.servers {
		s.close()
	}
}
