//go:build linux

package main

import (
	"context"
	"fmt"
	"slices"
	"time"

	"multiserver/bench/app"
	"multiserver/bench/steady"
)

// What a refusal costs is seen best where there is hardly anything else: one place, nobody may
// wait, and an origin that keeps the place for a second.
const (
	refuseRate = 3000
	refuseTime = 4 * time.Second
)

// refusal is the CPU time per 503, in microseconds, of c with such bounds.
func (f *Field) refusal(ctx context.Context, c contestant) (float64, error) {
	g, err := f.origin(app.Options{ID: "busy-" + c.Name, Service: time.Second, AtOnce: 1})
	if err != nil {
		return 0, err
	}
	defer g.stop()
	c.Name, c.Queue, c.Args = c.Name+"-refuses", time.Millisecond, slices.Clone(c.Args)
	if c.Max > 0 {
		c.Max = 1
	}
	if c.Program == "" {
		c.Args = []string{"--queue", "0"}
		if c.Max == 0 {
			c.Args = append(c.Args, "--max-concurrent", "1")
		}
	}
	p, err := f.enter(c, []*Origin{g})
	if err != nil {
		return 0, err
	}
	defer p.stop()
	var refused, others steady.Hist
	load := steady.Load{Addr: p.addr(), Conns: 256, Limit: 10 * time.Second, Request: get("/busy"),
		Pace: steady.NewPace(1, steady.Step{Rate: refuseRate, For: refuseTime}),
		Seen: func(a *steady.Answer) {
			if a.Err == nil && a.Res.StatusCode() == 503 {
				refused.Add(a.Took)
			} else {
				others.Add(a.Took)
			}
		}}
	before, err := usage(p.pid())
	if err != nil {
		return 0, err
	}
	if err := load.Run(ctx); err != nil {
		return 0, err
	}
	after, err := usage(p.pid())
	if err != nil {
		return 0, err
	}
	if most := refused.Count() / 50; others.Count() > most {
		return 0, fmt.Errorf("%s: %d refused and %d not: want hardly any of the latter", c.Name, refused.Count(), others.Count())
	}
	return float64(after.minus(before).CPU) / 1e3 / float64(refused.Count()), nil
}
