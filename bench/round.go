//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
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
	Active   time.Duration // how long it was under load
	Others   float64       // what everything else on this machine took meanwhile, in cores: it disturbs
	Latency  bool          // whether Load's latencies mean anything
	Fault    string        // why it does not count; "" when it does
}

// CPU returns the server's CPU time per answer, in microseconds.
func (r *Round) CPU() float64 { return float64(r.Used.CPU.Nanoseconds()) / 1e3 / r.Answers }

// Rate returns the answers per second.
func (r *Round) Rate() float64 { return r.Answers / r.seconds() }

// Busy returns how much of its core the server used; below one, wrk or the origin was the
// limit, and the rate says less than the CPU time.
func (r *Round) Busy() float64 { return r.Used.CPU.Seconds() / r.seconds() }

func (r *Round) seconds() float64 { return r.Active.Seconds() }

// A Bench runs scenarios: the origin and wrk on some CPUs, the server under test on another.
type Bench struct {
	Dir      string // temporary
	Servers  []*Server
	Rounds   int
	Time     time.Duration // of a round
	Slice    time.Duration // of a turn, when turns are cut into slices; 0: they are not
	Warm     time.Duration // before the first one: connections made, heaps grown
	CPU      string        // of the servers under test
	LoadCPUs string        // of origin and wrk
	Profiles string        // folder for profiles of ours; "": none
	Log      func(format string, args ...any)

	origin  *Process
	origins []int  // where it listens
	script  string // wrk.lua
	memory  string // a folder that is no disk's, if there is one
}

// An Entry is a server, and what is asked of it.
type Entry struct {
	Server *Server
	Asked  Scenario
}

// runner is a started server.
type runner struct {
	*Server
	*Process
	asked Scenario
	admin int
	reply *Reply
}

func (b *Bench) open(floor string) error { return b.openMany(floor, 1) }

// openMany starts an origin that listens on so many ports: b.origins.
func (b *Bench) openMany(floor string, n int) (err error) {
	b.script = filepath.Join(b.Dir, "wrk.lua")
	if err := os.WriteFile(b.script, wrkScript, 0o644); err != nil {
		return err
	}
	if b.origins, err = freePorts(n); err != nil {
		return err
	}
	argv := []string{floor, "origin"}
	for _, port := range slices.Backward(b.origins) { // the one that is waited for comes last
		argv = append(argv, fmt.Sprint(port))
	}
	b.origin, err = start("origin", b.LoadCPUs, b.Dir, loopback, b.origins[0], argv, nil)
	return err
}

func (b *Bench) close() {
	b.origin.stop()
	if b.memory != "" {
		_ = os.RemoveAll(b.memory)
	}
}

// inMemory is a folder on tmpfs: where a cache has files, they are to cost no more than memory. ""
// where there is none.
func (b *Bench) inMemory(name string) string {
	if b.memory == "" {
		b.memory, _ = os.MkdirTemp("/dev/shm", "multiserver-bench-")
	}
	dir, err := os.MkdirTemp(b.memory, name+"-")
	if b.memory == "" || err != nil {
		return ""
	}
	_ = errors.Join(os.Chmod(b.memory, 0o755), os.Chmod(dir, 0o755)) // a worker may run as another user
	return dir
}

// Run puts one question to all servers.
func (b *Bench) Run(ctx context.Context, s Scenario) ([]Round, error) {
	var line []Entry
	for _, srv := range b.Servers {
		line = append(line, Entry{srv, s})
	}
	return b.Contest(ctx, s.Name, line)
}

// Contest has each server asked what is its own to answer. They all run all the time, idle but for
// their turns, and their turns alternate: what changes on the machine meanwhile meets all of them.
func (b *Bench) Contest(ctx context.Context, name string, entries []Entry) ([]Round, error) {
	var line []*runner
	var all []Round
	for _, e := range entries {
		r, err := b.entered(ctx, e)
		if r != nil {
			defer r.stop()
		}
		switch {
		case err == nil:
			line = append(line, r)
		case e.Server.Ours || ctx.Err() != nil:
			return nil, err
		default: // the others are compared without it
			b.Log("%s: left out: %v\n", name, err)
			all = append(all, Round{Scenario: e.Asked.Name, Server: e.Server.Name, Fault: firstLine(err)})
		}
	}
	if len(line) == 0 {
		return nil, fmt.Errorf("%s: nobody can be asked", name)
	}
	for n := range b.Rounds {
		order := append(slices.Clone(line[n%len(line):]), line[:n%len(line)]...) // nobody always follows the same one
		rounds, err := b.round(ctx, order)
		if err != nil {
			return nil, err
		}
		for _, r := range rounds {
			r.Number = n
			b.Log("%s round %d %s\n", name, n+1, &r)
			all = append(all, r)
		}
	}
	return all, b.profile(ctx, line)
}

// entered starts a server; one that is not ready is to be stopped.
func (b *Bench) entered(ctx context.Context, e Entry) (*runner, error) {
	r, err := b.startServer(e)
	if err != nil {
		return nil, err
	}
	return r, b.ready(ctx, r)
}

func firstLine(err error) string {
	line, _, _ := strings.Cut(err.Error(), "\n")
	return line
}

// ready sees that a server answers as the origin does, has what it should have stored, and is warm.
func (b *Bench) ready(ctx context.Context, r *runner) error {
	want, err := ask(b.origin.Port, r.asked)
	if err != nil {
		return fmt.Errorf("origin: %w", err)
	}
	if r.reply, err = check(r.Process, r.asked, want); err != nil {
		return err
	}
	if err := b.store(r, r.asked); err != nil {
		return err
	}
	many := time.Duration(r.asked.Conns) * perConn // to come at all
	w, err := b.load(ctx, r, b.Warm+many.Round(time.Second))
	if err == nil {
		_, err = w.wait()
	}
	return err
}

func (b *Bench) load(ctx context.Context, r *runner, d time.Duration) (*Wrk, error) {
	return load(ctx, b.LoadCPUs, b.script, r.asked, r.Port, d)
}

// round gives every server one turn: one after the other, or all of them by slices, if they are
// not for a crowd.
func (b *Bench) round(ctx context.Context, line []*runner) ([]Round, error) {
	if b.Slice > 0 && !crowded(line) {
		return b.measure(ctx, line...)
	}
	var all []Round
	for _, r := range line {
		one, err := b.measure(ctx, r)
		if err != nil {
			return nil, err
		}
		all = append(all, one...)
	}
	return all, nil
}

func (b *Bench) startServer(e Entry) (*runner, error) {
	dir, err := b.room(e.Asked.Name + "-" + e.Server.Name)
	if err != nil {
		return nil, err
	}
	r := &runner{Server: e.Server, asked: e.Asked}
	port, err := freePort()
	if err == nil && e.Server.Ours && b.Profiles != "" {
		r.admin, err = freePort()
	}
	if err != nil {
		return nil, err
	}
	at := place{Dir: dir, Port: port, Origin: b.origin.Port, Admin: r.admin, Large: e.Asked.Large}
	if e.Asked.Stored {
		at.Cache = cacheSize
		at.Memory = b.inMemory(e.Server.Name)
	}
	r.Process, err = e.Server.start(b.CPU, at)
	return r, err
}

// room is a folder for one that starts; a peer's worker may run as another user.
func (b *Bench) room(name string) (string, error) {
	dir, err := os.MkdirTemp(b.Dir, strings.ReplaceAll(name, "/", "-")+"-")
	if err != nil {
		return "", err
	}
	return dir, os.Chmod(dir, 0o755)
}

// String is the line that tells how it goes.
func (r *Round) String() string {
	if r.Fault != "" {
		return fmt.Sprintf("%s: INVALID: %s", r.Server, r.Fault)
	}
	return fmt.Sprintf("%s: %.2f µs, %.0f/s, busy %.0f %%, others %.0f %% of a core",
		r.Server, r.CPU(), r.Rate(), 100*r.Busy(), 100*r.Others)
}
