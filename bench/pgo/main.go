// Pgo makes one profile of several, for the compiler: what is called most is
// inlined further, and calls through interfaces are guessed.
//
//	go run ./bench/pgo -o default.pgo forward.pprof hit.pprof
//
// Each of the profiles counts as much as the others, however long it was. Of
// functions only what the compiler asks for is kept: no file of the machine
// that took them is named.
package main

import (
	"flag"
	"fmt"
	"os"

	"github.com/google/pprof/profile"
)

func main() {
	out := flag.String("o", "default.pgo", "the `file` to write")
	flag.Parse()
	if err := run(*out, flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "pgo:", err)
		os.Exit(1)
	}
}

func run(out string, paths []string) error {
	if len(paths) == 0 {
		return fmt.Errorf("no profiles, want those that scripts/bench -pprof has taken")
	}
	var all []*profile.Profile
	for _, path := range paths {
		p, err := read(path)
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		all = append(all, p)
	}
	merged, err := profile.Merge(all)
	if err != nil {
		return err
	}
	f, err := os.Create(out)
	if err != nil {
		return err
	}
	if err := merged.Write(f); err != nil {
		_ = f.Close()
		return err
	}
	return f.Close()
}

// share is what all samples of one profile come to, in the merged one.
const share = 1_000_000

// read is a profile of CPU time, in samples alone, scaled to share.
func read(path string) (*profile.Profile, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	p, err := profile.Parse(f)
	if err != nil {
		return nil, err
	}
	if len(p.SampleType) == 0 || p.SampleType[0].Type != "samples" {
		return nil, fmt.Errorf("not a profile of CPU time")
	}
	strip(p)
	sum := int64(0)
	for _, s := range p.Sample {
		sum += s.Value[0]
	}
	if sum == 0 {
		return nil, fmt.Errorf("no samples: the server was idle")
	}
	p.Scale(share / float64(sum))
	return p, nil
}

// strip takes out what the compiler does not ask for: the second value of each
// sample, files, addresses, and when it was.
func strip(p *profile.Profile) {
	p.SampleType, p.PeriodType = p.SampleType[:1], &profile.ValueType{}
	for _, s := range p.Sample {
		s.Value, s.Label, s.NumLabel, s.NumUnit = s.Value[:1], nil, nil, nil
	}
	for _, f := range p.Function {
		f.Filename = ""
	}
	for _, m := range p.Mapping {
		m.File, m.BuildID = "", ""
	}
	p.TimeNanos, p.DurationNanos, p.Period, p.Comments = 0, 0, 0, nil
}
