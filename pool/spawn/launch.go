package spawn

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// fork starts children, all on one thread: on Linux the signal that a child
// gets when its parent dies is sent when the parent's thread does, and the
// runtime ends threads as it likes.
func (a *App) fork() {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	for f := range a.forks {
		f()
	}
}

// start begins a process, and what looks after it.
func (a *App) start(s *slot) (*child, error) {
	c := &child{app: a, slot: s, instance: s.number, serial: a.serial.Add(1), exited: make(chan struct{}), gone: make(chan struct{})}
	var err error
	if c.place, err = a.newPlace(s.number, c.serial); err != nil {
		return nil, err
	}
	out, err := newOutput(c)
	if err != nil {
		c.place.free()
		return nil, err
	}
	done := make(chan struct{})
	a.forks <- func() {
		defer close(done)
		c.began = time.Now()
		c.proc, err = c.exec(out)
	}
	<-done
	c.place.started()
	if err != nil {
		c.place.free()
		out.discard()
		return nil, c.unstarted(err)
	}
	c.output = out
	out.begin()
	a.Stats.Starts.Add(1)
	a.guard.know(c.pid())
	a.work.Go(c.reap)
	return c, nil
}

func (c *child) exec(out *output) (*os.Process, error) {
	a := c.app
	path, args, env := a.path, c.place.fill(a.opt.Command), c.env()
	files := []*os.File{nil, out.pipes[0].w, out.pipes[1].w}
	null, err := os.Open(os.DevNull)
	if err != nil {
		return nil, err
	}
	defer null.Close()
	files[0] = null
	if c.place.handed != nil {
		files = append(files, c.place.handed)
		env = append(env, "LISTEN_FDS=1")
		path, args, env = handOver(path, args, env)
	}
	return os.StartProcess(path, args, &os.ProcAttr{Dir: a.opt.Dir, Env: env, Files: files, Sys: attributes(a.as)})
}

// unstarted is why there is no process, in words for who wrote the command.
func (c *child) unstarted(err error) error {
	name := c.app.opt.Command[0]
	switch _, gone := os.Stat(c.app.path); {
	case errors.Is(err, syscall.ENOEXEC):
		return fmt.Errorf("command %q: no program for this machine; a script's first line must say what runs it, such as #!/usr/bin/env node", name)
	case errors.Is(err, os.ErrNotExist) && gone == nil:
		return fmt.Errorf("command %q: what its first line (#!…) names is not here", name)
	case errors.Is(err, os.ErrNotExist):
		return fmt.Errorf("command %q: is not there any more", name)
	}
	return fmt.Errorf("command %q: %w", name, cause(err))
}

// markName is the variable by which all are found that a child began.
const markName = "MULTISERVER_SPAWNED"

func (c *child) mark() string {
	return c.app.mark + "." + strconv.FormatUint(c.serial, 10)
}

// env is ours without what is ours alone: all MULTISERVER_ settings, some of
// which are secrets and all of which would be those of a multiserver that a
// child runs; and what a service manager told us.
func (c *child) env() (env []string) {
	for _, v := range os.Environ() {
		if !ours(v) && !(c.app.as != nil && hasAny(v, "HOME=", "USER=", "LOGNAME=")) {
			env = append(env, v)
		}
	}
	if as := c.app.as; as != nil {
		env = append(env, "HOME="+as.home, "USER="+as.name, "LOGNAME="+as.name)
	}
	env = append(env, "MULTISERVER_INSTANCE="+strconv.Itoa(c.instance), markName+"="+c.mark())
	return append(env, c.place.env()...)
}

func ours(v string) bool {
	return hasAny(v, "MULTISERVER_", "PORT=", "LISTEN_FDS=", "LISTEN_PID=", "LISTEN_FDNAMES=", "NOTIFY_SOCKET=", "WATCHDOG_")
}

func hasAny(v string, prefixes ...string) bool {
	for _, p := range prefixes {
		if strings.HasPrefix(v, p) {
			return true
		}
	}
	return false
}
