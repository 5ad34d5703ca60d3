//go:build linux

package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
	"unsafe"
)

// ticks per second in /proc: USER_HZ, which is 100 on every Linux that Go runs on.
const tick = time.Second / 100

// A Usage is what a server's processes have used up since they started.
type Usage struct {
	CPU    time.Duration // by the scheduler's clock, to the nanosecond
	User   time.Duration // by ticks: the kernel's own split of the same time
	System time.Duration
}

func (u Usage) minus(v Usage) Usage {
	return Usage{u.CPU - v.CPU, u.User - v.User, u.System - v.System}
}

// usage adds up a process and its children: nginx works in one.
func usage(pid int) (Usage, error) {
	var sum Usage
	for _, p := range family(pid) {
		cpu, err := cpuClock(p)
		if err != nil {
			return sum, fmt.Errorf("CPU time of process %d: %w", p, err)
		}
		stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p))
		if err != nil {
			return sum, err
		}
		s, err := parseStat(stat)
		if err != nil {
			return sum, fmt.Errorf("/proc/%d/stat: %w", p, err)
		}
		sum.CPU += cpu
		sum.User += s.User
		sum.System += s.System
	}
	return sum, nil
}

// cpuClock reads the process's own CPU clock: user and system time of all its threads, those
// that have ended included, as the scheduler accounts it. It is the sum of the first numbers
// of /proc/PID/task/*/schedstat, but up to date and not lost when a thread ends.
func cpuClock(pid int) (time.Duration, error) {
	const sched = 2 // CPUCLOCK_SCHED; the kernel keeps the process's id, inverted, above three bits
	clock := ^pid<<3 | sched
	var t syscall.Timespec
	if _, _, e := syscall.Syscall(syscall.SYS_CLOCK_GETTIME, uintptr(clock), uintptr(unsafe.Pointer(&t)), 0); e != 0 {
		return 0, e
	}
	return time.Duration(t.Nano()), nil
}

// A stat is what is needed of /proc/PID/stat.
type stat struct {
	Parent       int
	User, System time.Duration
}

var errStat = errors.New("not in the form of proc(5)")

// parseStat reads one line of /proc/PID/stat. The name in parentheses may hold anything, more
// parentheses and spaces too: the fields are counted from the last one that closes.
func parseStat(line []byte) (stat, error) {
	end := bytes.LastIndexByte(line, ')')
	if end < 0 {
		return stat{}, errStat
	}
	f := strings.Fields(string(line[end+1:])) // f[0] is field 3, the state
	if len(f) < 13 {
		return stat{}, errStat
	}
	parent, err1 := strconv.Atoi(f[1])
	user, err2 := strconv.ParseInt(f[11], 10, 64)
	system, err3 := strconv.ParseInt(f[12], 10, 64)
	if err1 != nil || err2 != nil || err3 != nil {
		return stat{}, errStat
	}
	return stat{parent, time.Duration(user) * tick, time.Duration(system) * tick}, nil
}

// family returns a process and its descendants.
func family(pid int) []int {
	children := map[int][]int{}
	files, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, name := range files {
		line, err := os.ReadFile(name)
		if err != nil {
			continue // it has ended meanwhile
		}
		if s, err := parseStat(line); err == nil {
			child, _ := strconv.Atoi(strings.Split(name, "/")[2])
			children[s.Parent] = append(children[s.Parent], child)
		}
	}
	all := []int{pid}
	for i := 0; i < len(all); i++ {
		all = append(all, children[all[i]]...)
	}
	return all
}

// resident returns the memory that a process and its children hold, each page that several
// share counted by its share (Pss): nginx's master and worker would count most pages twice.
func resident(pid int) (int64, error) {
	var sum int64
	for _, p := range family(pid) {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", p))
		if err != nil {
			return 0, err
		}
		n, err := parsePss(text)
		if err != nil {
			return 0, fmt.Errorf("/proc/%d/smaps_rollup: %w", p, err)
		}
		sum += n
	}
	return sum, nil
}

func parsePss(rollup []byte) (int64, error) {
	for line := range strings.Lines(string(rollup)) {
		if f := strings.Fields(line); len(f) == 3 && f[0] == "Pss:" {
			kib, err := strconv.ParseInt(f[1], 10, 64)
			return kib << 10, err
		}
	}
	return 0, errors.New("no Pss line")
}

// machineBusy returns the time that all cores together have not been idle, time that the
// hypervisor gave to others included: what disturbs a measurement is in it.
func machineBusy() (time.Duration, error) {
	text, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0, err
	}
	return parseMachine(text)
}

func parseMachine(text []byte) (time.Duration, error) {
	line, _, _ := strings.Cut(string(text), "\n")
	f := strings.Fields(line) // cpu user nice system idle iowait irq softirq steal guest guest_nice
	if len(f) < 9 || f[0] != "cpu" {
		return 0, errors.New("/proc/stat: no cpu line")
	}
	var busy int64
	for _, i := range []int{1, 2, 3, 6, 7, 8} { // guest time is in user time already
		n, err := strconv.ParseInt(f[i], 10, 64)
		if err != nil {
			return 0, fmt.Errorf("/proc/stat: %w", err)
		}
		busy += n
	}
	return time.Duration(busy) * tick, nil
}
