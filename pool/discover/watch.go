package discover

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"time"

	"multiserver/pool"
)

// remindEvery is how often a failure that goes on is told again.
const remindEvery = 5 * time.Minute

// watch is one upstream over time. One goroutine has it.
type watch struct {
	spec   Spec
	kind   *row
	source source
	log    *slog.Logger
	stats  *Stats

	now     []pool.Target // the last good answer
	failing int           // look-ups since the last one without failure
	silent  int           // of these, since it was told last
	told    time.Time
}

func newWatch(s Spec, a *asker, log *slog.Logger) (*watch, error) {
	w := &watch{spec: s, log: log, stats: a.stats}
	var err error
	if w.kind, err = rowFor(&w.spec); err == nil {
		w.source, err = w.kind.open(&w.spec, a)
	}
	if err != nil {
		return nil, fmt.Errorf("upstream %q: %w", s.URL, err)
	}
	return w, nil
}

// first asks for the members to start with, and fails without any.
func (w *watch) first(ctx context.Context) error {
	found, err := w.source.members(ctx)
	switch {
	case ctx.Err() != nil && err != nil:
		return fmt.Errorf("upstream %q: resolving %s: %w", w.spec.URL, w.spec.Host, context.Cause(ctx))
	case len(found) == 0:
		return w.refuse(err)
	}
	w.note(err)
	w.now = found
	return nil
}

// refuse is the answer to a name that does not resolve. It does not wrap the
// cause: whoever prints it would add a way out of his own.
func (w *watch) refuse(err error) error {
	f := firstFailure(err)
	return fmt.Errorf("upstream %q: cannot resolve %v; %s", w.spec.URL, f, f.hint)
}

// run asks every interval until ctx is done, and hands to tell what is new.
// The waits have jitter, so that nodes that started together do not ask
// together.
func (w *watch) run(ctx context.Context, interval time.Duration, tell func(members []pool.Target)) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(interval*9/10 + rand.N(interval/5+1)):
		}
		if w.look(ctx) {
			tell(w.now)
		}
	}
}

// look asks once, and says whether the members are others now.
func (w *watch) look(ctx context.Context) bool {
	found, err := w.source.members(ctx)
	if ctx.Err() != nil {
		return false
	}
	w.note(err)
	if len(found) == 0 || slices.Equal(found, w.now) {
		return false
	}
	w.now = found
	return true
}

// note tells of failures: of the first one, of the end, and between them now
// and then.
func (w *watch) note(err error) {
	if err == nil {
		if w.failing > 0 {
			w.stats.Stale.Add(-1)
			w.log.Info("upstream resolves again", "upstream", w.spec.URL, "failed", w.failing)
		}
		w.failing, w.silent = 0, 0
		return
	}
	w.failing++
	if w.failing == 1 {
		w.stats.Stale.Add(1)
	} else if time.Since(w.told) < remindEvery {
		w.silent++
		return
	}
	f := firstFailure(err)
	w.log.Warn("upstream's look-up failed, the last good answer stays", "upstream", w.spec.URL,
		"reason", f.reason.String(), "cause", f, "failed", w.failing, "swallowed", w.silent)
	w.silent, w.told = 0, time.Now()
}
