package redistest

import (
	"net"
	"path/filepath"
	"strconv"

	"multiserver/sync/daemon"
)

const program = "redis-server"

// Server is one process.
type Server struct {
	daemon.Daemon
	Addr string // host:port
	port int
}

// Start starts a server with its files in dir and waits until it answers.
func Start(dir string, args ...string) (*Server, error) {
	return start(func(port int) ([]string, error) {
		return append([]string{"--port", strconv.Itoa(port), "--bind", "127.0.0.1", "--dir", dir,
			"--save", "", "--appendonly", "no", "--repl-diskless-sync-delay", "0",
			"--logfile", filepath.Join(dir, strconv.Itoa(port)+".log")}, args...), nil
	})
}

func start(args func(port int) ([]string, error)) (*Server, error) {
	return daemon.Try(func(port int) (s *Server, err error) {
		s = &Server{Addr: net.JoinHostPort("127.0.0.1", strconv.Itoa(port)), port: port}
		s.Program = program
		s.Args, err = args(port)
		s.Answers = func() error { _, err := s.Do("PING"); return err }
		return s, err
	})
}

// URL is that of this server alone.
func (s *Server) URL() string { return "redis://" + s.Addr }

// Stop is Kill: nothing of it is to be kept.
func (s *Server) Stop() { s.Kill() }
