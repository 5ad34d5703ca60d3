//go:build linux

package main

import (
	"fmt"
	"slices"
	"strings"
)

// A target is the most that a request of ours may cost of another server's CPU time for the same.
type target struct {
	sheet, scenario, to string
	most                float64
}

var targets = []target{
	{"forward", "forward-1k-c64", "nginx", .94},
	{"forward", "forward-1k-c256", "nginx", .94},
	{"forward", "forward-1k-c64", "haproxy", .84},
	{"forward", "forward-1k-c256", "haproxy", .84},
	{"forward", "forward-1m-c64", "haproxy", .8},
	{"forward", "post-16k-c64", "nginx", .9},
	{"hits", "hit-1k-c64-u10000", "nginx", .6},
	{"hits", "hit-1k-c64-u10000", "haproxy", .72},
	{"hits", "hit-1k-c64-u10000", "varnish", .35},
	{"hits", "hit-1k-c64-u10000", "floor", 1.3},
}

// memoryMost is what may be resident under load, as a multiple of nginx's.
const memoryMost = 1.5

// promiseTargets holds rounds against those that are about them.
func (f *Field) promiseTargets(rounds []Round) {
	t := roundSheet(rounds).pivot("cpu_us", column("scenario"))
	for _, g := range targets {
		if r, off, ok := t.ratio(g.scenario, f.Ours.Name, g.to); ok {
			f.promise(r <= g.most, "%s: %s × %s, %s at most", g.scenario, ratioCell(r, off, ok), g.to, fixed(g.most, 2))
		}
	}
	m := roundSheet(rounds).pivot("memory_bytes", column("scenario"))
	if r, _, ok := m.ratio("forward-1k-c64", f.Ours.Name, "nginx"); ok {
		f.promise(r <= memoryMost, "forward-1k-c64: resident %.2f × nginx, %.1f at most", r, memoryMost)
	}
}

// roundSheet is what a sheet of these rounds would be.
func roundSheet(rounds []Round) *sheet {
	table := roundTable(rounds)
	return &sheet{rows: named(table[0], table[1:])}
}

// aims are the targets of the README.
func (p *page) aims() {
	var lines []string
	for _, name := range []string{"forward", "hits"} {
		s := p.sheet(name)
		if s == nil {
			continue
		}
		t := s.pivot("cpu_us", column("scenario"))
		for _, g := range targets {
			r, off, ok := t.ratio(g.scenario, "multiserver", g.to)
			if !ok || g.sheet != name {
				continue
			}
			verdict := "met"
			if r > g.most {
				verdict = "**missed**"
			}
			lines = append(lines, fmt.Sprintf("| `%s` ÷ %s | ≤ %s | %s | %s |", g.scenario, shown(g.to), fixed(g.most, 2), ratioCell(r, off, ok), verdict))
		}
	}
	if len(lines) > 0 {
		fmt.Fprintf(p, "What was set out for, in CPU time per request:\n\n| | target | measured | |\n|---|---|---|---|\n%s\n\n", strings.Join(slices.Compact(lines), "\n"))
	}
}
