//go:build linux

package main

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// coresMost is what a request may cost more with two cores than with one: two do 2 ÷ 1.11 = 1.8
// times the work of one.
const coresMost = 1.11

// cores asks what a request costs more when a server may use two cores: locks, cache lines and
// wake-ups between them. Where the load needs one of two cores, the rate of two cannot be had; what
// they could do is twice the work of one, divided by that. Each server is there twice, with one
// thread on the core that all have, and with two threads on both; the load shares one with these.
func cores(ctx context.Context, f *Field) error {
	if err := f.invite(ctx, "nginx,haproxy"); err != nil {
		return err
	}
	defer f.Bench.close()
	var all []*Server
	for _, s := range f.Servers {
		all = append(all, s, f.doubled(s))
	}
	f.Servers = all
	f.table = [][]string{{"scenario", "round", "server", "one_us", "two_us", "ratio", "others"}}
	for _, name := range []string{"forward-1k-c64", "hit-1k-c64"} {
		s, err := parseScenario(name)
		if err != nil {
			return err
		}
		rounds, err := f.Run(ctx, s)
		if err != nil {
			return err
		}
		report(f, s, rounds, f.Servers)
		f.coresReport(s, rounds)
	}
	return nil
}

const twice = "×2"

// doubled is the same server with two threads, on the cores of servers and of the load.
func (f *Field) doubled(s *Server) *Server {
	c := *s
	c.Name, c.Peer, c.cpus = s.Name+twice, false, f.CPU+","+f.LoadCPUs
	c.env = slices.Clone(s.env)
	for i, e := range c.env {
		if strings.HasPrefix(e, "GOMAXPROCS=") {
			c.env[i] = "GOMAXPROCS=2"
		}
	}
	c.args = func(at place) ([]string, error) {
		at.Cores = 2
		return s.args(at)
	}
	return &c
}

func (f *Field) coresReport(s Scenario, rounds []Round) {
	rows := [][]string{{"", "with two, ÷ with one", "so two can do"}}
	for _, srv := range f.Servers {
		var ratios []float64
		for _, one := range of(rounds, srv.Name) {
			for _, two := range of(rounds, srv.Name+twice) {
				if one.Number != two.Number {
					continue
				}
				ratios = append(ratios, two.CPU()/one.CPU())
				f.table = append(f.table, []string{s.Name, strconv.Itoa(one.Number + 1), srv.Name, fixed(one.CPU(), 3), fixed(two.CPU(), 3),
					fixed(two.CPU()/one.CPU(), 4), fixed(two.Others, 3)})
			}
		}
		if len(ratios) == 0 {
			continue
		}
		m := middle(ratios)
		rows = append(rows, []string{srv.Name, figureOf("%.3f", ratios).String(), fmt.Sprintf("%.2f × one", 2/m)})
		if srv.Ours {
			defer f.promise(m <= coresMost, "%s: CPU time per request with two cores %.3f × that with one, so that two can do %.2f × one", s.Name, m, 2/m)
		}
	}
	f.lines(rows)
}
