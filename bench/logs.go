//go:build linux

package main

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"time"
)

// logsMost is what metrics and a JSON access log may cost of a request's CPU time.
const logsMost = 1.08

// logs has two copies of ours run side by side in slices, one of which counts and logs every
// request, into a file of the temporary folder.
func logs(ctx context.Context, f *Field) error {
	b := f.Bench
	floor, err := buildFloor(ctx, b.Dir)
	if err != nil {
		return err
	}
	b.Slice, b.Warm = 100*time.Millisecond, time.Second
	b.Servers = []*Server{quiet(f.Ours), telling(f.Ours)}
	if err := b.open(floor); err != nil {
		return err
	}
	defer b.close()
	f.table = [][]string{{"scenario", "round", "off_us", "on_us", "ratio", "others"}}
	for _, name := range []string{"forward-1k-c64", "hit-1k-c64"} {
		s, err := parseScenario(name)
		if err != nil {
			return err
		}
		rounds, err := b.Run(ctx, s)
		if err != nil {
			return err
		}
		report(f, s, rounds, b.Servers)
		f.logsRatio(s, rounds)
	}
	return nil
}

// logsRatio compares round by round, as the machine changes from one to the next.
func (f *Field) logsRatio(s Scenario, rounds []Round) {
	var ratios []float64
	for _, on := range of(rounds, "on") {
		for _, off := range of(rounds, "off") {
			if off.Number != on.Number {
				continue
			}
			ratio := on.CPU() / off.CPU()
			ratios = append(ratios, ratio)
			f.table = append(f.table, []string{s.Name, strconv.Itoa(on.Number + 1), fixed(off.CPU(), 3), fixed(on.CPU(), 3), fixed(ratio, 4), fixed(on.Others, 3)})
		}
	}
	if len(ratios) == 0 {
		f.promise(false, "%s: no round counts", s.Name)
		return
	}
	slices.Sort(ratios)
	costs := fmt.Sprintf("%s: metrics and a JSON access log cost %+.1f %% of CPU per request", s.Name, 100*(median(ratios)-1))
	if s.Stored { // the promise is about what is forwarded: a stored answer has less to add to
		fmt.Fprintln(f, "        "+costs)
		return
	}
	f.promise(median(ratios) <= logsMost, "%s", costs)
}

// quiet is a copy that neither logs nor counts by duration.
func quiet(s *Server) *Server {
	c := *s
	c.Name = "off"
	return &c
}

// telling is a copy that does both.
func telling(s *Server) *Server {
	c := *s
	c.Name = "on"
	c.args = func(at place) ([]string, error) {
		args, err := s.args(at)
		if err != nil {
			return nil, err
		}
		admin, err := freePort()
		if i := slices.Index(args, "--access-log"); i >= 0 {
			args[i+1] = filepath.Join(at.Dir, "access.log")
		}
		return append(args, "--access-log-format", "json", "--admin", fmt.Sprintf("127.0.0.1:%d", admin)), err
	}
	return &c
}
