package mongodbtest

import (
	"errors"
	"fmt"
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

// patience is for a server to answer after its start, on a busy machine.
const patience = 30 * time.Second

// Server is one process.
type Server struct {
	Addr    string // host:port
	program string
	dir     string

	mu   sync.Mutex
	cmd  *exec.Cmd     // guarded by mu; nil when it does not run
	gone chan struct{} // guarded by mu; closed when it has ended
}

// Start starts a server and waits until it takes connections.
func Start(t testing.TB) *Server {
	t.Helper()
	path := need(t)
	dir, err := os.MkdirTemp("", "mongo") // t.TempDir is too long for a socket's name
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	for range 5 { // somebody else may take the port that was found free
		s := &Server{Addr: net.JoinHostPort("127.0.0.1", strconv.Itoa(freePort())), program: path, dir: dir}
		if err = s.Restart(); err == nil {
			t.Cleanup(s.Kill)
			return s
		}
		s.Kill()
	}
	t.Fatal(err)
	return nil
}

// freePort finds one below those that the system gives to outgoing
// connections, so that nobody takes it while a server is down.
func freePort() int {
	for {
		port := 20000 + rand.N(12000)
		l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
		if err == nil {
			l.Close()
			return port
		}
	}
}

// URL is where the server is, as the driver takes it.
func (s *Server) URL() string { return "mongodb://" + s.Addr }

// Restart starts a server that was killed, at the same address and with all
// that it held, and waits until it takes connections.
func (s *Server) Restart() error {
	cmd := exec.Command(s.program, "-listen", s.Addr, "-dir", s.dir)
	cmd.SysProcAttr = dieWithUs
	cmd.Stderr = os.Stderr
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
			return fmt.Errorf("%s on %s ended at once", s.program, s.Addr)
		default:
		}
		var conn net.Conn
		if conn, err = net.DialTimeout("tcp", s.Addr, time.Second); err == nil {
			return conn.Close()
		}
	}
	return fmt.Errorf("%s on %s: %w", s.program, s.Addr, err)
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
