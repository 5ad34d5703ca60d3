//go:build linux

package main

import (
	"context"
	"fmt"
	"time"

	"multiserver/bench/app"
	"multiserver/bench/steady"
)

// Two origins, each of which works on overAtOnce requests at once and is never sent more. Asked
// for half of what they can do, then for four times as much, then for half again.
const (
	overOrigins = 2
	overAtOnce  = 8
	overService = 10 * time.Millisecond
	overTimes   = 4
	overQueue   = 1024 // more than the queue's time is enough for: both bounds are met
	overWait    = 250 * time.Millisecond
	overSlack   = 50 * time.Millisecond // a late wake-up here or there, not a wait
	overConns   = 3000
	overCalm    = 4 * time.Second // before and after
)

var overLine = []contestant{
	{Name: "max", Max: overAtOnce, Queue: overWait, Args: []string{"--queue", fmt.Sprint(overQueue)}},
	{Name: "max-concurrent", Queue: overWait, Balance: "least-connections",
		Args: []string{"--queue", fmt.Sprint(overQueue), "--max-concurrent", fmt.Sprint(overOrigins * overAtOnce)}},
	{Name: "haproxy-maxconn", Program: "haproxy", Balance: "leastconn", Max: overAtOnce, Queue: overWait},
}

// overload puts more on a few origins than they can do.
func overload(ctx context.Context, f *Field) error {
	var origins []*Origin
	for i := range overOrigins {
		g, err := f.origin(app.Options{ID: fmt.Sprint("o", i), Service: overService, AtOnce: overAtOnce})
		if err != nil {
			return err
		}
		origins = append(origins, g)
	}
	f.table = [][]string{{"server", "round", "capacity_per_s", "asked_per_s", "goodput_per_s", "goodput", "served_p50_ms", "served_p99_ms", "served_max_ms",
		"refused", "refused_p50_ms", "refused_p99_ms", "refused_max_ms", "failed", "unsent", "cpu_us_served_calm", "cpu_us_answer_over", "cpu_us_refusal", "busy", "recovered_ms", "others"}}
	rows := [][]string{{"server", "goodput/s", "of capacity", "served p50/p99/max ms", "refused", "refused p50/p99 ms", "failed", "CPU µs served, calm", "any, overload", "503 alone", "busy", "recovered after", "others"}}
	for n := range f.Rounds {
		capacity, err := f.capacity(ctx, origins)
		if err != nil {
			return err
		}
		fmt.Fprintf(f, "round %d: capacity, asked directly by as many connections as are worked on at once: %.0f requests/s; asked for %.0f/s for %v, queue %d for %v\n",
			n+1, capacity, overTimes*capacity, f.Time, overQueue, overWait)
		for _, c := range overLine {
			p, err := f.enter(c, origins)
			if err != nil {
				return err
			}
			o := &overRun{Field: f, contestant: c, p: p, capacity: capacity}
			if err := o.run(ctx); err != nil {
				return err
			}
			p.stop()
			if o.refusal, err = f.refusal(ctx, c); err != nil {
				return err
			}
			f.table = append(f.table, o.data(n+1))
			rows = append(rows, o.row())
			if c.Program == "" {
				o.promises()
			}
		}
	}
	fmt.Fprintln(f)
	f.lines(rows)
	f.remark()
	return nil
}

// capacity asks the origins directly, with all they work on at once always under way.
func (f *Field) capacity(ctx context.Context, origins []*Origin) (sum float64, err error) {
	const settle, lasts = 500 * time.Millisecond, 3 * time.Second
	var seen [overOrigins]steady.Hist
	done := make(chan error, len(origins))
	for i, g := range origins {
		l := steady.Load{Addr: g.addr(), Conns: overAtOnce, Limit: time.Second, Request: get("/over"),
			Pace: steady.NewPace(1, steady.Step{Rate: 2 * overAtOnce * float64(time.Second/overService), For: settle + lasts}),
			Seen: func(a *steady.Answer) {
				if end := a.Due + a.Took; a.Err == nil && end >= settle && end < settle+lasts {
					seen[i].Add(a.Took)
				}
			}}
		go func() { done <- l.Run(ctx) }()
	}
	for range origins {
		if e := <-done; e != nil {
			err = e
		}
	}
	for i := range seen {
		sum += float64(seen[i].Count()) / lasts.Seconds()
	}
	return sum, err
}
