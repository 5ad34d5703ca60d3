//go:build linux

package main

import (
	"context"
	"fmt"
	"strings"
	"time"
)

// The questions that are put to all, and to whom: who forwards, and who has a cache.
const (
	forwardSet = "forward-1k-c1,forward-1k-c64,forward-1k-c256,forward-1k-c2000," +
		"forward-100k-c1,forward-100k-c64,forward-100k-c256,forward-100k-c2000," +
		"forward-1m-c1,forward-1m-c64,forward-1m-c256,forward-1m-c2000,post-16k-c64"
	hitSet   = "hit-1k-c64-u10000,hit-1k-c64,hit-1k-c256,hit-64k-c64,hit-1m-c16"
	mixedSet = "mixed-1k-c64,mixed-1k-c256"

	forwarders = "nginx,haproxy,caddy,traefik,fasthttp,floor"
	caches     = "nginx,haproxy,varnish,floor,floor-go"
	keepers    = "nginx,haproxy,varnish"
)

// contest is a measure of scenarios, taken in slices that alternate.
func contest(scenarios, servers string) func(context.Context, *Field) error {
	return func(ctx context.Context, f *Field) error {
		all, err := parseScenarios(scenarios)
		if err != nil {
			return err
		}
		if err := f.invite(ctx, servers); err != nil {
			return err
		}
		defer f.Bench.close()
		var rounds []Round
		for _, s := range all {
			some, err := f.Run(ctx, s)
			if err != nil {
				return err
			}
			report(f, s, some, f.Servers)
			rounds = append(rounds, some...)
		}
		f.table = roundTable(rounds)
		f.promiseTargets(rounds)
		return nil
	}
}

// sliced is how long a slice is, and a warm-up, where a measure works with slices.
const (
	sliced = 100 * time.Millisecond
	warmed = time.Second
)

// invite puts ours and others in line, in slices, with an origin. Who cannot be had is named in
// the report; a run must not fail for a program that this machine has not got.
func (f *Field) invite(ctx context.Context, servers string) (err error) {
	if f.wanted != "" {
		servers = f.wanted
	}
	if err := f.withOrigin(ctx); err != nil {
		return err
	}
	f.Slice, f.Warm = sliced, warmed
	f.Servers = []*Server{f.Ours}
	for _, name := range strings.Split(servers, ",") {
		if name = strings.TrimSpace(name); name == "multiserver" {
			continue
		}
		some, err := line(ctx, name, nil, f.floor, f.Dir)
		if err != nil {
			fmt.Fprintf(f, "left out: %v\n", err)
			continue
		}
		f.Servers = append(f.Servers, some...)
	}
	return nil
}

// withOrigin builds the floor, and starts an origin.
func (f *Field) withOrigin(ctx context.Context) (err error) {
	if f.floor, err = buildFloor(ctx, f.Dir); err != nil {
		return err
	}
	return f.open(f.floor)
}
