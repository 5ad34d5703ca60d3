package daemon

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Patience is how long anything here may take on a busy machine.
const Patience = 30 * time.Second

// Daemon is one process. Its methods may be called from several goroutines.
type Daemon struct {
	Program string
	Args    []string
	Errors  *os.File     // where its standard error goes; nil: nowhere
	Answers func() error // whether it does, asked until it does

	mu   sync.Mutex
	cmd  *exec.Cmd     // guarded by mu; nil when it does not run
	gone chan struct{} // guarded by mu; closed when it has ended
}

// Try calls begin with ports that nobody listens on until a daemon comes up on
// one, and fails after five: others may take one for themselves by its number.
func Try[D interface {
	Restart() error
	Kill()
}](begin func(port int) (D, error)) (d D, err error) {
	for range 5 {
		var port int
		if port, err = Port(); err != nil {
			return d, err
		}
		if d, err = begin(port); err != nil {
			return d, err
		}
		if err = d.Restart(); err == nil {
			return d, nil
		}
		d.Kill()
	}
	return d, err
}

// Restart starts one that does not run, and waits until it answers.
func (d *Daemon) Restart() error {
	cmd := exec.Command(d.Program, d.Args...)
	cmd.SysProcAttr = dieWithUs
	cmd.Stderr = d.Errors
	if err := cmd.Start(); err != nil {
		return err
	}
	gone := make(chan struct{})
	go func() {
		_ = cmd.Wait()
		close(gone)
	}()
	d.mu.Lock()
	d.cmd, d.gone = cmd, gone
	d.mu.Unlock()
	return d.ready(gone)
}

func (d *Daemon) ready(gone <-chan struct{}) (err error) {
	for end := time.Now().Add(Patience); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		select {
		case <-gone:
			return fmt.Errorf("%s %v ended at once", d.Program, d.Args)
		default:
		}
		if err = d.Answers(); err == nil {
			return nil
		}
	}
	return fmt.Errorf("%s %v: %w", d.Program, d.Args, err)
}

// Pause stops the process without ending it: connections stay, nothing answers.
// It waits until that is so: threads on other cores run on for a moment.
func (d *Daemon) Pause() {
	d.signal(syscall.SIGSTOP)
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.cmd == nil {
		return
	}
	for end := time.Now().Add(Patience); !stopped(d.cmd.Process.Pid) && time.Now().Before(end); {
		time.Sleep(time.Millisecond)
	}
}

// stopped tells whether all threads of a process are, as Linux tells it.
func stopped(pid int) bool {
	threads, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", pid))
	for _, name := range threads {
		stat, err := os.ReadFile(name)
		if err == nil && !strings.Contains(string(stat), ") T ") {
			return false
		}
	}
	return true
}

// Resume ends a Pause.
func (d *Daemon) Resume() { d.signal(syscall.SIGCONT) }

// Kill ends the process as a crash does, whatever state it is in, and waits for
// its end.
func (d *Daemon) Kill() {
	d.signal(syscall.SIGKILL)
	d.mu.Lock()
	gone := d.gone
	d.cmd = nil
	d.mu.Unlock()
	if gone != nil {
		<-gone
	}
}

func (d *Daemon) signal(sig os.Signal) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.cmd != nil {
		_ = d.cmd.Process.Signal(sig) // an error: it has ended
	}
}
