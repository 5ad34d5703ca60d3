//go:build linux

package main

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"time"

	"multiserver/bench/steady"
)

// latencyShares are the rates, as shares of what ours can do.
var latencyShares = []float64{.1, .3, .6, .8}

const (
	latencyConns = 256
	latencyLimit = time.Second // for the last answers
	latencyGoal  = .6          // the share at which the promise is made
)

// latencyTurn is what a server's clients saw at one rate in one round.
type latencyTurn struct {
	all          steady.Hist // from when each was due; the unanswered with the time they waited
	failed, lost int
	cpu          float64 // µs an answer, of the server
	others       float64
}

// latency asks at fixed rates, the same for all, whatever the answers do: what an answer takes
// counts from when its request was due. Turns, not slices: a halted load would be late by itself.
// The origin without a proxy shows what is the load's and the machine's.
func latency(ctx context.Context, f *Field) error {
	if err := f.invite(ctx, "nginx,haproxy,caddy,traefik,fasthttp"); err != nil {
		return err
	}
	defer f.Bench.close()
	s, err := parseScenario("forward-1k-c64")
	if err != nil {
		return err
	}
	line := []*runner{{Server: &Server{Name: "no proxy"}, Process: f.Bench.origin, asked: s}}
	for _, srv := range f.Servers {
		r, err := f.entered(ctx, Entry{srv, s})
		if r != nil {
			defer r.stop()
		}
		if err != nil && (srv.Ours || ctx.Err() != nil) {
			return err
		} else if err != nil {
			fmt.Fprintf(f, "%s is left out: %s\n", srv.Name, firstLine(err))
			continue
		}
		line = append(line, r)
	}
	peak, err := f.peak(ctx, line[1])
	if err != nil {
		return err
	}
	fmt.Fprintf(f, "ours answers %.0f/s at most, over 64 connections; asked for shares of that, over %d, by chance at a mean rate\n\n", peak, latencyConns)
	f.table = [][]string{{"server", "share", "rate", "round", "p50_us", "p99_us", "p999_us", "max_us", "asked", "failed", "unanswered", "cpu_us", "others"}}
	for _, share := range latencyShares {
		if err := f.latencyAt(ctx, line, share, share*peak); err != nil {
			return err
		}
	}
	f.remark()
	return nil
}

// peakTurns are enough for one that nobody disturbed.
const peakTurns = 3

// peak is how many requests a second a server answers, with the next always ready: the most of
// some turns, for whatever else ran can only have made it fewer.
func (f *Field) peak(ctx context.Context, r *runner) (most float64, err error) {
	f.Slice = 0
	for range peakTurns {
		rounds, err := f.measure(ctx, r)
		if err != nil {
			return 0, err
		}
		if rounds[0].Fault != "" {
			return 0, fmt.Errorf("%s: %s", r.Server.Name, rounds[0].Fault)
		}
		most = max(most, rounds[0].Rate())
	}
	return most, nil
}

func (f *Field) latencyAt(ctx context.Context, line []*runner, share, rate float64) error {
	turns := make([][]*latencyTurn, len(line))
	for n := range f.Rounds {
		for k := range line {
			i := (n + k) % len(line) // nobody always follows the same one
			t, err := f.latencyTurn(ctx, line[i], rate, n)
			if err != nil {
				return fmt.Errorf("%s: %w", line[i].Server.Name, err)
			}
			turns[i] = append(turns[i], t)
			f.table = append(f.table, []string{line[i].Server.Name, fixed(share, 2), fixed(rate, 0), strconv.Itoa(n + 1),
				micros(t.all.Quantile(.5)), micros(t.all.Quantile(.99)), micros(t.all.Quantile(.999)), micros(t.all.Max()),
				fmt.Sprint(t.all.Count()), strconv.Itoa(t.failed), strconv.Itoa(t.lost), fixed(t.cpu, 2), fixed(t.others, 3)})
		}
	}
	f.latencyReport(line, turns, share, rate)
	return nil
}

func (f *Field) latencyTurn(ctx context.Context, r *runner, rate float64, round int) (*latencyTurn, error) {
	t := new(latencyTurn)
	b := steady.Beat{Addr: r.addr(), Conns: latencyConns, Limit: latencyLimit,
		Pace:    steady.NewPace(uint64(round), steady.Step{Rate: rate, For: f.Time}),
		Request: fmt.Appendf(nil, "GET %s HTTP/1.1\r\nHost: %s\r\n\r\n", r.asked.Path, r.addr()),
		Seen:    t.seen}
	used, err := r.used()
	if err != nil {
		return nil, err
	}
	before, err := f.elsewhere()
	if err != nil {
		return nil, err
	}
	self, err := cpuClock(os.Getpid())
	if err != nil {
		return nil, err
	}
	began := time.Now()
	if err := b.Run(ctx); err != nil {
		return nil, err
	}
	now, err := r.used()
	if err != nil {
		return nil, err
	}
	after, err := f.elsewhere()
	if err != nil {
		return nil, err
	}
	own, err := cpuClock(os.Getpid())
	cpu := now.minus(used).CPU
	t.cpu = float64(cpu.Nanoseconds()) / 1e3 / float64(max(t.all.Count(), 1))
	if r.Process == f.Bench.origin {
		cpu = 0 // elsewhere has it left out
	}
	t.others = max(0, (after-before-cpu-(own-self)).Seconds()/time.Since(began).Seconds())
	pause(ctx, 50*time.Millisecond) // its connections end
	return t, err
}

func (t *latencyTurn) seen(_, took time.Duration, err error) {
	t.all.Add(took)
	switch err {
	case nil:
	case steady.ErrUnsent, steady.ErrUnanswered:
		t.lost++
	default:
		t.failed++
	}
}

// at are a quantile of all rounds, in milliseconds.
func at(turns []*latencyTurn, q float64) (ms []float64) {
	for _, t := range turns {
		ms = append(ms, float64(t.all.Quantile(q))/1e6)
	}
	return ms
}

func (f *Field) latencyReport(line []*runner, turns [][]*latencyTurn, share, rate float64) {
	rows := [][]string{{fmt.Sprintf("%.0f/s, %.0f %%", rate, 100*share), "p50 ms", "p99 ms", "p99.9 ms", "CPU µs", "failed", "unanswered"}}
	best := 0.
	for i, r := range line {
		failed, lost := 0, 0
		var cpu []float64
		for _, t := range turns[i] {
			failed, lost, cpu = failed+t.failed, lost+t.lost, append(cpu, t.cpu)
		}
		p99 := figureOf("%.2f", at(turns[i], .99))
		rows = append(rows, []string{r.Server.Name, figureOf("%.2f", at(turns[i], .5)).String(), p99.String(), figureOf("%.2f", at(turns[i], .999)).String(),
			figureOf("%.1f", cpu).median, strconv.Itoa(failed), strconv.Itoa(lost)})
		if m := middle(at(turns[i], .99)); i > 1 && (best == 0 || m < best) {
			best = m
		}
	}
	f.lines(rows)
	if ours := middle(at(turns[1], .99)); share == latencyGoal && best > 0 {
		f.promise(ours <= best*slowNoise, "p99 at %.0f %% of the peak: %.2f ms, the best peer's %.2f ms", 100*share, ours, best)
	}
}

func micros(d time.Duration) string { return fixed(float64(d)/1e3, 1) }
