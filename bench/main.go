//go:build linux

// Bench compares multiserver with its peers: nginx, HAProxy, Varnish and the floor, a program
// that only passes bytes on. It asks what a request costs the server in CPU time, for that is what a
// machine has to give; rates and latencies are beside it.
//
// scripts/bench starts it. Everything runs on 127.0.0.1 and is stopped at the end, on Ctrl-C
// too: the server under test has one CPU with one thread or worker, the origin and wrk have
// another. A server that does not give the origin's answer is not measured, and a turn in which
// a request failed does not count.
//
// CPU time is the scheduler's account of the server's processes (cpu.go), divided by the
// answers that wrk read. It holds the kernel's work for the server too, which is most of it.
//
// A machine changes its speed while one measures, on a rented one by a third within seconds. So
// all servers of a scenario run at once, take turns, and are compared turn by turn; and -slice
// cuts the turns into pieces that alternate so fast that all see the same machine (turn.go).
// Two copies of one binary then differ by 1 % where they differed by 10; latencies need turns.
//
//	scripts/bench -all                                  all that the README shows, in 25 minutes, and its charts
//	scripts/bench -compare main~3 .                     two states of ours, interleaved
//	scripts/bench                                       all peers, the default scenarios
//	scripts/bench -slice 100ms -time 1s -rounds 15      the same, for sharp ratios of CPU time
//	scripts/bench -scenario forward-1k-c64 -rounds 3    one question
//	scripts/bench -scenario hit-1k-c64 -slice 100ms     stored answers: all with a cache, Varnish among them
//	scripts/bench -binary old=/tmp/a -binary new=/tmp/b two builds of ours side by side, in slices
//	scripts/bench -binary old=@main~3 -binary new=.     the same, with names of one's own
//	scripts/bench -binary off=. -binary 'on=. --queue 9' -servers multiserver,nginx
//	scripts/bench -servers nginx,mine=/tmp/mine.conf    two set-ups of nginx (a .cfg is HAProxy's)
//	scripts/bench -measure slow                         one slow origin of four: p99 by algorithm
//	scripts/bench -measure overload                     four times what the origins can do
//	scripts/bench -measure faults                       origins killed, stopped, failing, moving under load
//	scripts/bench -measure cluster                      three nodes that share stored answers
//	scripts/bench -measure handshakes                   what TLS and HTTP/2 cost, beside nginx, HAProxy and Caddy
//	scripts/bench -measure logs                         what metrics and the access log cost
//	scripts/bench -measure picks -out bench/results     what a pick costs, as a chart
//	scripts/bench -pprof /tmp/profiles                  and a CPU profile per scenario
package main

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"multiserver/bench/app"
)

func main() {
	if len(os.Args) > 1 && os.Args[1] == "app" { // a measure's origin: this program once more
		if err := app.Main(os.Args[2:]); err != nil {
			fmt.Fprintln(os.Stderr, "bench app:", err)
			os.Exit(1)
		}
		return
	}
	if len(os.Args) > 1 && os.Args[1] == "answer" { // floor-go
		fmt.Fprintln(os.Stderr, "bench answer:", answer(os.Args[2:]))
		os.Exit(1)
	}
	if len(os.Args) > 1 && os.Args[1] == "bare" { // a delivery's floor
		if err := bareWrites(); err != nil {
			fmt.Fprintln(os.Stderr, "bench bare:", err)
			os.Exit(1)
		}
		return
	}
	ctx, _ := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:])
	switch {
	case err == nil:
	case ctx.Err() != nil: // what was under way failed because of it
		fmt.Fprintln(os.Stderr, "bench: stopped")
		os.Exit(130)
	default:
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// many is a flag that may be given several times.
type many []string

func (m *many) String() string     { return strings.Join(*m, ", ") }
func (m *many) Set(v string) error { *m = append(*m, v); return nil }

type options struct {
	named                             string // -servers as given, before any default
	scenarios, servers, out, profiles string
	cpu, loadCPUs, measure            string
	readme                            string
	all, render                       bool
	percent                           int // of -all's rounds
	binaries                          many
	rounds                            int
	time, slice, warm                 time.Duration
}

func parse(args []string) (o options, err error) {
	f := flag.NewFlagSet("bench", flag.ExitOnError)
	f.StringVar(&o.scenarios, "scenario", defaultScenarios, "what to ask: forward-SIZE-cCONNECTIONS, post-SIZE-cCONNECTIONS, or of stored answers hit-SIZE-cCONNECTIONS[-uURLS], separated by commas")
	f.StringVar(&o.measure, "measure", "", "instead of scenarios, a `NAME` of:\n"+aboutMeasures())
	f.StringVar(&o.servers, "servers", "", "whom to ask, of multiserver, nginx, haproxy, floor, varnish, floor-go (answers by itself: for hits), nginx-plain and haproxy-plain (not tuned for large bodies), and NAME=FILE.conf or NAME=FILE.cfg for nginx or HAProxy set up otherwise (default the first four, for hits the first six; with several binaries only those)")
	f.Var(&o.binaries, "binary", "`[NAME=]PROGRAM [ARGUMENTS]` of ours to measure: a file, . to build this folder, @COMMIT to build that; may be repeated")
	f.IntVar(&o.rounds, "rounds", 5, "how many turns each server has")
	f.DurationVar(&o.time, "time", 3*time.Second, "how long a turn lasts, in whole seconds")
	f.DurationVar(&o.slice, "slice", -1, "cut the turns into slices of this length and mix them: the sharpest comparison of CPU times, but no latencies; 0 is one turn after the other (default 0; 100ms with several binaries)")
	f.DurationVar(&o.warm, "warm", time.Second, "how long each server runs before its first turn, in whole seconds")
	f.StringVar(&o.cpu, "cpu", "0", "the CPU of the servers under test")
	f.StringVar(&o.loadCPUs, "load-cpus", "1", "the CPUs of the origin and of wrk, as in 1 or 1,2")
	f.StringVar(&o.out, "out", "", "`folder` for the results as data: about.json, rounds.csv, report.txt; of a measure: NAME.json, .csv, .txt")
	f.StringVar(&o.profiles, "pprof", "", "`folder` for CPU profiles of ours, taken in one more turn of each scenario")
	f.BoolVar(&o.all, "all", false, "take all that the README shows, in 25 minutes, into -out (bench/results), and write its tables and charts")
	f.IntVar(&o.percent, "percent", 100, "of -all's rounds; a trial run takes 1")
	f.BoolVar(&o.render, "render", false, "write the README's tables and charts from the results in -out once more")
	f.StringVar(&o.readme, "readme", "", "the `file` that -all and -render write into (README.md of this module)")
	compare := f.String("compare", "", "`A` B: two commits of ours, or . for what lies here, interleaved; "+compareSet+" unless -scenario says otherwise")
	f.Parse(args)
	if *compare != "" {
		if f.NArg() == 0 {
			return o, fmt.Errorf("-compare %s: want two commits, as in -compare main .", *compare)
		}
		o.versus(*compare, f.Arg(0))
		f.Parse(f.Args()[1:])
	}
	if f.NArg() > 0 {
		return o, fmt.Errorf("%q is no flag: bench takes flags only, see -help", f.Arg(0))
	}
	if o.measure != "" {
		m, err := findMeasure(o.measure)
		if err != nil {
			return o, err
		}
		given := map[string]bool{}
		f.Visit(func(f *flag.Flag) { given[f.Name] = true })
		if !given["rounds"] {
			o.rounds = m.Rounds
		}
		if !given["time"] {
			o.time = m.Time
		}
	}
	if o.rounds < 1 || o.time < time.Second || o.warm < time.Second {
		return o, fmt.Errorf("-rounds %d -time %v -warm %v: want one round and one second at least", o.rounds, o.time, o.warm)
	}
	if *compare != "" && o.scenarios == defaultScenarios {
		o.scenarios = compareSet
	}
	o.named = o.servers
	several := len(o.binaries) > 1
	if o.slice < 0 {
		o.slice = 0
		if several {
			o.slice = 100 * time.Millisecond
		}
	}
	if o.servers == "" {
		o.servers = "multiserver,nginx,haproxy,floor"
		if strings.HasPrefix(o.scenarios, "hit-") {
			o.servers = "multiserver,nginx,haproxy,varnish,floor,floor-go"
		}
		if several {
			o.servers = "multiserver"
		}
	}
	return o, nil
}

func run(ctx context.Context, args []string) error {
	o, err := parse(args)
	if err != nil {
		return err
	}
	if o.all || o.render {
		if err := o.home(ctx); err != nil {
			return err
		}
	}
	for _, dir := range []string{o.out, o.profiles} {
		if dir == "" {
			continue
		}
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
	}
	switch {
	case o.all:
		return takeAll(ctx, o)
	case o.render:
		return render(o.out, o.readme)
	case o.measure != "":
		m, _ := findMeasure(o.measure)
		return take(ctx, m, o)
	}
	scenarios, err := parseScenarios(o.scenarios)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "multiserver-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	os.Chmod(dir, 0o755) // a peer's worker may run as another user

	floor, err := buildFloor(ctx, dir)
	if err != nil {
		return err
	}
	b := &Bench{Dir: dir, Rounds: o.rounds, Time: o.time, Slice: o.slice, Warm: o.warm, CPU: o.cpu, LoadCPUs: o.loadCPUs, Profiles: o.profiles,
		Log: func(format string, args ...any) { fmt.Fprintf(os.Stderr, format, args...) }}
	if b.Servers, err = line(ctx, o.servers, o.binaries, floor, dir); err != nil {
		return err
	}
	if err := b.open(floor); err != nil {
		return err
	}
	defer b.close()
	return putAll(ctx, b, scenarios, o.out)
}

func putAll(ctx context.Context, b *Bench, scenarios []Scenario, out string) error {
	a := about(ctx, b)
	a.Command = noPaths(a.Command)
	var tables bytes.Buffer
	w := io.MultiWriter(os.Stdout, &tables)
	fmt.Fprintf(w, "%s, %d cores, %s, commit %s; %d rounds of %v; median (lowest–highest)\n",
		a.CPU, a.Cores, a.Kernel, a.Commit, b.Rounds, b.Time)
	var all []Round
	for _, s := range scenarios {
		rounds, err := b.Run(ctx, s)
		if err != nil {
			return err
		}
		report(w, s, rounds, b.Servers)
		all = append(all, rounds...)
	}
	if out == "" {
		return nil
	}
	return save(out, a, all, tables.Bytes())
}
