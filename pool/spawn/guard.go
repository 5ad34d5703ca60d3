package spawn

import (
	"bufio"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// guard is a process of this program that outlives us by a moment. It reads
// from a pipe that nobody else holds; when that ends we are gone, however we
// went, and it kills what our children have begun.
type guard struct {
	mark, dir string
	log       *slog.Logger
	work      sync.WaitGroup

	mu     sync.Mutex
	cmd    *exec.Cmd    // guarded by mu; nil: there is none
	pipe   *os.File     // guarded by mu
	groups map[int]bool // guarded by mu
	ending bool         // guarded by mu
}

// By these names the program knows that it is not to be itself.
const (
	guardName = "multiserver-guard"
	handName  = "multiserver-hand-over"
)

// Every program that runs children has this package in it, tests as well, and
// is its own guard.
func init() {
	switch os.Args[0] {
	case guardName:
		guardMain(os.Args[1:])
		os.Exit(0)
	case handName:
		fmt.Fprintln(os.Stderr, "exec:", handOverMain(os.Args[1:]))
		os.Exit(126)
	}
}

// newGuard starts one. Without, only grandchildren are worse off.
func newGuard(mark, dir string, log *slog.Logger) *guard {
	g := &guard{mark: mark, dir: dir, log: log, groups: make(map[int]bool)}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.start()
	return g
}

// start is called with mu held.
func (g *guard) start() {
	r, w, err := os.Pipe()
	if err != nil {
		g.log.Warn("no guard for what children begin", "cause", err)
		return
	}
	defer r.Close()
	cmd := &exec.Cmd{Path: ourselves(), Args: []string{guardName, g.mark, g.dir}, Env: []string{"GOMAXPROCS=1", "GOGC=25"}, Stdin: r, SysProcAttr: apart()}
	if err := cmd.Start(); err != nil {
		_ = w.Close()
		g.log.Warn("no guard for what children begin", "cause", err)
		return
	}
	g.cmd, g.pipe = cmd, w
	for pid := range g.groups {
		g.say('+', pid)
	}
	g.work.Go(func() { g.watch(cmd, w) })
}

// watch starts another when one ends that should not.
func (g *guard) watch(cmd *exec.Cmd, pipe *os.File) {
	_ = cmd.Wait()
	_ = pipe.Close()
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.cmd = nil; g.ending {
		return
	}
	g.log.Warn("the guard of children ended, and is started again", "state", cmd.ProcessState.String())
	g.work.Go(func() {
		time.Sleep(time.Second) // whoever kills guards is not to keep us busy
		g.mu.Lock()
		defer g.mu.Unlock()
		if !g.ending {
			g.start()
		}
	})
}

func (g *guard) know(pid int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.groups[pid] = true
	g.say('+', pid)
}

func (g *guard) forget(pid int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.groups, pid)
	g.say('-', pid)
}

// say is called with mu held. The guard reads all that comes at once, so the
// pipe's 64 KiB are never full.
func (g *guard) say(what byte, pid int) {
	if g.cmd != nil {
		_, _ = fmt.Fprintf(g.pipe, "%c%d\n", what, pid)
	}
}

// close ends the guard, when there are no children any more.
func (g *guard) close() {
	g.mu.Lock()
	g.ending = true
	if g.cmd != nil {
		_ = g.pipe.Close()
	}
	g.mu.Unlock()
	g.work.Wait()
}

// guardMain is the guard's side: mark, and the directory of sockets.
func guardMain(args []string) {
	signal.Ignore(syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP) // whoever stops us stops the service, which ends us
	groups := make(map[int]bool)
	in := bufio.NewScanner(os.Stdin)
	for in.Scan() {
		line := in.Text()
		pid, err := strconv.Atoi(line[min(1, len(line)):])
		if err != nil || pid <= 1 {
			continue
		}
		if line[0] == '+' {
			groups[pid] = true
		} else {
			delete(groups, pid)
		}
	}
	for pid := range groups {
		killGroup(pid)
	}
	if len(args) == 2 && args[0] != "" {
		sweep(args[0])
		if strings.Contains(args[1], "multiserver-") {
			_ = os.RemoveAll(args[1])
		}
	}
}
