package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"multiserver/proxy/server"
)

// upgrade has a new process take the place of this one: it is begun on our
// sockets with what we were begun with, says when it is ready, and is told that
// it may. Whatever goes wrong before, we go on.
type upgrade struct {
	path    string // of the program, as it was when we began: links are followed anew
	server  *server.Server
	within  time.Duration // for the new one to be ready
	life    context.Context
	leave   context.CancelFunc // of life: nothing is served here from then on
	manager *manager
	log     *slog.Logger

	busy atomic.Bool // one is under way, or done
	left atomic.Bool // it is done: what names the process that serves is not ours any more
}

var errUpgrading = errors.New("an upgrade is under way already")

// run returns when the new process serves, and this one drains, or with what
// went wrong.
func (u *upgrade) run() (pid int, err error) {
	if !u.busy.CompareAndSwap(false, true) {
		return 0, errUpgrading
	}
	u.log.Info("upgrading", "program", u.path, "within", u.within)
	cache := u.server.Bequeath()
	next, err := u.begin()
	if err == nil {
		err = u.handOver(next, cache)
	}
	if err != nil {
		cache.Revoke()
		u.log.Error("not upgraded, this process goes on", "cause", err)
		u.busy.Store(false)
		return 0, err
	}
	u.log.Info("upgraded, another process serves from here on", "pid", next.proc.Pid)
	return next.proc.Pid, nil
}

// handOver waits until the new process is ready, and leaves.
func (u *upgrade) handOver(next *successor, cache *server.Bequest) error {
	stop := context.AfterFunc(u.life, func() { _ = next.talk.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	err := next.ready(u.within)
	if u.life.Err() != nil {
		err = errors.New("told to stop meanwhile")
	}
	if err == nil {
		_, err = io.WriteString(next.talk, wordEnter+"\n")
	}
	if err != nil {
		_ = next.talk.Close()
		next.end()
		return err
	}
	stop()
	u.left.Store(true)
	cache.Tell(next.talk)
	u.manager.tell(fmt.Sprintf("MAINPID=%d", next.proc.Pid))
	u.server.Leave()
	u.manager.close() // it speaks for the service now
	u.leave()
	return nil
}

// What two processes say to each other, a line each.
const (
	wordReady  = "ready"
	wordFailed = "failed "
	wordEnter  = "enter"
)

// successor is a new process.
type successor struct {
	proc   *os.Process
	talk   net.Conn
	exited chan struct{}
	state  *os.ProcessState // once exited
}

// begin begins the new process.
func (u *upgrade) begin() (*successor, error) {
	sockets, err := u.server.Sockets()
	defer closeAll(sockets)
	if err != nil {
		return nil, err
	}
	talk, theirs, err := newTalk()
	if err != nil {
		return nil, err
	}
	defer syscall.Close(theirs)
	files := []uintptr{0, 1, 2, uintptr(theirs)}
	for _, one := range sockets {
		files = append(files, uintptr(one.FD))
	}
	pid, _, err := syscall.StartProcess(u.path, os.Args, &syscall.ProcAttr{Files: files, Env: append(os.Environ(), handedLine(sockets))})
	if err != nil {
		_ = talk.Close()
		return nil, fmt.Errorf("start %s: %w", u.path, err)
	}
	proc, _ := os.FindProcess(pid) // on Unix it does not fail
	next := &successor{proc: proc, talk: talk, exited: make(chan struct{})}
	go func() { // up to its end or ours, whichever comes first
		next.state, _ = proc.Wait()
		close(next.exited)
	}()
	return next, nil
}

func closeAll(sockets []server.Socket) {
	for _, one := range sockets {
		_ = syscall.Close(one.FD)
	}
}

// newTalk is a connection between two processes: our end, and theirs.
func newTalk() (net.Conn, int, error) {
	fds, err := server.SocketPair()
	if err != nil {
		return nil, 0, err
	}
	f := os.NewFile(uintptr(fds[0]), "upgrade")
	defer f.Close()
	c, err := net.FileConn(f)
	if err != nil {
		_ = syscall.Close(fds[1])
	}
	return c, fds[1], err
}

// ready waits until the process says that it is.
func (n *successor) ready(within time.Duration) error {
	_ = n.talk.SetReadDeadline(time.Now().Add(within))
	line, err := bufio.NewReader(io.LimitReader(n.talk, 1<<12)).ReadString('\n')
	why, failed := strings.CutPrefix(strings.TrimSpace(line), strings.TrimSpace(wordFailed))
	switch {
	case strings.TrimSpace(line) == wordReady:
		return nil
	case failed:
		return fmt.Errorf("the new process failed: %s", strings.TrimSpace(why))
	case errors.Is(err, os.ErrDeadlineExceeded):
		return fmt.Errorf("the new process was not ready within %v; --upgrade-timeout gives it longer", within)
	}
	select {
	case <-n.exited:
		return fmt.Errorf("the new process ended before it was ready: %v", n.state)
	case <-time.After(time.Second):
		return errors.New("the new process does not speak as it must; is it a multiserver?")
	}
}

// end ends a process that is not wanted, with all that it began.
func (n *successor) end() {
	_ = n.proc.Signal(syscall.SIGTERM)
	select {
	case <-n.exited:
	case <-time.After(5 * time.Second):
		_ = n.proc.Kill()
		<-n.exited
	}
}

// onSignal upgrades at each SIGUSR2. stop ends that.
func (u *upgrade) onSignal() (stop func()) {
	asked := make(chan os.Signal, 1)
	signal.Notify(asked, syscall.SIGUSR2)
	var done sync.WaitGroup
	done.Go(func() {
		for range asked {
			_, _ = u.run() // it has told
		}
	})
	return func() {
		signal.Stop(asked)
		close(asked)
		done.Wait()
	}
}

// program is the path by which we were begun, so that a new program is found
// where a link leads by then; where that is not known, the path that we have.
func program() (string, error) {
	self, err := os.Executable()
	if err != nil {
		return "", err
	}
	as, err := exec.LookPath(os.Args[0])
	if err == nil {
		as, err = filepath.Abs(as)
	}
	if err != nil {
		return self, nil
	}
	one, _ := os.Stat(self)
	other, _ := os.Stat(as)
	if one == nil || other == nil || !os.SameFile(one, other) {
		return self, nil
	}
	return as, nil
}
