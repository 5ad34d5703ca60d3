//go:build linux

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"
)

// A counter runs this program as others that play a scene.
type counter struct {
	self     string // the program
	dir      string // for what Valgrind writes
	valgrind string // "": there is none
}

// longest is how long a run may take: a hundred times what it does.
const longest = 3 * time.Minute

// Costs are what a scene costs each time, by figure.
type Costs struct {
	by        map[string]float64
	functions map[string]float64 // instructions, those that are not compared as well
}

// count plays a scene, and again under Valgrind.
func (c *counter) count(ctx context.Context, sc *scene) (*Costs, error) {
	p, _, err := c.run(ctx, sc, sc.times, nil)
	if err != nil {
		return nil, err
	}
	each := func(n uint64) float64 { return float64(n) / float64(p.Times) }
	all := &Costs{by: map[string]float64{allocations: each(p.Allocs), bytesOf: each(p.Bytes), goroutinesOf: each(p.Goroutines)}}
	if c.valgrind == "" {
		return all, nil
	}
	if err := c.instructions(ctx, sc, all); err != nil { // without it all went well
		c.valgrind = ""
		fmt.Printf("instructions and calls are not compared: Valgrind does not run here: %v\n", err)
	}
	return all, ctx.Err()
}

// instructions subtracts a short run from a long one: what is left is what the
// difference in times has cost.
func (c *counter) instructions(ctx context.Context, sc *scene, into *Costs) error {
	var short, long *watched
	var errs [2]error
	var both sync.WaitGroup
	both.Go(func() { short, errs[0] = c.watched(ctx, sc, sc.times/10) })
	both.Go(func() { long, errs[1] = c.watched(ctx, sc, sc.times) })
	both.Wait()
	if err := errors.Join(errs[:]...); err != nil {
		return err
	}
	times := float64(sc.times - sc.times/10)
	into.by[calls] = max(0, float64(long.calls-short.calls)/times)
	into.functions = map[string]float64{}
	sum := 0.0
	for fn, n := range long.functions {
		each := float64(n-short.functions[fn]) / times
		into.functions[fn] = each
		if counts(fn) {
			sum += each
		}
	}
	into.by[instructions] = sum
	return nil
}

// watched is a run under Valgrind.
type watched struct {
	functions map[string]int64
	calls     int64 // of the server alone, from its start
}

func (c *counter) watched(ctx context.Context, sc *scene, times int) (*watched, error) {
	dir, err := os.MkdirTemp(c.dir, sc.name+"-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	profile, log := filepath.Join(dir, "profile"), filepath.Join(dir, "log")
	p, said, err := c.run(ctx, sc, times, []string{c.valgrind, "--tool=cachegrind", "--cache-sim=no",
		"--trace-syscalls=yes", "--cachegrind-out-file=" + profile, "--log-file=" + log})
	if err != nil {
		return nil, err
	}
	text, err := os.ReadFile(log)
	if err != nil {
		return nil, err
	}
	w := &watched{calls: parseCalls(text) - p.Calls}
	f, err := os.Open(profile)
	if err != nil {
		return nil, fmt.Errorf("%w; it said: %s", err, said)
	}
	defer f.Close()
	w.functions, err = parseProfile(f)
	return w, err
}

// run has a process play sc, after the words of before. One P takes turns in
// the same order each time; collecting garbage would come when it likes.
func (c *counter) run(ctx context.Context, sc *scene, times int, before []string) (p Played, said string, err error) {
	ctx, stop := context.WithTimeout(ctx, longest)
	defer stop()
	argv := append(before, c.self, "play", sc.name, strconv.Itoa(times))
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Env = append(os.Environ(), "GOMAXPROCS=1", "GOGC=off", "GODEBUG=asyncpreemptoff=1")
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err = cmd.Run(); err == nil {
		err = json.Unmarshal(out.Bytes(), &p)
	}
	said = strings.TrimSpace(errs.String())
	if err != nil {
		err = fmt.Errorf("%s: %w; it said:\n%s", strings.Join(cmd.Args, " "), err, said)
	}
	return p, said, err
}
