//go:build linux

package main

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"sync/atomic"
	"time"

	"multiserver/bench/app"
	"multiserver/bench/steady"
)

// Four origins, one of them slowTimes slower, each of which works on slowAtOnce requests and
// has the others wait. Asked for half of what they can do together, 3 of 4 could do it all; who
// gives the slow one its turn like the others asks it for four times what it can.
const (
	slowService = 2 * time.Millisecond
	slowTimes   = 10
	slowAtOnce  = 4
	slowRate    = float64(3*slowAtOnce+slowAtOnce/float64(slowTimes)) / 2 * float64(time.Second/slowService)
	slowConns   = 512
	slowNoise   = 1.05 // two copies of one server differ by as much
)

var slowLine = []contestant{
	{Name: "round-robin", Balance: "round-robin"},
	{Name: "p2c", Balance: "p2c"},
	{Name: "least-connections", Balance: "least-connections"},
	{Name: "least-latency", Balance: "least-latency"},
	{Name: "nginx", Program: "nginx", Balance: "roundrobin"},
	{Name: "nginx-least_conn", Program: "nginx", Balance: "least_conn"},
	{Name: "haproxy", Program: "haproxy", Balance: "roundrobin"},
	{Name: "haproxy-leastconn", Program: "haproxy", Balance: "leastconn"},
}

// A slowTurn is what one server did in one round.
type slowTurn struct {
	all    steady.Hist // of all requests: what was not answered well has its time too
	failed atomic.Int64
	unsent atomic.Int64
	asked  atomic.Int64
	slow   atomic.Int64 // of asked, by the slow origin
	others float64      // cores that other programs took
}

// slow compares the algorithms and the peers, in turns.
func slow(ctx context.Context, f *Field) error {
	origins, err := slowOrigins(f)
	if err != nil {
		return err
	}
	var procs []*Process
	for _, c := range slowLine {
		p, err := f.enter(c, origins)
		if err != nil {
			return err
		}
		procs = append(procs, p)
	}
	turns := make([][]*slowTurn, len(slowLine))
	for i := range slowLine { // connections made, heaps grown, latencies known
		if _, err := f.slowTurn(ctx, procs[i], 0, time.Second); err != nil {
			return err
		}
	}
	for n := range f.Rounds {
		for k := range slowLine {
			i := (n + k) % len(slowLine) // nobody always follows the same one
			t, err := f.slowTurn(ctx, procs[i], n+1, f.Time)
			if err != nil {
				return err
			}
			turns[i] = append(turns[i], t)
			f.Log("round %d %s: p50 %s p99 %s p99.9 %s ms, %d failed, others %.0f %% of a core\n", n+1, slowLine[i].Name,
				ms(t.all.Quantile(.5)), ms(t.all.Quantile(.99)), ms(t.all.Quantile(.999)), t.failed.Load(), 100*t.others)
		}
	}
	f.slowReport(turns)
	return nil
}

func slowOrigins(f *Field) (all []*Origin, err error) {
	for i, id := range []string{"slow", "b", "c", "d"} {
		o := app.Options{ID: id, Service: slowService, AtOnce: slowAtOnce}
		if i == 0 {
			o.Service *= slowTimes
		}
		g, err := f.origin(o)
		if err != nil {
			return nil, err
		}
		all = append(all, g)
	}
	return all, nil
}

func (f *Field) slowTurn(ctx context.Context, p *Process, round int, d time.Duration) (*slowTurn, error) {
	t := new(slowTurn)
	load := steady.Load{Addr: p.addr(), Pace: steady.NewPace(uint64(round), steady.Step{Rate: slowRate, For: d}),
		Conns: slowConns, Limit: 30 * time.Second, Request: get("/slow"), Seen: t.seen}
	before, err := f.others()
	if err != nil {
		return nil, err
	}
	began := time.Now()
	if err := load.Run(ctx); err != nil {
		return nil, err
	}
	after, err := f.others()
	t.others = max(0, (after-before).Seconds()/time.Since(began).Seconds())
	pause(ctx, 300*time.Millisecond) // the origins finish what was left to them
	return t, err
}

func (t *slowTurn) seen(a *steady.Answer) {
	t.all.Add(a.Took)
	t.asked.Add(1)
	switch {
	case a.Err == steady.ErrUnsent:
		t.unsent.Add(1)
	case a.Err != nil || a.Res.StatusCode() != 200:
		t.failed.Add(1)
	case string(a.Res.Header.Peek("Origin")) == "slow":
		t.slow.Add(1)
	}
}

func (f *Field) slowReport(turns [][]*slowTurn) {
	f.table = [][]string{{"server", "round", "p50_ms", "p99_ms", "p999_ms", "max_ms", "requests", "failed", "unsent", "slow_share", "others"}}
	rows := [][]string{{"server", "p50 ms", "p99 ms", "p99.9 ms", "to the slow one", "failed", "unsent", "others"}}
	p99 := map[string]float64{}
	for i, c := range slowLine {
		var v [6][]float64
		var failed, unsent int64
		for n, t := range turns[i] {
			share := 100 * float64(t.slow.Load()) / float64(max(t.asked.Load(), 1))
			qs := []time.Duration{t.all.Quantile(.5), t.all.Quantile(.99), t.all.Quantile(.999), t.all.Max()}
			line := []string{c.Name, strconv.Itoa(n + 1)}
			for k, q := range qs {
				v[k] = append(v[k], float64(q)/1e6)
				line = append(line, fixed(float64(q)/1e6, 3))
			}
			v[4], v[5] = append(v[4], share), append(v[5], t.others)
			failed += t.failed.Load()
			unsent += t.unsent.Load()
			f.table = append(f.table, append(line, fmt.Sprint(t.asked.Load()), fmt.Sprint(t.failed.Load()), fmt.Sprint(t.unsent.Load()),
				fixed(share/100, 5), fixed(t.others, 3)))
		}
		rows = append(rows, []string{c.Name, figureOf("%.2f", v[0]).String(), figureOf("%.2f", v[1]).String(), figureOf("%.2f", v[2]).String(),
			figureOf("%.2f%%", v[4]).String(), fmt.Sprint(failed), fmt.Sprint(unsent), figureOf("%.2f", v[5]).median})
		slices.Sort(v[1])
		p99[c.Name] = median(v[1])
	}
	fmt.Fprintf(f, "%.0f requests/s over at most %d connections; %d rounds of %v in turns; median (lowest–highest)\n\n", slowRate, slowConns, f.Rounds, f.Time)
	f.lines(rows)
	f.remark()
	best := min(p99["haproxy-leastconn"], p99["nginx-least_conn"])
	for _, name := range []string{"least-latency", "p2c"} {
		f.promise(p99[name] <= best*slowNoise, "%s: p99 %.2f ms, the better peer's least connections %.2f ms (%.2f ×)", name, p99[name], best, p99[name]/best)
	}
}
