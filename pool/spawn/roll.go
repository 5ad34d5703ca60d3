package spawn

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
)

// ErrRolling is that of a roll while another is under way.
var ErrRolling = errors.New("a rolling restart is under way")

// Roll replaces all instances, Surge at a time: a new one is ready before the
// old one leaves. When a new one does not get ready those that were not replaced
// yet stay; the error says why, and how far it came. It waits for the end.
func (a *App) Roll(ctx context.Context, why Cause) error {
	a.mu.Lock()
	running := a.ctx != nil && !a.ending
	if running {
		a.work.Add(1) // so that Run waits for us
		defer a.work.Done()
	}
	a.mu.Unlock()
	if !running {
		return errNotRunning
	}
	select {
	case a.rolling <- struct{}{}:
		defer func() { <-a.rolling }()
	default:
		return ErrRolling
	}
	return a.roll(ctx, why)
}

func (a *App) roll(ctx context.Context, why Cause) error {
	slots := a.all()
	var wg sync.WaitGroup
	var failed atomic.Pointer[error]
	var done atomic.Int64
	for _, s := range slots {
		if !a.turn(ctx) {
			break
		}
		if failed.Load() != nil {
			a.yield()
			break
		}
		wg.Go(func() {
			defer a.yield()
			if err := s.ask(&order{cause: why}); err != nil {
				failed.CompareAndSwap(nil, &err)
				return
			}
			done.Add(1)
		})
	}
	wg.Wait()
	return a.rolled(int(done.Load()), len(slots), failed.Load(), why)
}

// rolled tells how it went.
func (a *App) rolled(n, of int, failed *error, why Cause) error {
	e := Event{Kind: Rolled, App: a.opt.Name, Instance: -1, Cause: why.String(), Detail: fmt.Sprintf("%d instances are new", n)}
	var err error
	switch {
	case n < of && a.stopping():
		return errNotRunning
	case failed != nil && n == 0:
		err = fmt.Errorf("rolling restart given up, the old ones go on: %w", *failed)
	case failed != nil:
		err = fmt.Errorf("rolling restart given up, %d of %d are new, the others go on as they were: %w", n, of, *failed)
	case n < of:
		err = fmt.Errorf("rolling restart given up, %d of %d are new: whoever wanted it is gone", n, of)
	}
	if err == nil {
		a.Stats.Rolls.Add(1)
	} else {
		a.Stats.Failed.Add(1)
		e.Kind, e.Detail = RollFailed, err.Error()
	}
	a.post(e)
	return err
}

func (a *App) stopping() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.ending || a.ctx.Err() != nil
}

// turn waits until one more may be replaced, and yield lets the next one.
func (a *App) turn(ctx context.Context) bool {
	a.mu.Lock()
	all := a.ctx
	a.mu.Unlock()
	select {
	case a.turns <- struct{}{}:
		if all.Err() == nil && ctx.Err() == nil {
			return true
		}
		a.yield()
	case <-ctx.Done():
	case <-all.Done():
	}
	return false
}

func (a *App) yield() { <-a.turns }

// Want asks for a roll and waits for nothing. Several that come while one is
// under way are one more.
func (a *App) Want(why Cause) {
	select {
	case a.wanted <- why:
	default:
	}
}

func (a *App) rollOnDemand(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case why := <-a.wanted:
			select {
			case a.rolling <- struct{}{}:
				_ = a.roll(ctx, why) // it has told
				<-a.rolling
			case <-ctx.Done():
				return
			}
		}
	}
}
