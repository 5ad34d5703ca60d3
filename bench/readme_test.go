//go:build linux

package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// results are a folder with some of what a whole run leaves.
func results(t *testing.T) string {
	dir := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	const about = `{"time":"2026-11-23T01:02:03Z","commit":"abc","cpu":"A CPU","cores":2,"kernel":"Linux 6","rounds":3,"seconds_per_round":1,
		"versions":{"nginx":"nginx version: nginx/1.22.1","haproxy":"HAProxy version 2.6.12-1+deb12u4 2026/10/17","traefik":"Version: v3.6.12"}}`
	for _, name := range []string{"forward", "latency", "logs", "growth"} {
		write(name+".json", about)
	}
	write("forward.csv", `scenario,round,server,cpu_us,answers_per_s,memory_bytes,fault
forward-1k-c64,1,multiserver,9,50000,1048576,
forward-1k-c64,1,nginx,10,45000,2097152,
forward-1k-c64,2,multiserver,18,40000,1048576,
forward-1k-c64,2,nginx,20,41000,2097152,
forward-1k-c64,3,multiserver,900,40000,1048576,status 500
forward-1k-c64,3,nginx,20,41000,2097152,
post-16k-c2000,1,multiserver,1500,300,1048576,
post-16k-c2000,1,nginx,1000,400,2097152,
`)
	write("latency.csv", `server,share,rate,round,p50_us,p99_us,p999_us
no proxy,0.60,30000,1,100,200,400
multiserver,0.60,30000,1,150,250,500
nginx,0.60,30000,1,150,300,600
nginx,0.80,40000,1,150,9000,60000
`)
	write("logs.csv", "scenario,round,off_us,on_us,ratio,others\nforward-1k-c64,1,15,16,1.06,0\n")
	write("growth.csv", "over,line,n,round,cost,cpu_us,others,fault\nroutes,by prefix,1,1,10,10,0,\nroutes,by prefix,10000,1,11,11,0,\n")
	return dir
}

func TestReadmeHasWhatTheResultsSay(t *testing.T) {
	dir := results(t)
	readme := filepath.Join(dir, "README.md")
	if err := os.WriteFile(readme, []byte("before\n"+measuredFrom+"old\n"+measuredTo+"\nafter\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	for range 2 { // the second time changes nothing
		if err := render(dir, readme); err != nil {
			t.Fatal(err)
		}
	}
	text, err := os.ReadFile(readme)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"before\n" + measuredFrom,
		"On A CPU, 2 cores, Linux 6, with nginx 1.22.1, HAProxy 2.6.12, Traefik 3.6.12.",
		"(23 November 2026, commit abc, 3 rounds of 1 s: `./forward.csv`)",
		"| `forward-1k-c64` ÷ nginx | ≤ 0.94 | 0.90 | met |\n",
		"| | multiserver | nginx | ÷ nginx |\n|---|---|---|---|\n",
		"| 1 KiB × 64 | 13.5 | 20.0 | 0.90 |\n", // the round that does not count is in neither
		"| POST of 16 KiB × 2,000 | 1,500 | 1,000 | 1.50 |\n",
		"multiserver 45,000, nginx 41,000",
		"![What a forwarded request costs](./forward.svg)",
		"| | no proxy | multiserver | nginx |\n",
		"| 99 of 100, at 30,000/s | 0.20 | 0.25 | 0.30 |\n",
		"an access log in JSON add 6.0 % of CPU time to `forward-1k-c64`",
		"**Behind** we are, by more than the measurement may be off:\n\n- forwarded: POST of 16 KiB × 2,000 (nginx 1.50)\n\n" + measuredTo,
		"\nafter\n",
	} {
		if !strings.Contains(string(text), want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	for _, name := range []string{"forward.svg", "latency.svg", "growth-routes.svg"} {
		if svg, err := os.ReadFile(filepath.Join(dir, name)); err != nil || !strings.HasPrefix(string(svg), "<svg ") {
			t.Errorf("%s: %.20q, %v", name, svg, err)
		}
	}
}

func TestReadmeWithoutMarksIsLeftAlone(t *testing.T) {
	readme := filepath.Join(t.TempDir(), "README.md")
	if err := os.WriteFile(readme, []byte("mine"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := render(results(t), readme); err == nil {
		t.Error("no error")
	}
	if text, _ := os.ReadFile(readme); string(text) != "mine" {
		t.Errorf("%q", text)
	}
}

func TestVersionsAreShort(t *testing.T) {
	f := func(said, want string) {
		t.Helper()
		if got := short(said); got != want {
			t.Errorf("%q: %q, want %q", said, got, want)
		}
	}
	f("nginx version: nginx/1.22.1", "1.22.1")
	f("HAProxy version 2.6.12-1+deb12u4 2026/10/17 - https://haproxy.org/", "2.6.12")
	f("varnishd (varnish-7.1.1 revision 7cee1c581bead20e88d101ab3d72afb29f14d87a)", "7.1.1")
	f("v2.6.2 h1:abc=", "2.6.2")
	f("Version:      3.6.12", "3.6.12")
	f("", "")
}

func TestWholeRunIsOfMeasures(t *testing.T) {
	for _, s := range whole {
		if _, err := findMeasure(s.name); err != nil {
			t.Error(err)
		}
	}
}

func TestCompareTakesTwoCommitsAndFlags(t *testing.T) {
	o, err := parse(strings.Fields("-rounds 2 --compare v1/a . -time 1s"))
	if err != nil {
		t.Fatal(err)
	}
	if got := o.binaries.String(); got != "v1-a=@v1/a, here=." || o.scenarios != compareSet || o.rounds != 2 || o.slice != sliced {
		t.Errorf("%s of %+v", got, o)
	}
	if _, err := parse(strings.Fields("-compare main")); err == nil {
		t.Error("one commit is enough")
	}
}
