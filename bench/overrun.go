//go:build linux

package main

import (
	"context"
	"fmt"
	"strconv"
	"sync/atomic"
	"time"

	"multiserver/bench/steady"
)

// An overRun is one server's overload.
type overRun struct {
	*Field
	contestant
	p        *Process
	capacity float64
	refusal  float64 // CPU µs of a 503 alone

	calm, over phase
	after      [80]phase // of overTick each, from the overload's end
	good       atomic.Int64
	marks      [3]Usage // at the calm's begin and end, at the overload's end
	others     float64
}

// A phase is what was due in a stretch of time.
type phase struct {
	served, refused steady.Hist
	failed, unsent  atomic.Int64
	bare            atomic.Int64 // refused without Retry-After
}

const overTick = 50 * time.Millisecond

func (o *overRun) run(ctx context.Context) error {
	if err := (&steady.Load{Addr: o.p.addr(), Conns: 64, Limit: time.Second, Request: get("/over"), Seen: func(*steady.Answer) {},
		Pace: steady.NewPace(9, steady.Step{Rate: o.capacity / 2, For: time.Second})}).Run(ctx); err != nil {
		return err
	}
	half := steady.Step{Rate: o.capacity / 2, For: overCalm}
	load := steady.Load{Addr: o.p.addr(), Conns: overConns, Limit: 10 * time.Second, Request: get("/over"), Seen: o.seen,
		Pace: steady.NewPace(1, half, steady.Step{Rate: overTimes * o.capacity, For: o.Time}, half)}
	before, err := o.Field.others()
	if err != nil {
		return err
	}
	began := time.Now()
	for i, at := range []time.Duration{0, overCalm, overCalm + o.Time} {
		t := time.AfterFunc(at, func() { o.marks[i], _ = usage(o.p.pid()) })
		defer t.Stop()
	}
	if err := load.Run(ctx); err != nil {
		return err
	}
	after, err := o.Field.others()
	o.others = max(0, (after-before).Seconds()/time.Since(began).Seconds())
	o.Log("%s: goodput %.3f of capacity, %d refused\n", o.Name, o.goodput()/o.capacity, o.over.refused.Count())
	return err
}

func (o *overRun) seen(a *steady.Answer) {
	p := &o.calm
	if since := a.Due - overCalm - o.Time; since >= 0 {
		p = &o.after[min(int(since/overTick), len(o.after)-1)]
	} else if a.Due >= overCalm {
		p = &o.over
	}
	switch {
	case a.Err == steady.ErrUnsent:
		p.unsent.Add(1)
	case a.Err != nil:
		p.failed.Add(1)
	case a.Res.StatusCode() == 200:
		p.served.Add(a.Took)
		if end := a.Due + a.Took; end >= overCalm && end < overCalm+o.Time {
			o.good.Add(1)
		}
	case a.Res.StatusCode() == 503:
		p.refused.Add(a.Took)
		if len(a.Res.Header.Peek("Retry-After")) == 0 {
			p.bare.Add(1)
		}
	default:
		p.failed.Add(1)
	}
}

func (o *overRun) goodput() float64 { return float64(o.good.Load()) / o.Time.Seconds() }

// costs are the CPU time per answer before, and that of all answers of the overload, in
// microseconds.
func (o *overRun) costs() (served, answer float64) {
	micros := func(i int) float64 { return float64(o.marks[i].CPU-o.marks[i-1].CPU) / 1e3 }
	served = micros(1) / float64(max(o.calm.served.Count(), 1))
	return served, micros(2) / float64(max(uint64(o.good.Load())+o.over.refused.Count(), 1))
}

// recovered is how long after the overload's end the last request was due that was refused,
// failed, or half of whose neighbours took twice as long as half did while it was calm.
func (o *overRun) recovered() time.Duration {
	limit := 2 * o.calm.served.Quantile(.5)
	var last time.Duration
	for i := range o.after {
		p := &o.after[i]
		if p.refused.Count() > 0 || p.failed.Load() > 0 || p.unsent.Load() > 0 || p.served.Quantile(.5) > limit {
			last = time.Duration(i+1) * overTick
		}
	}
	return last
}

func (o *overRun) busy() float64 {
	return (o.marks[2].CPU - o.marks[1].CPU).Seconds() / o.Time.Seconds()
}

func (o *overRun) promises() {
	share := o.goodput() / o.capacity
	o.promise(share >= .95, "%s: goodput %.1f %% of capacity", o.Name, 100*share)
	bound := overWait + 2*overService + overSlack
	o.promise(o.over.served.Max() <= bound, "%s: the longest that was served took %s ms, queue-timeout and service are %s",
		o.Name, ms(o.over.served.Max()), ms(overWait+overService))
	o.promise(o.over.refused.Max() <= bound, "%s: the longest that was refused waited %s ms", o.Name, ms(o.over.refused.Max()))
	o.promise(o.over.failed.Load()+o.calm.failed.Load()+int64(o.calm.refused.Count()) == 0, "%s: no end but 200 and 503 (%d others, %d refused while calm)",
		o.Name, o.over.failed.Load()+o.calm.failed.Load(), o.calm.refused.Count())
	o.promise(o.over.bare.Load() == 0, "%s: Retry-After with each refusal (%d without)", o.Name, o.over.bare.Load())
	// The last to come wait as long as any; who comes meanwhile, at half of what can be done, is
	// behind them, and that takes as long again.
	o.promise(o.recovered() <= 2*overWait+2*overTick, "%s: all well again %v after the overload", o.Name, o.recovered())
}

func (o *overRun) row() []string {
	served, answer := o.costs()
	s, r := &o.over.served, &o.over.refused
	return []string{o.Name, fixed(o.goodput(), 0), fixed(100*o.goodput()/o.capacity, 1) + "%",
		ms(s.Quantile(.5)) + " / " + ms(s.Quantile(.99)) + " / " + ms(s.Max()), fmt.Sprint(r.Count()),
		ms(r.Quantile(.5)) + " / " + ms(r.Quantile(.99)), fmt.Sprint(o.over.failed.Load() + o.over.unsent.Load()),
		fixed(served, 1), fixed(answer, 1), fixed(o.refusal, 1), fixed(100*o.busy(), 0) + "%", o.recovered().String(), fixed(o.others, 2)}
}

func (o *overRun) data(round int) []string {
	served, answer := o.costs()
	s, r := &o.over.served, &o.over.refused
	return []string{o.Name, strconv.Itoa(round), fixed(o.capacity, 0), fixed(overTimes*o.capacity, 0), fixed(o.goodput(), 1), fixed(o.goodput()/o.capacity, 4),
		ms(s.Quantile(.5)), ms(s.Quantile(.99)), ms(s.Max()), fmt.Sprint(r.Count()), ms(r.Quantile(.5)), ms(r.Quantile(.99)), ms(r.Max()),
		fmt.Sprint(o.over.failed.Load()), fmt.Sprint(o.over.unsent.Load()), fixed(served, 2), fixed(answer, 2), fixed(o.refusal, 2),
		fixed(o.busy(), 3), fixed(o.recovered().Seconds()*1e3, 0), fixed(o.others, 3)}
}
