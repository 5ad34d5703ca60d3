//go:build linux

package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"multiserver/bench/chart"
)

// A growing is a quantity, and what a request costs as there is more of it. The points of a line run at
// once and take turns, so that a machine that changes its speed does not show as growth.
type growing struct {
	name, x, y string
	most       float64 // the last point costs at most so many times the first, of ours
	points     func(ctx context.Context, f *Field) ([]point, error)
	apart      bool                                // each line's points run by themselves
	per        func(p *point, cpu float64) float64 // what y is; nil: the CPU time of a request, in µs
}

// A point is an entry of the contest, and where it stands on the chart.
type point struct {
	Entry
	line string
	n    float64
	most float64 // of its line, where that is held to less than others
}

var growings = []growing{
	{name: "connections", x: "client connections", y: "CPU µs per request", most: 2, points: growConnections, apart: true},
	{name: "bodies", x: "bytes of the answer", y: "CPU ns per KiB", most: 1, points: growBodies,
		per: func(p *point, cpu float64) float64 { return cpu * 1e3 / (p.n / 1024) }},
	{name: "upstreams", x: "upstreams", y: "CPU µs per request", most: 1.5, points: growUpstreams},
	{name: "routes", x: "routes", y: "CPU µs per request", most: 1.5, points: growRoutes},
}

// growth asks all of them, and draws each.
func growth(ctx context.Context, f *Field) error {
	if err := f.invite(ctx, "nginx,haproxy"); err != nil {
		return err
	}
	f.Bench.close() // each growing has an origin of its own
	f.table = [][]string{{"over", "line", "n", "round", "cost", "cpu_us", "others", "fault"}}
	var failed error // one that fails leaves the others their charts
	for _, g := range growings {
		if err := f.grow(ctx, &g); err != nil {
			failed = errors.Join(failed, fmt.Errorf("%s: %w", g.name, err))
		}
	}
	if failed != nil {
		f.promise(false, "%v", failed)
	}
	return ctx.Err()
}

func (f *Field) grow(ctx context.Context, g *growing) error {
	if err := f.openMany(f.floor, mostUpstreams); err != nil {
		return err
	}
	defer f.Bench.close()
	points, err := g.points(ctx, f)
	if err != nil {
		return err
	}
	var entries []Entry
	for i := range points {
		p := &points[i]
		s := *p.Server
		s.Name = fmt.Sprintf("%s-%.0f", p.line, p.n) // each point's rounds are its own
		p.Server = &s
		entries = append(entries, p.Entry)
	}
	var rounds []Round
	for _, some := range g.contests(points, entries) {
		of, err := f.Contest(ctx, g.name, some)
		if err != nil {
			return err
		}
		rounds = append(rounds, of...)
	}
	f.growthReport(g, points, rounds)
	return nil
}

// contests are all entries at once, or each line's by themselves: with thousands of connections a
// slice is long, and who comes only now must not wait for longer than servers let a client.
func (g *growing) contests(points []point, entries []Entry) (all [][]Entry) {
	if !g.apart {
		return [][]Entry{entries}
	}
	at := map[string]int{}
	for i := range points {
		n, seen := at[points[i].line]
		if !seen {
			n = len(all)
			at[points[i].line] = n
			all = append(all, nil)
		}
		all[n] = append(all[n], entries[i])
	}
	return all
}

func (f *Field) growthReport(g *growing, points []point, rounds []Round) {
	rows := [][]string{{g.name, "", g.y}}
	costs := map[string][]float64{} // of each line, its points in turn
	for i := range points {
		p := &points[i]
		var all []float64
		for _, r := range rounds {
			if r.Server != p.Server.Name {
				continue
			}
			cost := r.CPU()
			if g.per != nil {
				cost = g.per(p, cost)
			}
			if r.Fault == "" {
				all = append(all, cost)
			}
			f.table = append(f.table, []string{g.name, p.line, fixed(p.n, 0), strconv.Itoa(r.Number + 1), fixed(cost, 3), fixed(r.CPU(), 3), fixed(r.Others, 3), r.Fault})
		}
		if len(all) == 0 {
			rows = append(rows, []string{p.line, fixed(p.n, 0), "no valid round"})
			continue
		}
		rows = append(rows, []string{p.line, fixed(p.n, 0), figureOf("%.2f", all).String()})
		costs[p.line] = append(costs[p.line], middle(all))
	}
	f.lines(rows)
	remarks(f, rounds)
	for _, p := range points {
		if c := costs[p.line]; p.Server.Ours && len(c) > 1 {
			most := cmp.Or(p.most, g.most)
			f.promise(c[len(c)-1] <= most*c[0], "%s, %s: the last point costs %.2f × the first, %.2g × at most", g.name, p.line, c[len(c)-1]/c[0], most)
			delete(costs, p.line)
		}
	}
}

// growthCharts draws what a table of growth says.
func growthCharts(table []map[string]string) map[string]*chart.Lines {
	all := map[string]*chart.Lines{}
	type place struct {
		over, line string
		n          float64
	}
	var order []place
	costs := map[place][]float64{}
	for _, row := range table {
		n, _ := strconv.ParseFloat(row["n"], 64)
		cost, err := strconv.ParseFloat(row["cost"], 64)
		if err != nil || row["fault"] != "" {
			continue
		}
		p := place{row["over"], row["line"], n}
		if costs[p] == nil {
			order = append(order, p)
		}
		costs[p] = append(costs[p], cost)
	}
	for _, p := range order {
		i := slices.IndexFunc(growings, func(g growing) bool { return g.name == p.over })
		if i < 0 {
			continue
		}
		g := &growings[i]
		if all[g.name] == nil {
			all[g.name] = &chart.Lines{Title: "What a request costs over " + g.name, X: g.x, Y: g.y, Whole: true}
		}
		all[g.name].Add(shown(p.line), p.n, middle(costs[p]))
	}
	return all
}

// ---- what grows ----

func (f *Field) entry(line string, srv *Server, scenario string, n float64) (point, error) {
	s, err := parseScenario(scenario)
	return point{Entry: Entry{srv, s}, line: line, n: n}, err
}

func growConnections(_ context.Context, f *Field) (all []point, err error) {
	for _, n := range []int{1, 10, 100, 1000, clients(10_000)} {
		for _, srv := range f.Servers {
			p, err := f.entry(srv.Name, srv, fmt.Sprintf("forward-1k-c%d", n), float64(n))
			if err != nil {
				return nil, err
			}
			all = append(all, p)
		}
		p, err := f.entry("multiserver, hits", f.Ours, fmt.Sprintf("hit-1k-c%d", n), float64(n))
		if err != nil {
			return nil, err
		}
		all = append(all, p)
	}
	return all, nil
}

func growBodies(_ context.Context, f *Field) (all []point, err error) {
	for _, size := range []string{"1k", "32k", "1m", "32m", "1g"} {
		n, err := parseSize(size)
		if err != nil {
			return nil, err
		}
		for _, srv := range f.Servers {
			p, err := f.entry(srv.Name, srv, "forward-"+size+"-c8", float64(n))
			if err != nil {
				return nil, err
			}
			all = append(all, p)
		}
	}
	return all, nil
}

const mostUpstreams = 1000

func growUpstreams(_ context.Context, f *Field) (all []point, err error) {
	for _, n := range []int{1, 10, 100, mostUpstreams} {
		for _, balance := range []string{"round-robin", "least-connections"} {
			p, err := f.entry(balance, f.before(n, balance), "forward-1k-c64", float64(n))
			if err != nil {
				return nil, err
			}
			all = append(all, p)
		}
	}
	return all, nil
}

// before is ours with n upstreams, all of which are the origin.
func (f *Field) before(n int, balance string) *Server {
	s := *f.Ours
	s.args = func(at place) ([]string, error) {
		args := []string{"--listen", fmt.Sprintf("%s:%d", loopback, at.Port), "--access-log", "off", "--balance", balance}
		for _, port := range f.origins[:n] {
			args = append(args, "--upstream", fmt.Sprintf("http://%s:%d", loopback, port))
		}
		return args, nil
	}
	return &s
}

// growRoutes asks for all routes in turn, whose memory is cold when there are many, and for the same ten
// among all the others: these cost no more, but for what the measurement is off.
func growRoutes(_ context.Context, f *Field) (all []point, err error) {
	add := func(line string, n, asked int, most float64) {
		p, e := f.entry(line, f.routed(n), fmt.Sprintf("forward-1k-c64-u%d", asked), float64(n))
		p.most, err = most, cmp.Or(err, e)
		all = append(all, p)
	}
	for _, n := range []int{1, 10, 100, 1000, 10_000} {
		add("all in turn", n, max(n, 2), 0)
	}
	for _, n := range []int{10, 100, 1000, 10_000} {
		add("the same ten", n, 10, 1.05)
	}
	return all, err
}

// routed is ours with n routes, a prefix each.
func (f *Field) routed(n int) *Server {
	s := *f.Ours
	s.args = func(at place) ([]string, error) {
		var b strings.Builder
		fmt.Fprintf(&b, "upstream: http://%s:%d\nroutes:\n", loopback, at.Origin)
		if n == 1 {
			b.WriteString("  - match: {path: /*}\n")
		}
		for i := 0; n > 1 && i < n; i++ {
			fmt.Fprintf(&b, "  - match: {path: /%d/*}\n", i)
		}
		file := filepath.Join(at.Dir, "routes.yaml")
		return []string{"--config", file, "--listen", fmt.Sprintf("%s:%d", loopback, at.Port), "--access-log", "off"},
			os.WriteFile(file, []byte(b.String()), 0o644)
	}
	return &s
}
