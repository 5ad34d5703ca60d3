//go:build linux

package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// A step of the whole run: a measure, and how much of it.
type step struct {
	name   string
	rounds int
	time   time.Duration
}

// whole is all that the README shows, in less than 25 minutes on a quiet machine of two cores.
// slow, overload, faults, cluster, zipf, hub and picks are taken by themselves: they hold promises,
// and are no comparison of one figure.
var whole = []step{
	{"forward", 3, time.Second},
	{"hits", 3, time.Second},
	{"mixed", 3, time.Second},
	{"latency", 2, 2 * time.Second},
	{"handshakes", 3, time.Second},
	{"websocket", 3, time.Second},
	{"logs", 5, time.Second},
	{"cores", 5, time.Second},
	{"idle", 1, time.Second},
	{"starts", 1, time.Second},
	{"growth", 2, time.Second},
	{"entries", 1, 4 * time.Second},
}

// wholeLimit ends a run that hangs.
const wholeLimit = 45 * time.Minute

// takeAll takes the whole run into o.out, and renders it. A measure that fails, or finds a promise
// broken, does not stop the others: what is behind is shown like what is ahead.
func takeAll(ctx context.Context, o options) error {
	ctx, cancel := context.WithTimeout(ctx, wholeLimit)
	defer cancel()
	if os.Getenv(pinned) == "" { // with all cores; what follows finds it in Go's cache
		if _, err := output(ctx, "", "go", "build", "multiserver", "multiserver/bench/plain"); err != nil {
			return err
		}
		_, _ = traefik(ctx) // who has not got it is told by the measures
	}
	if err := pin(o.loadCPUs); err != nil {
		return err
	}
	if len(o.binaries) == 0 {
		dir, err := os.MkdirTemp("", "multiserver-bench-")
		if err != nil {
			return err
		}
		defer os.RemoveAll(dir)
		bin, err := buildHere(ctx, "multiserver", dir)
		if err != nil {
			return err
		}
		o.binaries = many{"multiserver=" + bin}
	}
	_ = os.Setenv("LARGE", "1") // entries, up to ten million
	began := time.Now()
	var failed []string
	for _, s := range whole {
		m, err := findMeasure(s.name)
		if err != nil {
			return err
		}
		of := o
		of.rounds, of.time = max(1, s.rounds*o.percent/100), s.time
		if err := take(ctx, m, of); err != nil {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			failed = append(failed, fmt.Sprintf("%s: %v", s.name, err))
			fmt.Fprintln(os.Stderr, "bench:", failed[len(failed)-1])
		}
		fmt.Fprintf(os.Stderr, "bench: %s is done, %v since the start\n", s.name, time.Since(began).Round(time.Second))
	}
	if err := render(o.out, o.readme); err != nil {
		return err
	}
	if len(failed) > 0 {
		return fmt.Errorf("the README is written; of what was measured\n%s", strings.Join(failed, "\n"))
	}
	return nil
}

// compareSet is what two commits are asked unless -scenario says otherwise.
const compareSet = "forward-1k-c64,forward-1k-c256,forward-100k-c64,post-16k-c64,hit-1k-c64"

// versus has two states of ours side by side: a commit each, or . for what lies here.
func (o *options) versus(a, b string) {
	for _, commit := range []string{a, b} {
		name, program := strings.ReplaceAll(commit, "/", "-"), "@"+commit
		if commit == "." {
			name, program = "here", "."
		}
		if commit == b && a == b {
			name += "-again" // twice the same shows what the measurement itself may be off
		}
		o.binaries = append(o.binaries, name+"="+program)
	}
}

// home has results and README where the module has them, unless they were named.
func (o *options) home(ctx context.Context) error {
	dir, err := output(ctx, "", "go", "list", "-m", "-f", "{{.Dir}}")
	if err != nil {
		return err
	}
	if o.out == "" {
		o.out = filepath.Join(dir, "bench", "results")
	}
	if o.readme == "" {
		o.readme = filepath.Join(dir, "README.md")
	}
	return nil
}
