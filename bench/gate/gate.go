//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
)

// tries is how often what is above its limit is counted before it fails, and
// everything for a new baseline.
const tries = 3

// A gate is one comparison.
type gate struct {
	counter
	path    string // of the baseline
	program string // whose size is compared; "": none's
	why     bool
	worse   []Change
}

// run compares, or writes the baseline anew: one scene, or all and the program.
func (g *gate) run(ctx context.Context, one string, update bool) (err error) {
	line := scenes
	if one != "" {
		sc, err := findScene(one)
		if err != nil {
			return err
		}
		line, g.program = []scene{*sc}, ""
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
		fmt.Printf("instructions and sizes are not compared: the baseline is of %s, this is %s\n", b.Machine, here())
	}
	if err := g.weigh(func(is *Costs) { g.judged(b, wholeProgram, is) }); err != nil {
		return err
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
	for range tries {
		c, err := g.count(ctx, sc)
		if err != nil {
			return err
		}
		is = least(is, c)
		if worse, _ := judge(b, sc.name, is, here()); len(worse) == 0 {
			break
		}
	}
	g.judged(b, sc.name, is)
	return nil
}

// judged tells what was found of a scene.
func (g *gate) judged(b *Baseline, scene string, is *Costs) {
	g.tell(scene, is)
	worse, better := judge(b, scene, is, here())
	for _, c := range better {
		fmt.Println("   less than before:", c)
	}
	g.worse = append(g.worse, worse...)
}

func (g *gate) tell(scene string, is *Costs) {
	fmt.Printf("%-14s", scene)
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

// wholeProgram is a scene's name, for what is of none.
const wholeProgram = "program"

// weigh gives the program's size to found, if it is asked for.
func (g *gate) weigh(found func(is *Costs)) error {
	if g.program == "" {
		return nil
	}
	file, err := os.Stat(g.program)
	if err == nil {
		found(&Costs{by: map[string]float64{size: float64(file.Size())}})
	}
	return err
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
	note := func(scene string, is *Costs) {
		g.tell(scene, is)
		for name, v := range is.by {
			b.set(scene, name, v)
		}
	}
	if err := g.weigh(func(is *Costs) { note(wholeProgram, is) }); err != nil {
		return err
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
		if g.valgrind == "" {
			return errors.New("a baseline without instructions would guard too little")
		}
		note(line[i].name, is)
	}
	return os.WriteFile(g.path, b.text(), 0o644)
}
