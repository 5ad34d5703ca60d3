//go:build linux

package main

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"multiserver/bench/app"
)

// How ours is set up here, and how long a fault may be felt at first.
const (
	faultsCheck   = time.Second
	faultsFall    = 2
	faultsAnswer  = time.Second     // to a check
	faultsTimeout = 5 * time.Second // longer than two checks that get no answer take, as it is by default
	faultsResolve = time.Second
	// faultsFirst: checks have a jitter of a quarter, and the last may take its timeout.
	faultsFirst = faultsCheck*5/4*faultsFall + faultsAnswer
	// faultsBack: one check, and what it and we take on a busy machine.
	faultsBack = faultsCheck*5/4 + 250*time.Millisecond
	// faultsFound: look-ups have a jitter of a tenth.
	faultsFound = faultsResolve*11/10 + 250*time.Millisecond
	// After each fault we wait until who failed serves again and this long, but not for ever.
	faultsRest = 3 * time.Second
	faultsMost = 20 * time.Second
)

var faultsArgs = []string{
	"--health-path", "/health", "--health-interval", faultsCheck.String(), "--health-timeout", faultsAnswer.String(),
	"--health-fall", fmt.Sprint(faultsFall), "--health-rise", "1",
	"--max-fails", "3", "--fail-timeout", "1s", "--timeout", faultsTimeout.String(), "--connect-timeout", "1s",
	"--resolve-interval", faultsResolve.String(),
}

// A trouble is one way to fail, and back.
type trouble struct {
	Name string
	All  bool // all origins at once, not only one
	Cuts bool // answers are cut that have begun: no proxy can take back what the client has seen
	None bool // no GET may fail even at first
	Move bool // it is over at once: the origin is well, in another place
	down func(*Origin) error
	up   func(*Origin) error
}

func mode(m app.Mode) func(*Origin) error { return func(g *Origin) error { return g.be(m) } }

func sig(s syscall.Signal) func(*Origin) error {
	return func(g *Origin) error { return syscall.Kill(g.pid(), s) }
}

var troubles = []trouble{
	{Name: "killed", down: sig(syscall.SIGKILL), up: (*Origin).again},
	{Name: "stopped", None: true, down: sig(syscall.SIGSTOP), up: sig(syscall.SIGCONT)},
	{Name: "reset in mid-body", Cuts: true, down: mode(app.Reset), up: mode(app.Well)},
	{Name: "500, checks too", down: mode(app.Fail), up: mode(app.Well)},
	{Name: "500, checks well", down: mode(app.Sour), up: mode(app.Well)},
	{Name: "accepts nobody", down: mode(app.Deaf), up: mode(app.Well)},
	{Name: "moved", None: true, Move: true, down: (*Origin).move, up: func(*Origin) error { return nil }},
	{Name: "all killed", All: true, down: sig(syscall.SIGKILL), up: (*Origin).again},
}

// A spell is when a trouble was there.
type spell struct {
	trouble
	who           []*Origin
	from, to, end time.Duration // to: it is over; end: the next one may begin
}

// faults lets origins fail one way after the other under load, and counts what clients notice.
func faults(ctx context.Context, f *Field) error {
	f.table = [][]string{faultsHead}
	for n := range f.Rounds {
		if err := f.faultsRound(ctx, n); err != nil {
			return err
		}
	}
	return nil
}

func (f *Field) faultsRound(ctx context.Context, round int) error {
	ns, err := newNames()
	if err != nil {
		return err
	}
	defer ns.close()
	var origins []*Origin
	var files []string
	for _, id := range []string{"a", "b", "c"} {
		file := filepath.Join(f.Dir, fmt.Sprintf("ledger-%s-%d", id, round))
		g, err := f.origin(app.Options{ID: id, Ledger: file})
		if err != nil {
			return err
		}
		g.called(ns)
		origins, files = append(origins, g), append(files, file)
	}
	p, err := f.enter(contestant{Name: fmt.Sprint("multiserver-", round), Args: append(slices.Clone(faultsArgs), "--resolver", ns.addr())}, origins)
	if err != nil {
		return err
	}
	t := newTally(ctx, p.addr())
	spells, err := f.suffer(ctx, t, origins)
	all := t.end()
	if err != nil {
		return fmt.Errorf("%w; the proxy said:\n%s", err, p.said())
	}
	pause(ctx, 200*time.Millisecond) // who was paused in the middle of a POST counts it by now
	counted, err := ledger(files)
	if err != nil {
		return err
	}
	f.Log("the proxy said at last:\n%s\n", p.said())
	p.stop()
	f.faultsReport(round, spells, all, counted)
	return nil
}

// suffer goes through all troubles.
func (f *Field) suffer(ctx context.Context, t *tally, origins []*Origin) (all []spell, err error) {
	pause(ctx, 2*time.Second)
	for i, tr := range troubles {
		who := origins[i%len(origins):][:1] // another one each time: each fault finds all of them well
		if tr.All {
			who = origins
		}
		s := spell{trouble: tr, who: who, from: t.now()}
		for _, g := range who {
			if err := tr.down(g); err != nil {
				return nil, fmt.Errorf("%s: %w", tr.Name, err)
			}
		}
		s.to = t.now()
		pause(ctx, f.Time)
		if !tr.Move {
			s.to = t.now()
		}
		for _, g := range who {
			if err := tr.up(g); err != nil {
				return nil, fmt.Errorf("end of %s: %w", tr.Name, err)
			}
		}
		if tr.All {
			s.to = t.now() // the last is there
		}
		f.heal(ctx, t, s)
		s.end = t.now()
		f.Log("%s: done\n", tr.Name)
		all = append(all, s)
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
	}
	return all, nil
}

// heal waits until all who failed serve again.
func (f *Field) heal(ctx context.Context, t *tally, s spell) {
	pause(ctx, faultsRest)
	for _, g := range s.who {
		for ctx.Err() == nil && t.now() < s.to+faultsMost && !t.served(g.ID, t.now()-outFor) {
			pause(ctx, 100*time.Millisecond)
		}
	}
}

// faultsSetup says what the promises are made for.
func faultsSetup() string { return "multiserver " + strings.Join(faultsArgs, " ") }
