package link

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/rueidis"

	"multiserver/sync/link/place"
)

// ErrAway is that Redis gave no answer in time, or is not asked for now.
var ErrAway = errors.New("redis: away")

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

	Timeout time.Duration // how long an Ask takes at most; 250 ms if 0

	// Prefixes of keys whose changes are told. Where the server does not track
	// keys, Tracking says so, and Changed is called for losses alone.
	Prefixes []string

	// Changed says that the key has changed or ended, "" that any may have. It
	// runs in the goroutine that reads the connection, which everybody waits for:
	// it must be quick and ask nothing. Several may run at once.
	Changed func(key string)

	// Up and Down tell that Redis answers, and that it does not. They are called
	// in turns, Up first, by one goroutine, which does nothing else meanwhile.
	Up   func()
	Down func(err error)

	Name string       // for the log: what it is for
	Log  *slog.Logger // slog.Default if nil

	renewAfter time.Duration // tests cannot wait
}

// Link is a client that is kept; see the package's comment. All methods may be
// called from many goroutines.
type Link struct {
	opt   Options
	place *place.Place

	Stats Stats

	client   atomic.Pointer[rueidis.Client] // nil until Redis was first reached
	up       atomic.Bool
	tracking atomic.Bool
	inflight atomic.Int64
	breakers [breakers]breaker
	dials    dials

	nudged  chan struct{}
	ctx     context.Context // ended by Close
	cancel  context.CancelFunc
	once    sync.Once
	running sync.WaitGroup // tend
}

// Stats are counters of a Link.
type Stats struct {
	Asks        atomic.Uint64 // commands that were sent
	Timeouts    atomic.Uint64 // of them, without an answer in time
	Failures    atomic.Uint64 // of them, with an error of the connection or the server
	Away        atomic.Uint64 // not sent: not reached yet, or the breaker is open
	Busy        atomic.Uint64 // not sent: too many under way
	BreakerOpen atomic.Uint64
	Dials       atomic.Uint64 // connections made
	Lost        atomic.Uint64 // connections closed, by whomever
	Pushes      atomic.Uint64 // keys told of
	Flushes     atomic.Uint64 // times that everything may have changed
}

// Open makes the link. Only what is wrong with the options is an error. When
// ctx ends so does the link, but Close it all the same.
func Open(ctx context.Context, opt Options) (*Link, error) {
	where, err := place.Parse(opt.URL, opt.CAFile)
	if err != nil {
		return nil, err
	}
	if opt.Timeout <= 0 {
		opt.Timeout = 250 * time.Millisecond
	}
	if opt.renewAfter == 0 {
		opt.renewAfter = renewAfter
	}
	if opt.Log == nil {
		opt.Log = slog.Default()
	}
	l := &Link{opt: opt, place: where, nudged: make(chan struct{}, 1)}
	l.ctx, l.cancel = context.WithCancel(ctx)
	l.dials.of = l
	l.running.Go(l.tend)
	return l, nil
}

// Client is the client, or nil until Redis was first reached. It never retries.
// It is for what Ask does not do: subscriptions. Give it a ctx that ends, and
// do not close it. Ask for it again at each Up: after a long loss it may be
// another one, and what the one before had under way has failed.
func (l *Link) Client() rueidis.Client {
	if c := l.client.Load(); c != nil {
		return *c
	}
	return nil
}

// Up tells whether Redis answered when last asked.
func (l *Link) Up() bool { return l.up.Load() }

// Tracking tells whether Changed hears of changes.
func (l *Link) Tracking() bool { return l.tracking.Load() }

// Cluster tells whether it is one, where keys of one command have to be of one
// slot, and messages are best published by SPUBLISH.
func (l *Link) Cluster() bool { return l.place.Shape == place.Cluster }

// Name is the URL without its password.
func (l *Link) Name() string { return l.place.Name }

// Close ends the connections, and waits for the goroutines, for two seconds at
// most where a server hangs.
func (l *Link) Close() {
	l.once.Do(func() {
		l.cancel()
		l.running.Wait()
		if c := l.client.Load(); c != nil {
			(*c).Close()
		}
		l.settle()
	})
}

// settle waits for those who ask, and for the client's goroutines: it has given
// up its connections when their files are closed.
func (l *Link) settle() {
	for end := time.Now().Add(2 * time.Second); time.Now().Before(end); time.Sleep(time.Millisecond) {
		if l.inflight.Load() == 0 && l.dials.open.Load() == 0 {
			return
		}
	}
}
