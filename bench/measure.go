//go:build linux

package main

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"text/tabwriter"
	"time"
)

// A Measure is a question that needs more than one origin, or another load than wrk's.
type Measure struct {
	Name   string
	About  string
	Rounds int           // unless -rounds says otherwise
	Time   time.Duration // unless -time says otherwise; what that is about, About says
	run    func(ctx context.Context, f *Field) error
}

var measures = []Measure{
	{"forward", "what it costs to pass on answers of 1 KiB to 1 MiB over 1 to 2,000 connections, and POSTs, beside all peers, in slices; -time of a turn", 5, time.Second, contest(forwardSet, forwarders)},
	{"hits", "what a stored answer costs, beside all caches, in slices; -time of a turn", 5, time.Second, contest(hitSet, caches)},
	{"mixed", "the same with 80 % of hits; -time of a turn", 5, time.Second, contest(mixedSet, keepers)},
	{"latency", "how long an answer takes at fixed rates, counted from when its request was due, beside the peers; -time of a turn", 3, 2 * time.Second, latency},
	{"cores", "what a request costs more on two cores than on one, beside the peers; -time of a turn", 5, time.Second, cores},
	{"idle", "what an idle connection holds: plain, by TLS, a tunnel, beside the peers; rounds and -time are of no account", 1, time.Second, idle},
	{"starts", "how soon a server answers after its start, and how large its program is; rounds and -time are of no account", 1, time.Second, starts},
	{"growth", "what a request costs over ever more connections, bytes, upstreams and routes, in slices; -time of a turn", 3, time.Second, growth},
	{"slow", "one of four origins ten times slower: latencies by algorithm, beside the peers'; -time of a turn", 3, 10 * time.Second, slow},
	{"overload", "four times what the origins can do: goodput, waits, the price of a refusal; -time of the overload", 1, 30 * time.Second, overload},
	{"faults", "origins killed, stopped, failing, moving under load: what clients notice; -time of a fault", 1, 6 * time.Second, faults},
	{"entries", "what a stored answer costs to find among 1,000 to 1,000,000, and with LARGE=1 in the environment 10,000,000; a benchmark has a twentieth of -time", 5, 4 * time.Second, entries},
	{"zipf", "which share of requests by Zipf's law is a hit, with memory for a tenth of the keys, beside Varnish, HAProxy and an LRU; -time is of no account", 1, time.Second, zipf},
	{"cluster", "three nodes on one Redis: what each tier takes, when a change on one is known to another, one fetch for a crowd, a node's death; -time is of no account", 3, time.Second, cluster},
	{"websocket", "what a message through a tunnel costs, and an idle tunnel, beside the peers; -time of a turn", 5, time.Second, websocket},
	{"handshakes", "what TLS costs: full and resumed handshakes, requests by HTTP/1.1 and HTTP/2, beside the peers and Caddy; -time of a turn", 5, time.Second, handshakes},
	{"hub", "what a message to 1,000 and 10,000 members costs beside a bare write, an idle member, another node over Redis, one who stalls; -time of a stream between nodes", 3, 5 * time.Second, hubMeasure},
	{"logs", "what metrics and an access log in JSON cost of a request, on and off in slices; -time of a turn", 9, time.Second, logs},
	{"sessions", "what a session in the process costs of a request, and one that a client does not have, in slices; -time of a turn", 9, time.Second, sessions},
	{"picks", "what a pick costs with 1 to 1,000 upstreams, drawn; a benchmark has a twentieth of -time", 7, time.Second, picks},
}

func findMeasure(name string) (*Measure, error) {
	var names []string
	for i := range measures {
		if measures[i].Name == name {
			return &measures[i], nil
		}
		names = append(names, measures[i].Name)
	}
	return nil, fmt.Errorf("-measure %s: want one of %s", name, strings.Join(names, ", "))
}

// aboutMeasures is for -help.
func aboutMeasures() string {
	var lines []string
	for _, m := range measures {
		lines = append(lines, m.Name+": "+m.About)
	}
	return strings.Join(lines, "\n")
}

// A Field is where a measure takes place: what it may start, and what it found.
type Field struct {
	*Bench
	Ours      *Server // what is measured
	Out       string  // folder for data; "": none
	io.Writer         // the report

	floor  string     // the program, built when it is asked for
	wanted string     // servers that were named; "": those that a measure has
	procs  []*Process // all that were started, for others
	table  [][]string // the figures as data; the first line has the names
	broken []string   // promises
	zipfs  int        // servers that zipf has started
}

// take takes one measure, prints what it found, and keeps it in the folder out.
func take(ctx context.Context, m *Measure, o options) error {
	if err := pin(o.loadCPUs); err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "multiserver-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	os.Chmod(dir, 0o755) // a peer's worker may run as another user
	if o.out != "" {
		if err := os.MkdirAll(o.out, 0o755); err != nil {
			return err
		}
	}
	spec := "."
	if len(o.binaries) > 0 {
		spec = o.binaries[0]
	}
	var report bytes.Buffer
	f := &Field{Out: o.out, wanted: o.named, Writer: io.MultiWriter(os.Stdout, &report),
		Bench: &Bench{Dir: dir, Rounds: o.rounds, Time: o.time, CPU: o.cpu, LoadCPUs: o.loadCPUs,
			Log: func(format string, args ...any) { fmt.Fprintf(os.Stderr, format, args...) }}}
	if f.Ours, err = binary(ctx, spec, dir); err != nil {
		return err
	}
	f.Servers = []*Server{f.Ours, {Name: "nginx", Path: "nginx"}, {Name: "haproxy", Path: "haproxy"}}
	defer f.stopAll()
	a := about(ctx, f.Bench)
	delete(a.Versions, "wrk")
	a.Command = noPaths(a.Command)
	fmt.Fprintf(f, "%s: %s\n%s, %d cores, %s, commit %s\n\n", m.Name, m.About, a.CPU, a.Cores, a.Kernel, a.Commit)
	if err := m.run(ctx, f); err != nil {
		return err
	}
	for name, said := range versions(f.Servers) { // of those who came in meanwhile, too
		a.Versions[name] = said
	}
	if o.out != "" {
		if err := f.save(filepath.Join(o.out, m.Name), a, report.Bytes()); err != nil {
			return err
		}
	}
	if len(f.broken) > 0 {
		return fmt.Errorf("%d promises broken:\n\t%s", len(f.broken), strings.Join(f.broken, "\n\t"))
	}
	return nil
}

// pinned is set in the environment of one that pin has started.
const pinned = "MULTISERVER_BENCH_PINNED"

// pin starts this program again in its own place, on those CPUs only: the load comes from here.
func pin(cpus string) error {
	if os.Getenv(pinned) != "" {
		return nil
	}
	taskset, err := exec.LookPath("taskset")
	if err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	argv := append([]string{"taskset", "-c", cpus, self}, os.Args[1:]...)
	return fmt.Errorf("taskset: %w", syscall.Exec(taskset, argv, append(os.Environ(), pinned+"=1")))
}

// promise notes whether one is kept, and prints it with its figures.
func (f *Field) promise(kept bool, format string, args ...any) {
	said := fmt.Sprintf(format, args...)
	word := "kept  "
	if !kept {
		word = "BROKEN"
		f.broken = append(f.broken, said)
	}
	fmt.Fprintf(f, "%s  %s\n", word, said)
}

// lines prints rows as columns.
func (f *Field) lines(rows [][]string) {
	t := tabwriter.NewWriter(f, 0, 0, 2, ' ', 0)
	for _, r := range rows {
		fmt.Fprintln(t, strings.Join(r, "\t"))
	}
	t.Flush()
	fmt.Fprintln(f)
}

// remark says what to make of figures taken while others used the machine.
func (f *Field) remark() {
	fmt.Fprintf(f, "others: cores that other programs took meanwhile; above %.1f the tails are as much theirs\n", disturbed)
}

// save writes NAME.json, NAME.csv and NAME.txt.
func (f *Field) save(path string, a About, report []byte) error {
	text, err := json.MarshalIndent(a, "", "\t")
	if err != nil {
		return err
	}
	var table bytes.Buffer
	if err := csv.NewWriter(&table).WriteAll(f.table); err != nil {
		return err
	}
	return errors.Join(
		os.WriteFile(path+".json", append(text, '\n'), 0o644),
		os.WriteFile(path+".csv", table.Bytes(), 0o644),
		os.WriteFile(path+".txt", report, 0o644))
}

var absolute = regexp.MustCompile(`(^|[= ])/[^ =]*/`)

// noPaths leaves the last part of each path: where things lie on this machine is nobody's business.
func noPaths(args []string) []string {
	var all []string
	for _, a := range args {
		all = append(all, absolute.ReplaceAllString(a, "$1"))
	}
	return all
}
