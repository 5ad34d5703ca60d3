package discover

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"net"
	"slices"
	"sync"
	"time"

	"multiserver/pool"
)

// Discover keeps the members of a pool up to date.
type Discover struct {
	opt     Options
	watches []*watch        // in the operator's order
	members [][]pool.Target // of each watch, as set has them; Run's once it runs

	Stats Stats
}

// Options say how names are looked up.
type Options struct {
	Resolver Resolver      // nil: net.DefaultResolver
	Interval time.Duration // between two look-ups of a name; 0: 10 s
	Timeout  time.Duration // of a look-up; 0: 10 s
	Log      *slog.Logger  // nil: slog.Default()
}

const (
	defaultInterval = 10 * time.Second

	// A resolver gives a name server 5 s before it turns to the next one in
	// resolv.conf: the first one dead is to cost time, not the answer.
	defaultTimeout = 10 * time.Second
)

// New asks all sources once and fails unless each of them has members: a
// mistyped name is to be known at start, not with the first request. The error
// tells of every upstream that has none. It waits for DNS, at most until ctx
// is done.
func New(ctx context.Context, specs []Spec, o Options) (*Discover, error) {
	o.Interval = cmp.Or(o.Interval, defaultInterval)
	o.Timeout = cmp.Or(o.Timeout, defaultTimeout)
	o.Log = cmp.Or(o.Log, slog.Default())
	if o.Resolver == nil {
		o.Resolver = net.DefaultResolver
	}
	d := &Discover{opt: o}
	if err := errors.Join(d.open(specs), d.first(ctx)); err != nil {
		return nil, err
	}
	return d, nil
}

func (d *Discover) open(specs []Spec) error {
	var errs []error
	a := &asker{resolver: d.opt.Resolver, timeout: d.opt.Timeout, stats: &d.Stats}
	for _, s := range specs {
		w, err := newWatch(s, a, d.opt.Log)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		d.watches = append(d.watches, w)
	}
	return errors.Join(errs...)
}

func (d *Discover) first(ctx context.Context) error {
	errs := make([]error, len(d.watches))
	var wg sync.WaitGroup
	for i, w := range d.watches {
		wg.Go(func() { errs[i] = w.first(ctx) })
	}
	wg.Wait()
	for _, w := range d.watches {
		d.members = append(d.members, w.now)
	}
	return errors.Join(errs...)
}

// Targets are the members to start with, of all upstreams in the operator's
// order. Once Run runs, only set is told them.
func (d *Discover) Targets() []pool.Target { return slices.Concat(d.members...) }

// Run asks again and again, and calls set with the whole membership when any
// of it changed. It is called once, and returns when ctx is done and all that
// it started has ended.
func (d *Discover) Run(ctx context.Context, set func([]pool.Target)) {
	changes := make(chan change)
	var wg sync.WaitGroup
	defer wg.Wait()
	for i, w := range d.watches {
		if w.kind.fixed {
			continue
		}
		wg.Go(func() {
			w.run(ctx, d.opt.Interval, func(members []pool.Target) {
				select {
				case changes <- change{i, members}:
				case <-ctx.Done():
				}
			})
		})
	}
	for {
		select {
		case <-ctx.Done():
			return
		case c := <-changes:
			d.apply(c, set)
		}
	}
}

// change is what has become of one upstream.
type change struct {
	watch   int
	members []pool.Target
}

func (d *Discover) apply(c change, set func([]pool.Target)) {
	old := d.members[c.watch]
	d.members[c.watch] = c.members
	set(d.Targets())
	d.Stats.Changes.Add(1)
	d.opt.Log.Info("upstream's members changed", "upstream", d.watches[c.watch].spec.URL,
		"came", addedTo(old, c.members), "went", addedTo(c.members, old), "members", len(c.members))
}

// addedTo are the addresses in now that are not in old. Both may be empty when
// only weights or tiers changed.
func addedTo(old, now []pool.Target) []string {
	var out []string
	for _, t := range now {
		if !slices.ContainsFunc(old, func(o pool.Target) bool { return o.Name == t.Name }) {
			out = append(out, t.Addr)
		}
	}
	return out
}
