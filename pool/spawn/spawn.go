package spawn

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"slices"
	"sync"
	"sync/atomic"

	"multiserver/pool"
)

// App is an app that is run as several processes.
type App struct {
	opt   Options
	path  string // of the program
	as    *owner // nil: as we are
	dir   string // of sockets; ours
	mark  string // in the environment of all that it starts
	guard *guard
	forks chan func() // for the thread that starts children

	serial  atomic.Uint64 // of children
	turns   chan struct{} // one is taken by each that is being replaced
	rolling chan struct{} // taken by a roll
	wanted  chan Cause    // a roll that somebody asked for and does not wait for

	Stats Stats

	mu     sync.Mutex
	ctx    context.Context // guarded by mu, set by Run: ends when all is to stop
	slots  []*slot         // guarded by mu; by number
	ending bool            // guarded by mu; no slot may begin
	work   sync.WaitGroup  // slots, and what replaces their children

	// door is held while the pool is told, so that what it was told last is
	// what is true.
	door    sync.Mutex
	members []*child // guarded by door
	join    Join     // guarded by door
}

// Join tells the pool who the members of this App are now, all of them, and
// returns its upstreams in the same order. It is called by one goroutine at a
// time, must not wait, and is not called after Run returned.
type Join func([]pool.Target) []*pool.Upstream

// Stats are an App's counters.
type Stats struct {
	Starts  atomic.Uint64         // processes started
	Ends    [Causes]atomic.Uint64 // by why they ended
	Kills   atomic.Uint64         // that did not end when they were told
	Lines   atomic.Uint64         // of output
	Dropped atomic.Uint64         // lines of output that were too many
	Rolls   atomic.Uint64         // that went well
	Failed  atomic.Uint64         // rolls that did not
	Unheard atomic.Uint64         // events that the hook was not told, or did not take
}

// New checks o against this machine and starts nothing yet. Its errors name
// what is wrong and the way out. Without Run, Close is to be called.
func New(o Options) (*App, error) {
	o.fill()
	if err := o.check(); err != nil {
		return nil, err
	}
	a := &App{opt: o, forks: make(chan func()), turns: make(chan struct{}, o.Surge), rolling: make(chan struct{}, 1), wanted: make(chan Cause, 1)}
	var err error
	if a.as, err = lookup(o.User); err != nil {
		return nil, err
	}
	if a.path, err = program(o.Command[0], o.Dir); err != nil {
		return nil, err
	}
	if a.dir, err = makeDir(a.as); err != nil {
		return nil, err
	}
	var id [12]byte
	_, _ = rand.Read(id[:]) // never fails
	a.mark = hex.EncodeToString(id[:])
	return a, nil
}

// Close takes back what New made. Run does that, too.
func (a *App) Close() { _ = os.RemoveAll(a.dir) }

// Name is that of Options.
func (a *App) Name() string { return a.opt.Name }

// Events is where this App's events go.
func (a *App) Events() *Events { return a.opt.Events }

// Run starts the instances and keeps them running until ctx is done. Then it
// stops them, and returns when nothing that it or they started is left. It is
// called once.
func (a *App) Run(ctx context.Context, join Join) {
	defer a.Close()
	var wg sync.WaitGroup
	wg.Go(a.fork)
	a.guard = newGuard(a.mark, a.dir, a.opt.Log)
	helpers, stop := context.WithCancel(context.Background())
	if a.opt.Hook != "" {
		events, end := a.opt.Events.Listen() // before there are any
		wg.Go(func() {
			defer end()
			a.tell(helpers, events)
		})
	}
	a.begin(ctx, join)
	a.work.Go(func() { a.rollOnDemand(ctx) })
	if a.opt.limited() {
		a.work.Go(func() { a.keepLimits(ctx) })
	}
	if len(a.opt.Watch) > 0 {
		a.work.Go(func() { a.watch(ctx) })
	}
	<-ctx.Done()
	a.mu.Lock()
	a.ending = true
	a.mu.Unlock()
	a.work.Wait()
	stop()
	close(a.forks)
	wg.Wait()
	a.guard.close()
}

func (a *App) begin(ctx context.Context, join Join) {
	a.door.Lock()
	a.join = join
	a.door.Unlock()
	a.mu.Lock()
	defer a.mu.Unlock()
	a.ctx = ctx
	a.resize(a.opt.Instances)
}

var errNotRunning = errors.New("the server is starting or stopping")

// Scale changes how many instances there are. Those who are too many leave in
// good order; it waits for nobody.
func (a *App) Scale(n int) error {
	if err := checkCount(n); err != nil {
		return err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.ctx == nil || a.ending {
		return errNotRunning
	}
	if was := len(a.slots); was != n {
		a.opt.Log.Info("scaling", "app", a.opt.Name, "from", was, "to", n)
	}
	a.resize(n)
	return nil
}

// resize is called with mu held.
func (a *App) resize(n int) {
	for len(a.slots) > n {
		last := len(a.slots) - 1
		a.slots[last].leave(Scaled)
		a.slots = a.slots[:last]
	}
	for len(a.slots) < n && !a.ending {
		s := newSlot(a, len(a.slots))
		a.slots = append(a.slots, s)
		a.work.Go(s.run)
	}
}

// all are the slots there are now.
func (a *App) all() []*slot {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.slots)
}

// enter makes c a member, in the place of old if that is not nil: in one step,
// so that a pool of one is never empty. It tells whether c was still there.
func (a *App) enter(c, old *child) bool {
	a.door.Lock()
	defer a.door.Unlock()
	if c.left {
		return false
	}
	c.entered = true
	if i := slices.Index(a.members, old); i >= 0 {
		a.members[i] = c
	} else {
		a.members = append(a.members, c)
	}
	a.announce()
	return true
}

// leave ends c's membership. It tells whether c was one, now or before.
func (a *App) leave(c *child) bool {
	a.door.Lock()
	defer a.door.Unlock()
	c.left = true
	if i := slices.Index(a.members, c); i >= 0 {
		a.members = slices.Delete(a.members, i, i+1)
		a.announce()
	}
	return c.entered
}

// announce is called with door held.
func (a *App) announce() {
	targets := make([]pool.Target, len(a.members))
	for i, c := range a.members {
		targets[i] = c.target
	}
	ups := a.join(targets)
	for i, c := range a.members {
		if i < len(ups) {
			c.up = ups[i]
		}
	}
}

// Ready is how many instances are members.
func (a *App) Ready() int {
	a.door.Lock()
	defer a.door.Unlock()
	return len(a.members)
}

// Size is how many there should be.
func (a *App) Size() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.slots)
}

// makeDir makes a directory that nobody else can look into.
func makeDir(as *owner) (string, error) {
	dir, err := os.MkdirTemp("", "multiserver-")
	if err != nil {
		return "", fmt.Errorf("directory of sockets: %w", err)
	}
	// sun_path takes 107 bytes on Linux, 103 on others.
	if name := dir + "/1023-18446744073709551615.sock"; len(name) > 103 {
		_ = os.Remove(dir)
		return "", fmt.Errorf("directory of sockets: %s is too long for a Unix socket's path, want a shorter TMPDIR", dir)
	}
	if as != nil {
		err = os.Chown(dir, int(as.uid), int(as.gid))
	}
	return dir, err
}
