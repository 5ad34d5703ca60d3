package daemon

import (
	"errors"
	"os"
	"strings"
	"syscall"
	"testing"
)

func sleeper() *Daemon {
	return &Daemon{Program: "sleep", Args: []string{"60"}, Answers: func() error { return nil }}
}

func TestKilledOnesEndAndStartAgain(t *testing.T) {
	d := sleeper()
	for range 2 {
		if err := d.Restart(); err != nil {
			t.Fatal(err)
		}
		pid := d.cmd.Process.Pid
		if d.Pause(); !stopped(pid) {
			t.Error("it runs though paused")
		}
		d.Resume()
		d.Kill()
		if p, _ := os.FindProcess(pid); p.Signal(syscall.Signal(0)) == nil {
			t.Error("it lives though killed")
		}
	}
	d.Kill() // once more is no trouble
	d.Pause()
}

func TestOneThatEndsAtOnceIsNotWaitedFor(t *testing.T) {
	d := &Daemon{Program: "false", Answers: func() error { return errors.New("no") }}
	if err := d.Restart(); err == nil || !strings.Contains(err.Error(), "ended at once") {
		t.Error(err)
	}
}

func TestTakenPortsAreGivenUp(t *testing.T) {
	ports := map[int]bool{}
	_, err := Try(func(port int) (*Daemon, error) {
		ports[port] = true
		return &Daemon{Program: "false", Answers: func() error { return errors.New("no") }}, nil
	})
	if err == nil || len(ports) < 2 {
		t.Error(err, ports)
	}
}

type verdict struct{ said string }

func (v *verdict) Helper()      {}
func (v *verdict) Fatal(...any) { v.said = "failed" }
func (v *verdict) Skip(...any)  { v.said = "skipped" }

func TestWhatIsMissingFailsWhereAllMustBeTested(t *testing.T) {
	f := func(ci, program, want string) {
		t.Helper()
		t.Setenv("CI", ci)
		v := &verdict{}
		if Need(v, program); v.said != want {
			t.Errorf("CI=%q, %s: %q, want %q", ci, program, v.said, want)
		}
	}
	f("", "sh", "")
	f("true", "sh", "")
	f("", "no-such-program", "skipped")
	f("true", "no-such-program", "failed")
}
