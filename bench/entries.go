//go:build linux

package main

import (
	"context"
	"fmt"
	"slices"
	"strconv"
)

// entries runs BenchmarkEntries: what cache.Find costs for one entry of more and more, each as
// likely as the others. Its steps do not depend on how many there are; what grows is the share of
// them that the CPU's caches do not hold, so the promise is a factor, and not one of a thousand.
func entries(ctx context.Context, f *Field) error {
	text, err := f.benchmark(ctx, "^BenchmarkEntries$", "multiserver/bench")
	if err != nil {
		return err
	}
	all := parsePicks(text)
	if len(all) == 0 {
		return fmt.Errorf("no BenchmarkEntries/ROW/N in the output of go test:\n%s", text)
	}
	f.table = [][]string{{"row", "entries", "ns_median", "ns_low", "ns_high", "allocs"}}
	rows := [][]string{{"", "entries", "ns per hit, median (lowest–highest)", "allocations"}}
	allocs := 0
	for _, p := range all {
		fig := figureOf("%.0f", slices.Clone(p.Nanos))
		f.table = append(f.table, []string{p.Row, strconv.Itoa(p.N), fig.median, fig.low, fig.high, strconv.Itoa(p.Allocs)})
		rows = append(rows, []string{p.Row, strconv.Itoa(p.N), fig.String(), strconv.Itoa(p.Allocs)})
		allocs += p.Allocs
	}
	f.lines(rows)
	first, last := &all[0], &all[len(all)-1]
	f.promise(allocs == 0, "no hit allocates")
	f.promise(last.nanos() <= 10*first.nanos(), "%.0f ns among %d entries, %.0f ns among %d", first.nanos(), first.N, last.nanos(), last.N)
	return nil
}
