package cli

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// The tests of this package run the real program: what it prints, how it
// takes signals and how it exits are what scripts and supervisors rely on.

var binary string // built once, by TestMain

func TestMain(m *testing.M) {
	os.Exit(func() int {
		dir, err := os.MkdirTemp("", "multiserver-test-")
		if err != nil {
			panic(err)
		}
		defer os.RemoveAll(dir)
		binary = filepath.Join(dir, "multiserver")
		// Without version control's note, which fails in another user's checkout.
		if out, err := exec.Command("go", "build", "-buildvcs=false", "-o", binary, "multiserver").CombinedOutput(); err != nil {
			panic(string(out))
		}
		return m.Run()
	}())
}

// patience is far more than anything here takes; it ends a test that hangs.
const patience = 20 * time.Second

// clean is the environment without settings of whoever runs the tests.
func clean(extra ...string) (env []string) {
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, "MULTISERVER_") {
			env = append(env, v)
		}
	}
	return append(env, extra...)
}

// outcome of a run that ends by itself.
type outcome struct {
	code           int
	stdout, stderr string
}

func run(t *testing.T, env []string, args ...string) outcome {
	t.Helper()
	cmd := exec.Command(binary, args...)
	cmd.Env = clean(env...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	late := time.AfterFunc(patience, func() { cmd.Process.Kill() })
	defer late.Stop()
	cmd.Wait()
	return outcome{cmd.ProcessState.ExitCode(), stdout.String(), stderr.String()}
}

// service is a run that serves until it is told to stop.
type service struct {
	t      *testing.T
	cmd    *exec.Cmd
	stdout *watched
	stderr *watched
}

func start(t *testing.T, args ...string) *service {
	t.Helper()
	return startProgram(t, binary, args...)
}

func startProgram(t *testing.T, program string, args ...string) *service {
	t.Helper()
	s := prepared(t, program, args...)
	s.begin()
	return s
}

func prepared(t *testing.T, program string, args ...string) *service {
	t.Helper()
	s := &service{t: t, cmd: exec.Command(program, args...), stdout: watch(), stderr: watch()}
	s.cmd.Env = clean()
	s.cmd.Stdout, s.cmd.Stderr = s.stdout, s.stderr
	s.cmd.WaitDelay = patience // for who has taken its place, and writes there, too
	return s
}

func (s *service) begin() {
	s.t.Helper()
	if err := s.cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() {
		if s.cmd.ProcessState == nil {
			s.cmd.Process.Kill()
			s.cmd.Wait()
		}
		if s.t.Failed() {
			s.t.Logf("it logged:\n%s", s.stderr.String())
		}
	})
}

var (
	listening      = regexp.MustCompile(`msg=listening addr=(\S+)`)
	adminListening = regexp.MustCompile(`msg="admin listening" addr=(\S+)`)
)

// addr waits until the service says where it listens.
func (s *service) addr() string      { s.t.Helper(); return s.logs(listening) }
func (s *service) adminAddr() string { s.t.Helper(); return s.logs(adminListening) }

// logs waits for a line on stderr and returns its first group, if any.
func (s *service) logs(line *regexp.Regexp) string {
	s.t.Helper()
	m := s.stderr.wait(line)
	if m == nil {
		s.t.Fatalf("no line %v; it logged:\n%s", line, s.stderr.String())
	}
	return m[len(m)-1]
}

func (s *service) signal(sig syscall.Signal) {
	s.t.Helper()
	if err := s.cmd.Process.Signal(sig); err != nil {
		s.t.Fatal(err)
	}
}

// code waits for the end and returns the exit code.
func (s *service) code() int {
	s.t.Helper()
	late := time.AfterFunc(patience, func() { s.cmd.Process.Kill() })
	defer late.Stop()
	s.cmd.Wait()
	return s.cmd.ProcessState.ExitCode()
}

// watched collects what a process writes, and lets tests wait for it.
type watched struct {
	mu   sync.Mutex
	text []byte
	more chan struct{} // replaced and closed at each write
}

func watch() *watched { return &watched{more: make(chan struct{})} }

func (w *watched) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.text = append(w.text, p...)
	close(w.more)
	w.more = make(chan struct{})
	return len(p), nil
}

func (w *watched) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return string(w.text)
}

func (w *watched) wait(for_ *regexp.Regexp) []string {
	late := time.After(patience)
	for {
		w.mu.Lock()
		m, more := for_.FindStringSubmatch(string(w.text)), w.more
		w.mu.Unlock()
		if m != nil {
			return m
		}
		select {
		case <-more:
		case <-late:
			return nil
		}
	}
}
