package memcachedtest

import (
	"bufio"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"multiserver/sync/daemon"
)

const program = "memcached"

// Server is one process. One that was killed starts again with nothing in it.
type Server struct {
	daemon.Daemon
	Addr string // as the client takes it: host:port or unix:/path
}

func server(addr string, args []string) *Server {
	s := &Server{Addr: addr}
	if os.Geteuid() == 0 { // it refuses to be root
		args = append([]string{"-u", "nobody"}, args...)
	}
	s.Program, s.Args = program, args
	s.Answers = func() error { _, err := s.Do("version"); return err }
	return s
}

// Start starts a server with 64 MiB and waits until it answers. args are as on
// its command line: "-I", "2m".
func Start(t testing.TB, args ...string) *Server {
	t.Helper()
	daemon.Need(t, program)
	s, err := daemon.Try(func(port int) (*Server, error) {
		at := strconv.Itoa(port)
		return server(net.JoinHostPort("127.0.0.1", at), append([]string{"-l", "127.0.0.1", "-p", at, "-U", "0"}, args...)), nil
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Kill)
	return s
}

// StartUnix starts one on a Unix socket.
func StartUnix(t testing.TB, args ...string) *Server {
	t.Helper()
	daemon.Need(t, program)
	dir, err := os.MkdirTemp("", "memcached") // t.TempDir is too long for a socket's name
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "s")
	s := server("unix:"+path, append([]string{"-s", path, "-a", "777"}, args...))
	t.Cleanup(func() {
		s.Kill()
		os.RemoveAll(dir)
	})
	if err := errors.Join(os.Chmod(dir, 0o777), s.Restart()); err != nil {
		t.Fatal(err)
	}
	return s
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
