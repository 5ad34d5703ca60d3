package redis

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"multiserver/sync/link/place"
)

// What Find, Lease and Mark can say; callers branch on them.
var (
	ErrMiss  = errors.New("redis: no such record")
	ErrAway  = errors.New("redis: away")                 // no answer in time, or given up for now
	ErrTaken = errors.New("redis: lease held elsewhere") // Lease only
)

// Options of Open. Only URL must be given.
type Options struct {
	// URL says where Redis is, and how it is reached:
	//
	//	redis://[user:password@]host[:6379][/db]
	//	redis-sentinel://[user:password@]host[:26379],host…[/db]?master=name[&sentinel_user=…&sentinel_password=…]
	//	redis-cluster://[user:password@]host[:6379],host…
	//
	// rediss in place of redis is TLS.
	URL    string
	CAFile string // PEM of who signs Redis' certificate; the system's if empty

	Prefix  string // of all names in Redis; "multiserver:" if empty; no braces in it
	Version uint32 // of what is in records: others' are misses, but drops and marks reach across versions

	ReadTimeout  time.Duration // how long Find and Lease wait; 20 ms if 0
	QueueBytes   int           // of values that wait to be written; 32 MiB if 0
	QueueEntries int           // commands that wait to be written; 4096 if 0
	OwedEntries  int           // drops that wait for Redis to be back; 4096 if 0
	MarksKept    int           // marks that a node may miss and still get singly; 1024 if 0

	// NoTracking makes changes known by publishing them even if the server says
	// it can do CLIENT TRACKING: for proxies in between that do not pass it on.
	NoTracking bool

	// Changed says that another node replaced or dropped key, or it expired.
	// nil: anything may have changed. It runs in the goroutine that reads the
	// link, which everybody waits for: it must be quick and call nothing here
	// that waits. Several may run at once. key is the callee's.
	Changed func(key []byte)

	// Marked is called for each mark, by number upwards, in one goroutine: at
	// start for all there are, then for new ones, those of this node too, and
	// after a broken link for those missed. nil: so many were missed that
	// everything before seq is gone. The same mark may come twice.
	Marked func(name []byte, seq uint64)

	Log *slog.Logger // slog.Default if nil
}

// Redis is the tier; see the package's comment. All methods may be called at
// once from many goroutines.
type Redis struct {
	opt   Options
	place *place.Place
	names names
	node  string // random: tells our messages and leases from others'

	Stats Stats

	link     atomic.Pointer[link] // nil until Redis was first reached
	up       atomic.Bool
	epoch    atomic.Uint64
	leaseSeq atomic.Uint64
	inflight atomic.Int64 // goroutines that ask
	breakers [breakers]breaker
	pulses   pulses
	watchers watchers
	queue    queue
	owed     owed

	tender // what the goroutine tend keeps for itself
	nudged chan struct{}
	dials  dials

	ctx      context.Context // ended by Close
	cancel   context.CancelFunc
	closing  chan struct{}
	once     sync.Once
	running  sync.WaitGroup // tend, write and the subscriber
	stopping atomic.Bool
}

// Open makes the tier. Whether Redis answers does not matter: it is reached in
// the background, now and after each loss. Only what is wrong with the options
// is an error. ctx bounds nothing but the life: when it ends, so does the tier,
// as by Close.
func Open(ctx context.Context, opt Options) (*Redis, error) {
	opt = withDefaults(opt)
	if strings.ContainsAny(opt.Prefix, "{}") {
		return nil, fmt.Errorf("redis prefix %q: braces choose the node in a cluster, they must not be in it", opt.Prefix)
	}
	where, err := place.Parse(opt.URL, opt.CAFile)
	if err != nil {
		return nil, err
	}
	r := &Redis{
		opt:     opt,
		place:   where,
		names:   newNames(opt.Prefix),
		node:    rand.Text()[:nodeSize],
		nudged:  make(chan struct{}, 1),
		closing: make(chan struct{}),
	}
	r.ctx, r.cancel = context.WithCancel(ctx)
	// Not where the process before began: what is kept over a restart bears its
	// epochs, and must not seem to be of one of ours.
	r.epoch.Store(uint64(time.Now().UnixNano()))
	r.queue.init(opt.QueueEntries, opt.QueueBytes)
	r.running.Go(r.tend)
	r.running.Go(r.write)
	return r, nil
}

// nodeSize is the length of a node's name: 80 random bits in base32.
const nodeSize = 16

func withDefaults(opt Options) Options {
	if opt.Prefix == "" {
		opt.Prefix = "multiserver:"
	}
	if opt.ReadTimeout <= 0 {
		opt.ReadTimeout = 20 * time.Millisecond
	}
	if opt.QueueBytes <= 0 {
		opt.QueueBytes = 32 << 20
	}
	if opt.QueueEntries <= 0 {
		opt.QueueEntries = 4096
	}
	if opt.OwedEntries <= 0 {
		opt.OwedEntries = 4096
	}
	if opt.MarksKept <= 0 {
		opt.MarksKept = 1024
	}
	if opt.Log == nil {
		opt.Log = slog.Default()
	}
	return opt
}

// Up tells whether Redis answered when last asked, and news of changes come.
func (r *Redis) Up() bool { return r.up.Load() }

// Epoch grows whenever news of changes may have been missed. What was stored
// under an older one is suspect.
func (r *Redis) Epoch() uint64 { return r.epoch.Load() }

// drainTime is how long Close lets the queue be written. Then connections end,
// which takes the client a second more if the server does not answer.
const drainTime = time.Second

// Close writes what is queued, for a second at most, and ends all goroutines.
// What comes after it is dropped.
func (r *Redis) Close() {
	r.once.Do(func() {
		r.stopping.Store(true)
		close(r.closing)
		hurry := time.AfterFunc(drainTime, r.cancel)
		r.running.Wait()
		hurry.Stop()
		r.cancel()
		if l := r.link.Swap(nil); l != nil {
			l.close()
		}
		r.settle()
	})
}

// settle waits for the goroutines that ask, and for the client's: it has given
// up its connections when their files are closed.
func (r *Redis) settle() {
	for end := time.Now().Add(2 * drainTime); time.Now().Before(end); time.Sleep(time.Millisecond) {
		if r.inflight.Load() == 0 && r.dials.open.Load() == 0 {
			return
		}
	}
}
