//go:build linux

package main

import (
	"fmt"
	"io"
	"math"
	"slices"
	"text/tabwriter"
)

// report prints one scenario's table: medians over the rounds, with the lowest and highest in
// parentheses, and the CPU time as ratios to each server that is a measure for the others.
func report(w io.Writer, s Scenario, rounds []Round, servers []*Server) {
	fmt.Fprintf(w, "\n%s\n", s.Question())
	measures := yardsticks(servers)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprint(t, "server\tCPU µs\tin kernel\tanswers/s\tp50 ms\tp99 ms\tMiB\tbusy")
	for _, m := range measures {
		fmt.Fprintf(t, "\tCPU ÷ %s", m)
	}
	fmt.Fprintln(t)
	for _, srv := range servers {
		rs := of(rounds, srv.Name)
		if len(rs) == 0 {
			fmt.Fprintf(t, "%s\tno valid round\n", srv.Name)
			continue
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s", srv.Name,
			spread("%.2f", rs, (*Round).CPU),
			spread("%.0f%%", rs, func(r *Round) float64 { return 100 * float64(r.Used.System) / float64(r.Used.System+r.Used.User) }).median,
			spread("%.0f", rs, (*Round).Rate),
			waits(rs, func(l *Load) int64 { return l.P50 }),
			waits(rs, func(l *Load) int64 { return l.P99 }),
			spread("%.1f", rs, func(r *Round) float64 { return float64(r.Memory) / (1 << 20) }).median,
			spread("%.0f%%", rs, func(r *Round) float64 { return 100 * r.Busy() }).median)
		for _, m := range measures {
			fmt.Fprintf(t, "\t%s", ratio(rs, of(rounds, m)))
		}
		fmt.Fprintln(t)
	}
	t.Flush()
	remarks(w, rounds)
}

// yardsticks are the peers as we set them up, and of several binaries of ours the first. If
// there is none of these, it is the first server.
func yardsticks(servers []*Server) []string {
	var own int
	for _, s := range servers {
		if s.Ours {
			own++
		}
	}
	var names []string
	for i, s := range servers {
		if s.Peer || s.Ours && own > 1 && !slices.ContainsFunc(servers[:i], func(s *Server) bool { return s.Ours }) {
			names = append(names, s.Name)
		}
	}
	if len(names) == 0 {
		return []string{servers[0].Name}
	}
	return names
}

// of returns a server's valid rounds.
func of(rounds []Round, server string) []Round {
	var rs []Round
	for _, r := range rounds {
		if r.Server == server && r.Fault == "" {
			rs = append(rs, r)
		}
	}
	return rs
}

// A figure is a median with its spread, printed by format.
type figure struct{ median, low, high string }

func (f figure) String() string {
	if f.low == f.high {
		return f.median
	}
	return f.median + " (" + f.low + "–" + f.high + ")"
}

func spread(format string, rs []Round, value func(*Round) float64) figure {
	var vs []float64
	for i := range rs {
		vs = append(vs, value(&rs[i]))
	}
	return figureOf(format, vs)
}

func figureOf(format string, vs []float64) figure {
	slices.Sort(vs)
	p := func(v float64) string { return fmt.Sprintf(format, v) }
	return figure{p(median(vs)), p(vs[0]), p(vs[len(vs)-1])}
}

// waits prints microseconds as milliseconds, where they were measured.
func waits(rs []Round, micros func(*Load) int64) string {
	if !rs[0].Latency {
		return "–"
	}
	return spread("%.2f", rs, func(r *Round) float64 { return float64(micros(&r.Load)) / 1e3 }).String()
}

// median takes sorted values.
func median(vs []float64) float64 {
	n := len(vs)
	return (vs[(n-1)/2] + vs[n/2]) / 2
}

// ratio compares round by round, for two turns next to each other saw the same machine, and
// takes the median of that: the ratio of two medians would compare turns minutes apart.
func ratio(rs, to []Round) string {
	var vs []float64
	for _, r := range rs {
		for _, m := range to {
			if r.Number == m.Number {
				vs = append(vs, r.CPU()/m.CPU())
			}
		}
	}
	if len(vs) == 0 {
		return "–"
	}
	f := figureOf("%.3f", vs)
	if len(vs) > 2 && f.low != f.high {
		f.median += fmt.Sprintf(" ±%.3f", doubt(vs))
	}
	return f.String()
}

// doubt is the standard error of the median: how far another run's would be off, two times in
// three. From the middle of the values alone (their median distance to the median), for the
// outer ones come from noise of another kind.
func doubt(sorted []float64) float64 {
	m := median(sorted)
	var off []float64
	for _, v := range sorted {
		off = append(off, math.Abs(v-m))
	}
	slices.Sort(off)
	const deviation, ofMedian = 1.4826, 1.2533 // of a normal distribution: σ by that distance, √(π/2)
	return ofMedian * deviation * median(off) / math.Sqrt(float64(len(sorted)))
}

// disturbed is the share of a core from which other programs' work is worth a remark.
const disturbed = 0.10

// remarks says what the table's reader must know: rounds that do not count, and noise.
func remarks(w io.Writer, rounds []Round) {
	var noisy int
	for i := range rounds {
		r := &rounds[i]
		if r.Fault != "" && r.Answers == 0 && r.Active == 0 {
			fmt.Fprintf(w, "%s is left out: %s\n", r.Server, r.Fault)
		} else if r.Fault != "" {
			fmt.Fprintf(w, "round %d of %s does not count: %s\n", r.Number+1, r.Server, r.Fault)
		} else if r.Others > disturbed {
			noisy++
		}
	}
	if noisy > 0 {
		fmt.Fprintf(w, "in %d of %d rounds other programs took more than %.0f %% of a core: trust the ratios more than the figures\n",
			noisy, len(rounds), 100*disturbed)
	}
}
