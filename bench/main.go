//go:build linux

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"multiserver/bench/app"
)

// parts are this program as processes of their own, by its first argument.
var parts = map[string]func(args []string) error{
	"app":    app.Main,                                     // a measure's origin
	"answer": answer,                                       // floor-go
	"bare":   func([]string) error { return bareWrites() }, // a delivery's floor
}

func main() {
	if len(os.Args) > 1 && parts[os.Args[1]] != nil {
		if err := parts[os.Args[1]](os.Args[2:]); err != nil {
			fmt.Fprintf(os.Stderr, "bench %s: %v\n", os.Args[1], err)
			os.Exit(1)
		}
		return
	}
	ctx, _ := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:])
	switch {
	case err == nil:
	case ctx.Err() != nil: // what was under way failed because of it
		fmt.Fprintln(os.Stderr, "bench: stopped")
		os.Exit(130)
	default:
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	o, err := parse(args)
	if err == nil && (o.all || o.render) {
		err = o.home(ctx)
	}
	if err == nil {
		err = errors.Join(folder(o.out), folder(o.profiles))
	}
	switch {
	case err != nil:
		return err
	case o.all:
		return takeAll(ctx, o)
	case o.render:
		return render(o.out, o.readme)
	case o.measure != "":
		m, _ := findMeasure(o.measure)
		return take(ctx, m, o)
	}
	return compare(ctx, o)
}

// folder makes one, if it is named.
func folder(name string) error {
	if name == "" {
		return nil
	}
	return os.MkdirAll(name, 0o755)
}

// compare puts the scenarios to the servers.
func compare(ctx context.Context, o options) error {
	scenarios, err := parseScenarios(o.scenarios)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "multiserver-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	os.Chmod(dir, 0o755) // a peer's worker may run as another user

	floor, err := buildFloor(ctx, dir)
	if err != nil {
		return err
	}
	b := &Bench{Dir: dir, Rounds: o.rounds, Time: o.time, Slice: o.slice, Warm: o.warm, CPU: o.cpu, LoadCPUs: o.loadCPUs, Profiles: o.profiles,
		Log: func(format string, args ...any) { fmt.Fprintf(os.Stderr, format, args...) }}
	if b.Servers, err = line(ctx, o.servers, o.binaries, floor, dir); err != nil {
		return err
	}
	if err := b.open(floor); err != nil {
		return err
	}
	defer b.close()
	return putAll(ctx, b, scenarios, o.out)
}

// putAll prints what comes of each scenario, and keeps it in the folder out.
func putAll(ctx context.Context, b *Bench, scenarios []Scenario, out string) error {
	a := about(ctx, b)
	a.Command = noPaths(a.Command)
	var tables bytes.Buffer
	w := io.MultiWriter(os.Stdout, &tables)
	fmt.Fprintf(w, "%s, %d cores, %s, commit %s; %d rounds of %v; median (lowest–highest)\n",
		a.CPU, a.Cores, a.Kernel, a.Commit, b.Rounds, b.Time)
	var all []Round
	for _, s := range scenarios {
		rounds, err := b.Run(ctx, s)
		if err != nil {
			return err
		}
		report(w, s, rounds, b.Servers)
		all = append(all, rounds...)
	}
	if out == "" {
		return nil
	}
	return save(out, a, all, tables.Bytes())
}
