//go:build linux

package main

import (
	"flag"
	"fmt"
	"strings"
	"time"
)

// many is a flag that may be given several times.
type many []string

func (m *many) String() string     { return strings.Join(*m, ", ") }
func (m *many) Set(v string) error { *m = append(*m, v); return nil }

// options are the command line.
type options struct {
	scenarios, servers, measure string
	named                       string // -servers as given, before any default
	compare                     string // the first of two commits
	all, render                 bool
	percent                     int // of -all's rounds
	readme, out, profiles       string
	binaries                    many
	rounds                      int
	time, slice, warm           time.Duration
	cpu, loadCPUs               string
}

func (o *options) flags() *flag.FlagSet {
	f := flag.NewFlagSet("bench", flag.ExitOnError)
	f.BoolVar(&o.all, "all", false, "take all that the README shows, in 25 minutes, into -out (bench/results), and write its tables and charts")
	f.IntVar(&o.percent, "percent", 100, "of -all's rounds; a trial run takes 1")
	f.BoolVar(&o.render, "render", false, "write the README's tables and charts from the results in -out once more")
	f.StringVar(&o.readme, "readme", "", "the `file` that -all and -render write into (README.md of this module)")
	f.StringVar(&o.compare, "compare", "", "`A` B: two commits of ours, or . for what lies here, interleaved; "+compareSet+" unless -scenario says otherwise")
	f.StringVar(&o.scenarios, "scenario", defaultScenarios, "what to ask: forward-SIZE-cCONNECTIONS, post-SIZE-cCONNECTIONS, of stored answers hit-SIZE-cCONNECTIONS, mixed-SIZE-cCONNECTIONS with a fifth that is new; -uURLS behind it asks for so many in turn; separated by commas")
	f.StringVar(&o.measure, "measure", "", "instead of scenarios, a `NAME` of:\n"+aboutMeasures())
	f.StringVar(&o.servers, "servers", "", "whom to ask, of multiserver, nginx, haproxy, varnish, caddy, traefik (built at first, which takes minutes), fasthttp (bench/plain), floor, floor-go (answers by itself: for hits), nginx-plain and haproxy-plain (not tuned for large bodies), and NAME=FILE.conf or NAME=FILE.cfg for nginx or HAProxy set up otherwise (default multiserver, nginx, haproxy and floor, for hits varnish and floor-go, too; with several binaries only those; measures have their own)")
	f.Var(&o.binaries, "binary", "`[NAME=]PROGRAM [ARGUMENTS]` of ours to measure: a file, . to build this folder, @COMMIT to build that; may be repeated")
	f.IntVar(&o.rounds, "rounds", 5, "how many turns each server has")
	f.DurationVar(&o.time, "time", 3*time.Second, "how long a turn lasts, in whole seconds")
	f.DurationVar(&o.slice, "slice", -1, "cut the turns into slices of this length and mix them: the sharpest comparison of CPU times, but no latencies; 0 is one turn after the other (default 0; 100ms with several binaries)")
	f.DurationVar(&o.warm, "warm", time.Second, "how long each server runs before its first turn, in whole seconds")
	f.StringVar(&o.cpu, "cpu", "0", "the CPU of the servers under test")
	f.StringVar(&o.loadCPUs, "load-cpus", "1", "the CPUs of the origin and of wrk, as in 1 or 1,2")
	f.StringVar(&o.out, "out", "", "`folder` for the results as data: about.json, rounds.csv, report.txt; of a measure: NAME.json, .csv, .txt")
	f.StringVar(&o.profiles, "pprof", "", "`folder` for CPU profiles of ours, taken in one more turn of each scenario")
	return f
}

func parse(args []string) (o options, err error) {
	f := o.flags()
	f.Parse(args)
	if o.compare != "" && f.NArg() > 0 { // its second commit stands where no flag does
		o.versus(o.compare, f.Arg(0))
		f.Parse(f.Args()[1:])
	}
	given := map[string]bool{}
	f.Visit(func(f *flag.Flag) { given[f.Name] = true })
	switch {
	case f.NArg() > 0:
		return o, fmt.Errorf("%q is no flag: bench takes flags only, see -help", f.Arg(0))
	case o.compare != "" && len(o.binaries) < 2:
		return o, fmt.Errorf("-compare %s: want two commits, as in -compare main .", o.compare)
	}
	if o.measure != "" {
		if err := o.measured(given); err != nil {
			return o, err
		}
	}
	if o.rounds < 1 || o.time < time.Second || o.warm < time.Second || o.percent < 1 {
		return o, fmt.Errorf("-rounds %d -time %v -warm %v -percent %d: want one round, one second and one percent at least", o.rounds, o.time, o.warm, o.percent)
	}
	if o.compare != "" && !given["scenario"] {
		o.scenarios = compareSet
	}
	o.assume()
	return o, nil
}

// measured takes a measure's own rounds and time, where none were given.
func (o *options) measured(given map[string]bool) error {
	m, err := findMeasure(o.measure)
	if err != nil {
		return err
	}
	if !given["rounds"] {
		o.rounds = m.Rounds
	}
	if !given["time"] {
		o.time = m.Time
	}
	return nil
}

// assume fills in what depends on the rest.
func (o *options) assume() {
	several := len(o.binaries) > 1
	if o.slice < 0 {
		o.slice = 0
		if several {
			o.slice = sliced
		}
	}
	o.named = o.servers
	if o.servers != "" {
		return
	}
	switch {
	case several:
		o.servers = "multiserver"
	case strings.HasPrefix(o.scenarios, "hit-"):
		o.servers = "multiserver,nginx,haproxy,varnish,floor,floor-go"
	default:
		o.servers = "multiserver,nginx,haproxy,floor"
	}
}
