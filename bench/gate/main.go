//go:build linux

package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"syscall"
)

// tries is how often what is above its limit is counted before it fails, and
// everything for a new baseline.
const tries = 3

func main() {
	if len(os.Args) == 4 && os.Args[1] == "play" { // what a counter runs
		times, err := strconv.Atoi(os.Args[3])
		if err == nil {
			err = play(os.Args[2], times)
		}
		end(err)
	}
	var g gate
	update, one := false, ""
	flag.StringVar(&g.path, "baseline", "bench/gate/baseline.txt", "the `file` to compare with")
	flag.BoolVar(&update, "update", false, "write it anew")
	flag.StringVar(&one, "scene", "", "only this `NAME`")
	flag.BoolVar(&g.why, "why", false, "tell in which functions the instructions are")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	end(g.run(ctx, one, update))
}

func end(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "gate:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

// A gate is one comparison.
type gate struct {
	counter
	path  string
	why   bool
	worse []Change
}

func (g *gate) run(ctx context.Context, one string, update bool) (err error) {
	line := scenes
	if one != "" {
		sc, err := findScene(one)
		if err != nil {
			return err
		}
		line = []scene{*sc}
	}
	if g.self, err = os.Executable(); err != nil {
		return err
	}
	if g.dir, err = os.MkdirTemp("", "multiserver-gate-"); err != nil {
		return err
	}
	defer os.RemoveAll(g.dir)
	if g.valgrind, err = exec.LookPath("valgrind"); err != nil {
		fmt.Println("instructions and calls are not compared: there is no valgrind (on Debian: apt-get install valgrind)")
	}
	if update {
		return g.update(ctx, line)
	}
	return g.compare(ctx, line)
}

func (g *gate) compare(ctx context.Context, line []scene) error {
	b, err := readBaseline(g.path)
	if err != nil {
		return err
	}
	if b.Machine != here() {
		fmt.Printf("instructions are not compared: the baseline is of %s, this is %s\n", b.Machine, here())
	}
	for i := range line {
		if err := g.one(ctx, b, &line[i]); err != nil {
			return err
		}
	}
	if len(g.worse) == 0 {
		return nil
	}
	for _, c := range g.worse {
		fmt.Println(c)
	}
	return fmt.Errorf("above the limit: %d; scripts/gate -scene NAME -why tells in which functions, here and before the change;\n"+
		"if it has to be so, scripts/gate -update writes the baseline anew, and the commit says why", len(g.worse))
}

// one compares a scene, and counts again what is above its limit.
func (g *gate) one(ctx context.Context, b *Baseline, sc *scene) error {
	var is *Costs
	for try := 1; ; try++ {
		c, err := g.count(ctx, sc)
		if err != nil {
			return err
		}
		is = least(is, c)
		worse, better := judge(b, sc.name, is, here())
		if len(worse) > 0 && try < tries {
			continue
		}
		g.tell(sc, is)
		for _, c := range better {
			fmt.Println("   less than before:", c)
		}
		g.worse = append(g.worse, worse...)
		return nil
	}
}

func (g *gate) tell(sc *scene, is *Costs) {
	fmt.Printf("%-14s", sc.name)
	for _, f := range figures {
		if v, ok := is.by[f.name]; ok {
			fmt.Printf("  %.*f %s", f.digits, v, f.name)
		}
	}
	fmt.Println()
	if g.why {
		is.why(os.Stdout, 40)
	}
}

// update has the baseline say what everything costs now. Other scenes stay.
func (g *gate) update(ctx context.Context, line []scene) error {
	b, err := readBaseline(g.path)
	if err != nil || b.Machine != here() {
		if len(line) < len(scenes) {
			return fmt.Errorf("the baseline is of another machine than %s, or cannot be read: -update without -scene", here())
		}
		b = &Baseline{Machine: here(), by: map[string]map[string]float64{}}
	}
	for i := range line {
		var is *Costs
		for range tries {
			c, err := g.count(ctx, &line[i])
			if err != nil {
				return err
			}
			is = least(is, c)
		}
		g.tell(&line[i], is)
		if g.valgrind == "" {
			return errors.New("a baseline without instructions would guard too little")
		}
		for name, v := range is.by {
			b.set(line[i].name, name, v)
		}
	}
	return os.WriteFile(g.path, b.text(), 0o644)
}
