//go:build linux

package main

import (
	"maps"
	"strings"
	"testing"
)

// kept is the baseline that the gate compares with.
func kept(t *testing.T) *Baseline {
	t.Helper()
	b, err := readBaseline("baseline.txt")
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// Whatever a request begins to do once more is above a limit, in each scene.
func TestOneMoreForEachRequestIsFound(t *testing.T) {
	b := kept(t)
	for _, sc := range scenes {
		f := func(figure string, more, times float64) {
			t.Helper()
			is := maps.Clone(b.by[sc.name])
			is[figure] += more * times
			worse, _ := judge(b, sc.name, &Costs{by: is}, b.Machine)
			if len(worse) != 1 || worse[0].Figure.name != figure {
				t.Errorf("%s: %g more %s: found %v", sc.name, more, figure, worse)
			}
		}
		f(allocations, 1, 1)
		f(allocations, 1, 1./4) // every fourth time
		f(bytesOf, 64, 1)
		f(goroutinesOf, 1, 1)
		f(calls, 1, 1)
		f(instructions, 1000, 1)
	}
}

func TestWhatIsAsItWasPasses(t *testing.T) {
	b := kept(t)
	for _, sc := range scenes {
		for _, share := range []float64{0.99, 1, 1.01} {
			is := maps.Clone(b.by[sc.name])
			is[instructions] *= share
			worse, better := judge(b, sc.name, &Costs{by: is}, b.Machine)
			if len(worse)+len(better) != 0 {
				t.Errorf("%s: %g of its instructions: %v %v", sc.name, share, worse, better)
			}
		}
	}
}

func TestJudge(t *testing.T) {
	b, err := parseBaseline([]byte("machine go1.26 linux/amd64\na allocations 0\na instructions 10000\n"))
	if err != nil {
		t.Fatal(err)
	}
	f := func(scene, machine string, allocs, instr float64, want string) {
		t.Helper()
		by := map[string]float64{allocations: allocs}
		if instr > 0 { // else nobody could count them
			by[instructions] = instr
		}
		var got []string
		worse, better := judge(b, scene, &Costs{by: by}, machine)
		for _, c := range worse {
			got = append(got, c.String())
		}
		for _, c := range better {
			got = append(got, "better: "+c.String())
		}
		if s := strings.Join(got, "; "); s != want {
			t.Errorf("%s, %s, %g, %g: %q, want %q", scene, machine, allocs, instr, s, want)
		}
	}
	const same = "go1.26 linux/amd64"
	f("a", same, 0, 10000, "")
	f("a", same, 0.05, 10459, "")
	f("a", same, 0, 10600, "a: 10600 instructions, was 10000, limit 10460")
	f("a", same, 1, 10600, "a: 1.00 allocations, was 0.00, limit 0.10; a: 10600 instructions, was 10000, limit 10460")
	f("a", same, 0, 9000, "better: a: 9000 instructions, was 10000, limit 10460")
	f("a", same, 1, 0, "a: 1.00 allocations, was 0.00, limit 0.10")
	f("a", "go1.27 linux/amd64", 0, 20000, "")
	f("a", "go1.27 linux/amd64", 1, 20000, "a: 1.00 allocations, was 0.00, limit 0.10")
	f("b", same, 0, 0, "b: 0.00 allocations, of which the baseline knows nothing")
}

func TestLeast(t *testing.T) {
	one := &Costs{by: map[string]float64{calls: 5, instructions: 11000}}
	two := &Costs{by: map[string]float64{calls: 6, instructions: 10900}}
	if got := least(least(nil, one), two).by; got[calls] != 5 || got[instructions] != 10900 {
		t.Error(got)
	}
}
