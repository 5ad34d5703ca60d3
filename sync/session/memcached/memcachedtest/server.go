package memcachedtest

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

const (
	program = "memcached"
	// patience is for a server to answer after its start, on a busy machine.
	patience = 20 * time.Second
)

// Server is one process.
type Server struct {
	Addr string // as the client takes it: host:port or unix:/path
	args []string

	mu   sync.Mutex
	cmd  *exec.Cmd     // guarded by mu; nil when it does not run
	gone chan struct{} // guarded by mu; closed when it has ended
}

// Start starts a server with 64 MiB and waits until it answers. args are as on
// its command line: "-I", "2m".
func Start(t testing.TB, args ...string) *Server {
	t.Helper()
	need(t)
	var err error
	for range 5 { // somebody else may take the port that was found free
		port := FreePort()
		s := &Server{Addr: net.JoinHostPort("127.0.0.1", strconv.Itoa(port))}
		s.args = append([]string{"-l", "127.0.0.1", "-p", strconv.Itoa(port), "-U", "0"}, args...)
		if err = s.Restart(); err == nil {
			t.Cleanup(s.Kill)
			return s
		}
		s.Kill()
	}
	t.Fatal(err)
	return nil
}

// StartUnix starts one on a Unix socket.
func StartUnix(t testing.TB, args ...string) *Server {
	t.Helper()
	need(t)
	dir, err := os.MkdirTemp("", "memcached") // t.TempDir is too long for a socket's name
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "s")
	s := &Server{Addr: "unix:" + path, args: append([]string{"-s", path, "-a", "777"}, args...)}
	t.Cleanup(func() {
		s.Kill()
		os.RemoveAll(dir)
	})
	if err := errors.Join(os.Chmod(dir, 0o777), s.Restart()); err != nil {
		t.Fatal(err)
	}
	return s
}

// FreePort finds one below those that the system gives to outgoing
// connections, so that nobody takes it while a server is down.
func FreePort() int {
	for {
		port := 20000 + rand.N(12000)
		l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
		if err == nil {
			l.Close()
			return port
		}
	}
}

// Restart starts a server that was killed, at the same address and with
// nothing in it, and waits until it answers.
func (s *Server) Restart() error {
	args := s.args
	if os.Geteuid() == 0 { // it refuses to be root
		args = append([]string{"-u", "nobody"}, args...)
	}
	cmd := exec.Command(program, args...)
	cmd.SysProcAttr = dieWithUs
	if err := cmd.Start(); err != nil {
		return err
	}
	gone := make(chan struct{})
	go func() {
		_ = cmd.Wait()
		close(gone)
	}()
	s.mu.Lock()
	s.cmd, s.gone = cmd, gone
	s.mu.Unlock()
	return s.ready(gone)
}

func (s *Server) ready(gone <-chan struct{}) error {
	err := errors.New("no answer")
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		select {
		case <-gone:
			return fmt.Errorf("%s %v ended at once", program, s.args)
		default:
		}
		if _, err = s.Do("version"); err == nil {
			return nil
		}
	}
	return fmt.Errorf("%s on %s: %w", program, s.Addr, err)
}

// Do sends one line over a connection of its own and gives the first line of
// the answer.
func (s *Server) Do(line string) (string, error) {
	network, addr := "tcp", s.Addr
	if path, ok := strings.CutPrefix(addr, "unix:"); ok {
		network, addr = "unix", path
	}
	conn, err := net.DialTimeout(network, addr, time.Second)
	if err != nil {
		return "", err
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(5 * time.Second))
	if _, err := io.WriteString(conn, line+"\r\n"); err != nil {
		return "", err
	}
	answer, err := bufio.NewReader(conn).ReadString('\n')
	return strings.TrimSpace(answer), err
}

// Pause stops the process without ending it: connections stay, nothing answers.
// It waits until that is so: threads on other cores run on for a moment.
func (s *Server) Pause() {
	s.signal(syscall.SIGSTOP)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cmd == nil {
		return
	}
	for end := time.Now().Add(patience); !stopped(s.cmd.Process.Pid) && time.Now().Before(end); {
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
func (s *Server) Resume() { s.signal(syscall.SIGCONT) }

// Kill ends the process as a crash does.
func (s *Server) Kill() {
	s.signal(syscall.SIGKILL)
	s.mu.Lock()
	gone := s.gone
	s.cmd = nil
	s.mu.Unlock()
	if gone != nil {
		<-gone
	}
}

func (s *Server) signal(sig os.Signal) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cmd != nil {
		_ = s.cmd.Process.Signal(sig) // an error: it has ended
	}
}

func need(t testing.TB) {
	t.Helper()
	if _, err := exec.LookPath(program); err == nil {
		return
	}
	if os.Getenv("CI") == "true" {
		t.Fatal("NOT TESTED: memcached is missing; scripts/test installs it")
	}
	t.Skip("NOT TESTED: memcached is missing; scripts/test installs it")
}
