package mongodbtest

import (
	"net"
	"os"
	"strconv"
	"testing"
	"time"

	"multiserver/sync/daemon"
)

// Server is one process. One that was killed starts again with all that it held.
type Server struct {
	daemon.Daemon
	Addr string // host:port
}

// Start starts a server and waits until it takes connections.
func Start(t testing.TB) *Server {
	t.Helper()
	path, err := program()
	if err != nil {
		daemon.Missing(t, err)
	}
	dir, err := os.MkdirTemp("", "mongo") // t.TempDir is too long for a socket's name
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	s, err := daemon.Try(func(port int) (*Server, error) {
		s := &Server{Addr: net.JoinHostPort("127.0.0.1", strconv.Itoa(port))}
		s.Program, s.Args, s.Errors = path, []string{"-listen", s.Addr, "-dir", dir}, os.Stderr
		s.Answers = s.accepts
		return s, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Kill)
	return s
}

func (s *Server) accepts() error {
	conn, err := net.DialTimeout("tcp", s.Addr, time.Second)
	if err == nil {
		conn.Close()
	}
	return err
}

// URL is where the server is, as the driver takes it.
func (s *Server) URL() string { return "mongodb://" + s.Addr }
