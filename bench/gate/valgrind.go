//go:build linux

package main

import (
	"bufio"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
)

// parseProfile adds up the file that Valgrind's cachegrind writes: executed
// instructions by function. A line "fn=NAME" is followed by one for each line
// of its source, "LINE COUNT".
func parseProfile(r io.Reader) (map[string]int64, error) {
	by := map[string]int64{}
	fn := ""
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 1<<20) // generic functions have long names
	for lines.Scan() {
		line := lines.Text()
		if name, ok := strings.CutPrefix(line, "fn="); ok {
			fn = name
		}
		if line == "" || line[0] < '0' || line[0] > '9' {
			continue
		}
		_, count, _ := strings.Cut(line, " ")
		n, err := strconv.ParseInt(count, 10, 64)
		if err != nil {
			return nil, fmt.Errorf("profile: %q: want a line's number and one count", line)
		}
		by[fn] += n
	}
	if lines.Err() == nil && len(by) == 0 {
		return nil, fmt.Errorf("profile: no counts")
	}
	return by, lines.Err()
}

// aside are packages whose instructions are not compared, with all below them.
var aside = []struct{ room, why string }{
	{"main", "client and origin"},
	{"runtime", "the scheduler: who wakes whom is not the same twice"},
	{"internal/runtime", "the same"},
	{"internal/bytealg", "chosen by what the CPU has"},
}

// counts tells whether a function's instructions are compared.
func counts(fn string) bool {
	dir := strings.LastIndexByte(fn, '/') + 1
	name := strings.IndexByte(fn[dir:], '.')
	if name < 0 {
		return false // in assembler, without a package: chosen by what the CPU has
	}
	room, name := fn[:dir+name], dir+name+1
	if strings.HasPrefix(room, "crypto/") && strings.HasPrefix(fn[name:], "block") {
		return false // as well
	}
	for _, a := range aside {
		if room == a.room || strings.HasPrefix(room, a.room+"/") {
			return false
		}
	}
	return true
}

// call is how Valgrind tells of one that is made; what comes back from it has a
// line without its name.
var call = regexp.MustCompile(`SYSCALL\[\d+,\d+\]\( *\d+\) sys_([a-z0-9_]+)`)

// waiting are calls by which the runtime waits, wakes and looks at the clock,
// which outside Valgrind is none.
var waiting = map[string]bool{
	"epoll_pwait": true, "futex": true, "nanosleep": true, "sched_yield": true, "tgkill": true,
	"clock_gettime": true, "gettimeofday": true, "madvise": true, "mmap": true, "munmap": true,
	"rt_sigprocmask": true, "rt_sigreturn": true,
}

// parseCalls counts the calls in Valgrind's log, but for those that wait.
func parseCalls(log []byte) (n int64) {
	for _, m := range call.FindAllSubmatch(log, -1) {
		if !waiting[string(m[1])] {
			n++
		}
	}
	return n
}
