//go:build linux

package main

import (
	"cmp"
	"fmt"
	"io"
	"slices"
)

// A Change is one figure of one scene that is not what it was.
type Change struct {
	Scene          string
	Figure         *figure
	Was, Is, Limit float64
	New            bool // the baseline knows nothing of it
}

// judge compares. worse costs more than its limit; better costs so much less
// that the baseline no longer guards it; the rest is as it was.
func judge(b *Baseline, scene string, is *Costs, machine string) (worse, better []Change) {
	for i := range figures {
		f := &figures[i]
		v, counted := is.by[f.name]
		if !counted || f.machine && b.Machine != machine {
			continue
		}
		was, known := b.by[scene][f.name]
		c := Change{scene, f, was, v, f.limit(was), !known}
		switch {
		case !known || v > c.Limit:
			worse = append(worse, c)
		case was > f.limit(v):
			better = append(better, c)
		}
	}
	return worse, better
}

func (c Change) String() string {
	n := func(v float64) string { return fmt.Sprintf("%.*f", c.Figure.digits, v) }
	if c.New {
		return fmt.Sprintf("%s: %s %s, of which the baseline knows nothing", c.Scene, n(c.Is), c.Figure.name)
	}
	return fmt.Sprintf("%s: %s %s, was %s, limit %s", c.Scene, n(c.Is), c.Figure.name, n(c.Was), n(c.Limit))
}

// least is figure by figure the lower one: what disturbs a count adds to it.
func least(a, b *Costs) *Costs {
	if a == nil {
		return b
	}
	out := &Costs{by: map[string]float64{}, functions: b.functions}
	for name, v := range a.by {
		if w, ok := b.by[name]; ok {
			v = min(v, w)
		}
		out.by[name] = v
	}
	return out
}

// why prints the functions that most instructions are in.
func (c *Costs) why(w io.Writer, most int) {
	var names []string
	for fn := range c.functions {
		if counts(fn) {
			names = append(names, fn)
		}
	}
	slices.SortFunc(names, func(a, b string) int { return cmp.Compare(c.functions[b], c.functions[a]) })
	for _, fn := range names[:min(most, len(names))] {
		fmt.Fprintf(w, "%8.1f  %s\n", c.functions[fn], fn)
	}
}
