//go:build linux

package main

import (
	"fmt"
	"io"
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
			spread("%.2f", rs, func(r *Round) float64 { return float64(r.Load.P50) / 1e3 }),
			spread("%.2f", rs, func(r *Round) float64 { return float64(r.Load.P99) / 1e3 }),
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

// yardsticks are the peers, and of several binaries of ours the first.
func yardsticks(servers []*Server) []string {
	var peers, own []string
	for _, s := range servers {
		if s.Ours {
			own = append(own, s.Name)
		} else {
			peers = append(peers, s.Name)
		}
	}
	if len(own) > 1 {
		return append([]string{own[0]}, peers...)
	}
	return peers
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
	return figureOf("%.3f", vs).String()
}

// disturbed is the share of a core from which other programs' work is worth a remark.
const disturbed = 0.10

// remarks says what the table's reader must know: rounds that do not count, and noise.
func remarks(w io.Writer, rounds []Round) {
	var noisy int
	for i := range rounds {
		r := &rounds[i]
		if r.Fault != "" {
			fmt.Fprintf(w, "round %d of %s does not count: %s\n", r.Number+1, r.Server, r.Fault)
		} else if r.Others.Seconds() > disturbed*r.seconds() {
			noisy++
		}
	}
	if noisy > 0 {
		fmt.Fprintf(w, "in %d of %d rounds other programs took more than %.0f %% of a core: trust the ratios more than the figures\n",
			noisy, len(rounds), 100*disturbed)
	}
}
