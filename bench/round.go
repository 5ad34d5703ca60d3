//go:build linux

package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// A Round is what one server did in one turn.
type Round struct {
	Scenario string
	Server   string
	Number   int // rounds of one number were run one after the other: they are compared in pairs
	Load     Load
	Used     Usage
	Answers  float64       // what was done: bytes read, by the bytes of one answer
	Memory   int64         // held under load
	Others   time.Duration // CPU time of everything else on this machine: what disturbs
	Fault    string        // why it does not count; "" when it does
}

// CPU returns the server's CPU time per answer, in microseconds.
func (r *Round) CPU() float64 { return float64(r.Used.CPU.Nanoseconds()) / 1e3 / r.Answers }

// Rate returns the answers per second.
func (r *Round) Rate() float64 { return r.Answers / r.seconds() }

// Busy returns how much of its core the server used; below one, wrk or the origin was the
// limit, and the rate says less than the CPU time.
func (r *Round) Busy() float64 { return r.Used.CPU.Seconds() / r.seconds() }

func (r *Round) seconds() float64 { return float64(r.Load.Micros) / 1e6 }

// A Bench runs scenarios: the origin and wrk on some CPUs, the server under test on another.
type Bench struct {
	Dir      string // temporary
	Servers  []*Server
	Rounds   int
	Time     time.Duration // of a round
	Warm     time.Duration // before the first one: connections made, heaps grown
	CPU      string        // of the servers under test
	LoadCPUs string        // of origin and wrk
	Profiles string        // folder for profiles of ours; "": none
	Log      func(format string, args ...any)

	origin *Process
	script string // wrk.lua
}

// runner is a started server.
type runner struct {
	*Server
	*Process
	admin int
	reply *Reply
}

func (b *Bench) open(floor string) error {
	b.script = filepath.Join(b.Dir, "wrk.lua")
	if err := os.WriteFile(b.script, wrkScript, 0o644); err != nil {
		return err
	}
	port, err := freePort()
	if err != nil {
		return err
	}
	b.origin, err = start("origin", b.LoadCPUs, b.Dir, port, []string{floor, "origin", fmt.Sprint(port)}, nil)
	return err
}

func (b *Bench) close() { b.origin.stop() }

// Run puts one question to all servers. They all run all the time, idle but for their turns,
// and their turns alternate: what changes on the machine meanwhile meets all of them.
func (b *Bench) Run(ctx context.Context, s Scenario) ([]Round, error) {
	want, err := ask(b.origin.Port, s)
	if err != nil {
		return nil, fmt.Errorf("origin: %w", err)
	}
	var line []*runner
	for _, srv := range b.Servers {
		r, err := b.startServer(srv, s)
		if err != nil {
			return nil, err
		}
		defer r.stop()
		if r.reply, err = check(r.Process, s, want); err != nil {
			return nil, err
		}
		if _, err := wrk(ctx, b.LoadCPUs, b.script, s, r.Port, b.Warm, func() {}); err != nil {
			return nil, err
		}
		line = append(line, r)
	}
	var all []Round
	for n := range b.Rounds {
		for i := range line {
			r := line[(i+n)%len(line)] // nobody always comes after the same one
			round, err := b.measure(ctx, r, s, n)
			if err != nil {
				return nil, err
			}
			all = append(all, *round)
			b.Log("%s round %d %s\n", s.Name, n+1, round)
		}
	}
	return all, b.profile(ctx, line, s)
}

func (b *Bench) startServer(srv *Server, s Scenario) (*runner, error) {
	dir := filepath.Join(b.Dir, s.Name+"-"+srv.Name)
	if err := os.Mkdir(dir, 0o755); err != nil {
		return nil, err
	}
	r := &runner{Server: srv}
	port, err := freePort()
	if err == nil && srv.Ours && b.Profiles != "" {
		r.admin, err = freePort()
	}
	if err != nil {
		return nil, err
	}
	r.Process, err = srv.start(b.CPU, place{dir, port, b.origin.Port, r.admin})
	return r, err
}

// measure is one server's turn.
func (b *Bench) measure(ctx context.Context, r *runner, s Scenario, n int) (*Round, error) {
	round := &Round{Scenario: s.Name, Server: r.Server.Name, Number: n}
	before, err := b.look(r)
	if err != nil {
		return nil, err
	}
	load, err := wrk(ctx, b.LoadCPUs, b.script, s, r.Port, b.Time, func() {
		time.Sleep(b.Time * 8 / 10)
		round.Memory, err = resident(r.pid())
	})
	if err != nil {
		return nil, err
	}
	time.Sleep(20 * time.Millisecond) // closing wrk's connections is part of the round, for all
	after, err := b.look(r)
	if err != nil {
		return nil, err
	}
	round.Load = *load
	round.Used = after.server.minus(before.server)
	round.Others = max(0, after.machine-before.machine-round.Used.CPU-(after.origin-before.origin)-load.CPU)
	round.Answers = float64(load.Bytes) / float64(r.reply.Wire)
	round.Fault = load.fault()
	return round, nil
}

// A view is the CPU time used up to a moment.
type view struct {
	server          Usage
	origin, machine time.Duration
}

func (b *Bench) look(r *runner) (v view, err error) {
	if v.server, err = usage(r.pid()); err != nil {
		return v, fmt.Errorf("%s is gone: %w; it said:\n%s", r.Server.Name, err, r.said())
	}
	if v.origin, err = cpuClock(b.origin.pid()); err != nil {
		return v, fmt.Errorf("the origin is gone: %w; it said:\n%s", err, b.origin.said())
	}
	v.machine, err = machineBusy()
	return v, err
}

// String is the line that tells how it goes.
func (r *Round) String() string {
	if r.Fault != "" {
		return fmt.Sprintf("%s: INVALID: %s", r.Server, r.Fault)
	}
	return fmt.Sprintf("%s: %.2f µs, %.0f/s, p99 %.2f ms, busy %.0f %%, others %.0f %% of a core",
		r.Server, r.CPU(), r.Rate(), float64(r.Load.P99)/1e3, 100*r.Busy(), 100*r.Others.Seconds()/r.seconds())
}
