//go:build linux

package main

import (
	"bufio"
	"context"
	"debug/buildinfo"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"time"
)

// An About says where figures come from: without it they cannot be compared with others.
type About struct {
	Time     time.Time         `json:"time"`
	Commit   string            `json:"commit"`
	CPU      string            `json:"cpu"`
	Cores    int               `json:"cores"`
	Kernel   string            `json:"kernel"`
	Versions map[string]string `json:"versions"` // of each server, of wrk and of Go
	Rounds   int               `json:"rounds"`
	Seconds  float64           `json:"seconds_per_round"`
	Command  []string          `json:"command"`
}

func about(ctx context.Context, b *Bench) About {
	a := About{
		Time: time.Now().UTC().Truncate(time.Second), Cores: coreCount(), CPU: cpuModel(),
		Rounds: b.Rounds, Seconds: b.Time.Seconds(), Command: os.Args[1:],
	}
	a.Commit = commit()
	a.Kernel, _ = output(ctx, "", "uname", "-sr")
	a.Versions = versions(b.Servers)
	a.Versions["go"] = runtime.Version()
	a.Versions["wrk"], _ = exitIgnored("wrk", "-v")
	return a
}

// commit is the state that lies here, named once: results change it while others are taken.
var commit = sync.OnceValue(func() string {
	name, _ := output(context.Background(), "", "git", "describe", "--always", "--dirty", "--abbrev=12")
	return name
})

// versions are what programs say of themselves.
func versions(servers []*Server) map[string]string {
	all := map[string]string{}
	for _, s := range servers {
		switch {
		case s.Ours:
			all[s.Name] = built(s.Path)
		case s.Path == "nginx", s.Path == "haproxy":
			all[s.Name], _ = exitIgnored(s.Path, "-v")
		case s.Path == "varnishd":
			all[s.Name], _ = exitIgnored(s.Path, "-V")
		case s.Path == "caddy":
			all[s.Name], _ = exitIgnored(s.Path, "version")
		case s.Name == "traefik":
			all[s.Name], _ = exitIgnored(s.Path, "version")
		case s.Name == "fasthttp":
			all[s.Name] = module(s.Path, "github.com/valyala/fasthttp")
		}
	}
	return all
}

// coreCount counts all of this machine; runtime.NumCPU knows only those this process may use.
func coreCount() int {
	all, _ := filepath.Glob("/sys/devices/system/cpu/cpu[0-9]*")
	return max(len(all), runtime.NumCPU())
}

func cpuModel() string {
	f, err := os.Open("/proc/cpuinfo")
	if err != nil {
		return ""
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if key, value, ok := strings.Cut(lines.Text(), ":"); ok && strings.TrimSpace(key) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// built says what a binary of ours was built from, and whether with a profile.
func built(path string) string {
	info, err := buildinfo.ReadFile(path)
	if err != nil {
		return ""
	}
	said := info.GoVersion
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision", "vcs.modified", "-pgo":
			said += " " + s.Key + "=" + filepath.Base(s.Value) // not where it lies on this machine
		}
	}
	return said
}

// module is which version of it a binary has.
func module(path, name string) string {
	info, err := buildinfo.ReadFile(path)
	if err != nil {
		return ""
	}
	for _, d := range info.Deps {
		if d.Path == name {
			return d.Version
		}
	}
	return ""
}

// save writes the run as data: about.json, a row per round in rounds.csv, and the tables.
func save(dir string, a About, rounds []Round, tables []byte) error {
	text, err := json.MarshalIndent(a, "", "\t")
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, "about.json"), append(text, '\n'), 0o644); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, "report.txt"), tables, 0o644); err != nil {
		return err
	}
	return saveRounds(filepath.Join(dir, "rounds.csv"), rounds)
}

func saveRounds(path string, rounds []Round) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer f.Close()
	return csv.NewWriter(f).WriteAll(roundTable(rounds))
}

// roundTable is a row per round, below one of names.
func roundTable(rounds []Round) [][]string {
	all := [][]string{{"scenario", "round", "server", "cpu_us", "user_s", "system_s", "answers_per_s", "answers", "seconds",
		"p50_us", "p90_us", "p99_us", "max_us", "memory_bytes", "busy", "others", "fault"}}
	for i := range rounds {
		r := &rounds[i]
		all = append(all, []string{r.Scenario, strconv.Itoa(r.Number + 1), r.Server,
			fixed(r.CPU(), 3), fixed(r.Used.User.Seconds(), 2), fixed(r.Used.System.Seconds(), 2),
			fixed(r.Rate(), 1), fixed(r.Answers, 1), fixed(r.seconds(), 6),
			r.micros(r.Load.P50), r.micros(r.Load.P90), r.micros(r.Load.P99), r.micros(r.Load.Max),
			fmt.Sprint(r.Memory), fixed(r.Busy(), 3), fixed(r.Others, 3), r.Fault})
	}
	return all
}

// micros leaves latencies empty that were not measured.
func (r *Round) micros(v int64) string {
	if !r.Latency {
		return ""
	}
	return strconv.FormatInt(v, 10)
}

func fixed(v float64, digits int) string { return strconv.FormatFloat(v, 'f', digits, 64) }

// exitIgnored returns the first line that a program prints; wrk -v exits with 1.
func exitIgnored(name string, arg string) (string, error) {
	out, err := exec.Command(name, arg).CombinedOutput()
	first, _, _ := strings.Cut(string(out), "\n")
	return strings.TrimSpace(first), err
}
