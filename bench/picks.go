//go:build linux

package main

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"multiserver/bench/chart"
)

// A pick is one benchmark's figures.
type pick struct {
	Row    string
	N      int       // upstreams; of entries: how many
	Nanos  []float64 // per pick, a value for each run
	Allocs int       // the most of all runs
}

// picks runs the benchmarks of pool/balance, and draws them. Linear growth over a thousand
// upstreams would be a factor of a thousand; a hundred times less is the promise.
func picks(ctx context.Context, f *Field) error {
	text, err := f.benchmark(ctx, "^BenchmarkPick$", "multiserver/pool/balance")
	if err != nil {
		return err
	}
	all := parsePicks(text)
	if len(all) == 0 {
		return fmt.Errorf("no BenchmarkPick/ROW/N in the output of go test:\n%s", text)
	}
	f.table = [][]string{{"row", "upstreams", "ns_median", "ns_low", "ns_high", "allocs"}}
	rows := [][]string{{"algorithm", "upstreams", "ns per pick, median (lowest–highest)", "allocations"}}
	for _, p := range all {
		fig := figureOf("%.1f", slices.Clone(p.Nanos))
		f.table = append(f.table, []string{p.Row, strconv.Itoa(p.N), fig.median, fig.low, fig.high, strconv.Itoa(p.Allocs)})
		rows = append(rows, []string{p.Row, strconv.Itoa(p.N), fig.String(), strconv.Itoa(p.Allocs)})
	}
	f.lines(rows)
	f.pickPromises(all)
	if f.Out == "" {
		return nil
	}
	return os.WriteFile(filepath.Join(f.Out, "picks.svg"), pickChart(all).SVG(), 0o644)
}

// benchmark is what go test prints of a package's benchmarks.
func (f *Field) benchmark(ctx context.Context, names, room string) (string, error) {
	each := f.Time / 20 // -time is in whole seconds; a pick takes nanoseconds
	cmd := exec.CommandContext(ctx, "taskset", "-c", f.CPU, "go", "test", "-run", "^$", "-bench", names, "-skip", "/parallel$",
		"-benchtime", each.String(), "-count", strconv.Itoa(f.Rounds), "-cpu", "1", room)
	out, err := cmd.CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%s: %w (call it inside the module):\n%s", strings.Join(cmd.Args[3:], " "), err, out)
	}
	return string(out), nil
}

var pickLine = regexp.MustCompile(`^Benchmark[A-Za-z]+/([^/]+)/([0-9]+)\s+[0-9]+\s+([0-9.]+) ns/op\s+[0-9]+ B/op\s+([0-9]+) allocs/op`)

func parsePicks(text string) []pick {
	var all []pick
	for lines := bufio.NewScanner(strings.NewReader(text)); lines.Scan(); {
		m := pickLine.FindStringSubmatch(lines.Text())
		if m == nil {
			continue
		}
		n, _ := strconv.Atoi(m[2])
		nanos, _ := strconv.ParseFloat(m[3], 64)
		allocs, _ := strconv.Atoi(m[4])
		i := slices.IndexFunc(all, func(p pick) bool { return p.Row == m[1] && p.N == n })
		if i < 0 {
			all = append(all, pick{Row: m[1], N: n})
			i = len(all) - 1
		}
		all[i].Nanos = append(all[i].Nanos, nanos)
		all[i].Allocs = max(all[i].Allocs, allocs)
	}
	return all
}

// nanos is the lowest: whatever else ran can only have made it slower.
func (p *pick) nanos() float64 { return slices.Min(p.Nanos) }

func (f *Field) pickPromises(all []pick) {
	allocs := 0
	few, many := map[string]float64{}, map[string]float64{} // of ten, of the most
	for i := range all {
		p := &all[i]
		allocs += p.Allocs
		if p.N == 10 {
			few[p.Row] = p.nanos()
		}
		many[p.Row] = p.nanos() // the last has the most
	}
	f.promise(allocs == 0, "no pick allocates")
	for _, p := range all {
		if p.N == 10 {
			f.promise(many[p.Row] <= 10*few[p.Row], "%s: %.1f ns with ten upstreams, %.1f ns with a thousand", p.Row, few[p.Row], many[p.Row])
		}
	}
}

func pickChart(all []pick) *chart.Lines {
	c := &chart.Lines{Title: "What a pick costs (lowest of several runs)", X: "upstreams", Y: "ns per pick"}
	for i := range all {
		p := &all[i]
		c.Add(p.Row, float64(p.N), p.nanos())
	}
	return c
}
