package redistest

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"time"
)

const (
	program = "redis-server"
	// patience is for a server to answer after its start, on a busy machine.
	patience = 20 * time.Second
)

// Server is one process.
type Server struct {
	Addr string // host:port
	port int
	args []string

	mu   sync.Mutex
	cmd  *exec.Cmd     // guarded by mu; nil when it does not run
	gone chan struct{} // guarded by mu; closed when it has ended
}

// Start starts a server with its files in dir and waits until it answers.
func Start(dir string, args ...string) (*Server, error) {
	return start(dir, func(port int) ([]string, error) {
		return append([]string{"--port", strconv.Itoa(port), "--bind", "127.0.0.1", "--dir", dir,
			"--save", "", "--appendonly", "no", "--repl-diskless-sync-delay", "0",
			"--logfile", filepath.Join(dir, strconv.Itoa(port)+".log")}, args...), nil
	})
}

// start tries other ports if somebody else takes the one found free.
func start(dir string, args func(port int) ([]string, error)) (s *Server, err error) {
	for range 5 {
		s = &Server{port: FreePort()}
		s.Addr = net.JoinHostPort("127.0.0.1", strconv.Itoa(s.port))
		if s.args, err = args(s.port); err != nil {
			return nil, err
		}
		if err = s.Restart(); err == nil {
			return s, nil
		}
		s.Stop()
	}
	return nil, err
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

// URL is that of this server alone.
func (s *Server) URL() string { return "redis://" + s.Addr }

// Restart starts a server that was killed, on the same port and with nothing
// in it, and waits until it answers.
func (s *Server) Restart() error {
	cmd := exec.Command(program, s.args...)
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
		if _, err = s.Do("PING"); err == nil {
			return nil
		}
	}
	return fmt.Errorf("%s on %s: %w", program, s.Addr, err)
}

// Pause stops the process without ending it: connections stay, nothing answers.
func (s *Server) Pause() { s.signal(syscall.SIGSTOP) }

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

// Stop is for the end: whatever state it is in, it is gone afterwards.
func (s *Server) Stop() { s.Kill() }

func (s *Server) signal(sig os.Signal) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cmd != nil {
		_ = s.cmd.Process.Signal(sig) // an error: it has ended
	}
}
