//go:build linux

package main

import (
	"os"
	"testing"
	"time"
)

func TestStat(t *testing.T) {
	f := func(line string, want stat, ok bool) {
		t.Helper()
		got, err := parseStat([]byte(line))
		if got != want || (err == nil) != ok {
			t.Errorf("%q: %+v, %v; want %+v", line, got, err, want)
		}
	}
	want := stat{Parent: 812, User: 120 * time.Millisecond, System: 3450 * time.Millisecond}
	f("41 (nginx) S 812 41 41 0 -1 4194560 9 0 0 0 12 345 0 0 20 0 1 0 9421 9\n", want, true)
	f("41 (a ) (b) S 812 41 41 0 -1 4194560 9 0 0 0 12 345 0 0 20 0 1 0 9421 9\n", want, true)
	f("41 (nginx) S 812 41 41\n", stat{}, false)
	f("41 (nginx) S one 41 41 0 -1 4194560 9 0 0 0 12 345 0 0\n", stat{}, false)
	f("", stat{}, false)
}

func TestPss(t *testing.T) {
	f := func(text string, want int64, ok bool) {
		t.Helper()
		got, err := parsePss([]byte(text))
		if got != want || (err == nil) != ok {
			t.Errorf("%q: %d, %v; want %d", text, got, err, want)
		}
	}
	f("55d0-7ffc ---p 00000000 00:00 0    [rollup]\nRss:   1732 kB\nPss:    405 kB\nPss_Dirty:  112 kB\n", 405<<10, true)
	f("Rss:   1732 kB\nPss_Dirty:  112 kB\n", 0, false)
}

func TestMachineBusyCountsAllButIdleAndGuest(t *testing.T) {
	got, err := parseMachine([]byte("cpu  100 20 3 9999 888 4 5 60 77 7\ncpu0 1 1 1 1 1 1 1 1 1 1\n"))
	if want := 192 * tick; err != nil || got != want {
		t.Errorf("%v, %v; want %v", got, err, want)
	}
	if _, err := parseMachine([]byte("intr 1 2 3")); err == nil {
		t.Error("no error without a cpu line")
	}
}

// The scheduler's clock must hold what the process did, in the kernel too, and no more.
func TestCPUClockFollowsWork(t *testing.T) {
	before, err := usage(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	for time.Since(began) < 200*time.Millisecond {
		os.ReadFile("/proc/self/stat")
	}
	after, err := usage(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	used := after.minus(before)
	if used.CPU < 20*time.Millisecond || used.System == 0 {
		t.Errorf("200 ms of work in the kernel show as %+v", used)
	}
	if d := used.CPU - used.User - used.System; d.Abs() > 5*tick {
		t.Errorf("the clock says %v, the ticks %v", used.CPU, used.User+used.System)
	}
}
