//go:build linux

package main

import (
	"context"
	"fmt"
	"math"
	"slices"
	"time"
)

// A turn is one server's part of a round, while it is measured.
type turn struct {
	*runner
	wrk    *Wrk
	load   *Load
	before Usage
	active time.Duration
	memory int64
}

// measure has some servers share a stretch of time, and charges each what it used in it.
func (b *Bench) measure(ctx context.Context, line ...*runner) ([]Round, error) {
	var turns []*turn
	for _, r := range line {
		used, err := r.used()
		if err != nil {
			return nil, err
		}
		turns = append(turns, &turn{runner: r, before: used})
	}
	asked, err := b.asked()
	if err != nil {
		return nil, err
	}
	before, err := b.elsewhere()
	if err != nil {
		return nil, err
	}
	began := time.Now()
	if len(turns) == 1 {
		err = b.alone(ctx, turns[0])
	} else {
		err = b.together(ctx, turns)
	}
	if err != nil {
		return nil, err
	}
	pause(ctx, 20*time.Millisecond) // closing wrk's connections is part of the turn, for all
	after, err := b.elsewhere()
	if err != nil {
		return nil, err
	}
	lasted := time.Since(began)
	again, err := b.asked()
	if err != nil {
		return nil, err
	}
	others := after - before
	var rounds []Round
	for _, t := range turns {
		r, err := t.round()
		if err != nil {
			return nil, err
		}
		r.Latency = len(turns) == 1
		others -= r.Used.CPU + t.load.CPU
		rounds = append(rounds, r)
	}
	fault := misses(turns, again-asked)
	for i := range rounds {
		rounds[i].Others = max(0, others.Seconds()/lasted.Seconds())
		if rounds[i].Fault == "" {
			rounds[i].Fault = fault
		}
	}
	return rounds, nil
}

// misses holds the requests that the origin had against those that caches should have sent on.
func misses(turns []*turn, asked int) string {
	want, slack := 0., 0.
	for _, t := range turns {
		if !t.asked.Stored {
			return ""
		}
		if t.asked.Miss > 0 { // those under way at the end were not counted by wrk
			want += float64(t.load.Requests) / float64(t.asked.Miss)
			slack += float64(t.asked.Conns)
		}
	}
	if math.Abs(float64(asked)-want) > .02*want+slack {
		return fmt.Sprintf("the origin was asked %d times, want %.0f", asked, want)
	}
	return ""
}

func (t *turn) round() (Round, error) {
	s := t.asked
	used, err := t.used()
	answers := float64(t.load.Bytes) / float64(t.reply.Wire)
	if s.Stored {
		answers = float64(t.load.Requests) // each is as long as its age in digits
	}
	return Round{
		Scenario: s.Name,
		Server:   t.Server.Name,
		Load:     *t.load,
		Used:     used.minus(t.before),
		Answers:  answers,
		Active:   t.active,
		Memory:   t.memory,
		Fault:    t.load.fault(),
	}, err
}

// crowd is from how many connections on slices mislead: their clients sit out the slices of all
// others, and whoever parks those that are idle has to wake up each of them in each slice.
const crowd = 1000

// crowded tells whether there are so many.
func crowded(line []*runner) bool {
	return slices.ContainsFunc(line, func(r *runner) bool { return r.asked.Conns >= crowd })
}

// alone gives the whole stretch to one server. For a crowd that is longer, so that its connects
// and its end do not weigh.
func (b *Bench) alone(ctx context.Context, t *turn) error {
	long := b.Time * time.Duration(max(1, t.asked.Conns/crowd))
	w, err := b.load(ctx, t.runner, long)
	if err != nil {
		return err
	}
	pause(ctx, long*8/10) // then the server is at full load and as large as it gets
	memory, err := resident(t.pid())
	load, failed := w.wait()
	if failed != nil {
		return failed
	}
	t.load, t.memory, t.active = load, memory, time.Duration(load.Micros)*time.Microsecond
	return err
}

// together cuts the stretch into slices. Each server has a wrk of its own, and all of these but
// one stand still. A machine that others use too changes its speed within a second by more than
// the difference one looks for; slices much shorter than that meet all servers alike. What a
// server used and what its wrk read is known exactly; only the latencies are void.
func (b *Bench) together(ctx context.Context, turns []*turn) error {
	defer func() {
		for _, t := range turns {
			if t.wrk != nil && t.load == nil {
				t.wrk.drop()
			}
		}
	}()
	whole := b.Time * time.Duration(len(turns))
	for end := time.Now().Add(whole); time.Now().Before(end) && ctx.Err() == nil; {
		for _, t := range turns {
			if err := b.slice(ctx, t, whole); err != nil {
				return err
			}
		}
	}
	for _, t := range turns {
		var err error
		resumed := time.Now()
		t.wrk.resume() // its time is over: it says what it saw, and ends
		if t.load, err = t.wrk.wait(); err != nil {
			return err
		}
		t.active += time.Since(resumed)
	}
	return nil
}

// perConn is what a connection needs of a slice: some requests in each, for one or none would
// measure what it costs to wake up.
const perConn = 250 * time.Microsecond

// slice lets one wrk run for a moment.
func (b *Bench) slice(ctx context.Context, t *turn, whole time.Duration) (err error) {
	resumed := time.Now()
	if t.wrk != nil {
		t.wrk.resume()
	} else if t.wrk, err = b.load(ctx, t.runner, whole); err != nil {
		return err
	}
	pause(ctx, max(b.Slice, time.Duration(t.asked.Conns)*perConn))
	if t.memory == 0 && t.active > b.Time/2 {
		t.memory, err = resident(t.pid()) // in the middle, under load
	}
	t.wrk.halt()
	t.active += time.Since(resumed)
	return err
}

// used is what the server's processes have used so far.
func (r *runner) used() (Usage, error) {
	u, err := usage(r.pid())
	if err != nil {
		return u, fmt.Errorf("%s is gone: %w; it said:\n%s", r.Server.Name, err, r.said())
	}
	return u, nil
}

// elsewhere is the CPU time that this machine spent so far on all but the origin.
func (b *Bench) elsewhere() (time.Duration, error) {
	machine, err := machineBusy()
	if err != nil {
		return 0, err
	}
	origin, err := cpuClock(b.origin.pid())
	if err != nil {
		return 0, fmt.Errorf("the origin is gone: %w; it said:\n%s", err, b.origin.said())
	}
	return machine - origin, nil
}

// pause sleeps, unless all is to stop.
func pause(ctx context.Context, d time.Duration) {
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}
