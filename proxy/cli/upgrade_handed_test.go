package cli

import (
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/quic-go/quic-go/http3"
)

// handedTo begins the program as systemd would, with sockets as descriptors
// from 3 on.
func handedTo(t *testing.T, names string, sockets []net.Listener, env []string, args ...string) *service {
	t.Helper()
	words := append([]string{"-c", `LISTEN_PID=$$ LISTEN_FDS=` + strconv.Itoa(len(sockets)) + ` LISTEN_FDNAMES=` + names + ` exec "$0" "$@"`, binary}, args...)
	s := prepared(t, "sh", words...)
	s.cmd.Env = append(s.cmd.Env, env...)
	for _, ln := range sockets {
		f, err := ln.(interface{ File() (*os.File, error) }).File()
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		s.cmd.ExtraFiles = append(s.cmd.ExtraFiles, f)
	}
	s.begin()
	return s
}

func listenAt(t *testing.T, network, at string) net.Listener {
	t.Helper()
	ln, err := net.Listen(network, at)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
	return ln
}

func TestSocketsOfAServiceManager(t *testing.T) {
	t.Parallel()
	m := newMember(t, "it is I")
	path := filepath.Join(t.TempDir(), "s")
	named, placed, unix := listenAt(t, "tcp", "127.0.0.1:0"), listenAt(t, "tcp", "127.0.0.1:0"), listenAt(t, "unix", path)
	s := handedTo(t, "web:other:", []net.Listener{named, placed, unix}, nil,
		"--listen", "fd:web", "--listen", placed.Addr().String(), "--listen", "unix:"+path, "--upstream", m.URL)
	for _, ln := range []net.Listener{named, placed} {
		if got := get(t, "http://"+ln.Addr().String()); got != "it is I" {
			t.Errorf("%s: %q", ln.Addr(), got)
		}
	}
	if got := getUnix(t, path); got != "it is I" {
		t.Errorf("by the Unix socket: %q", got)
	}
	s.signal(syscall.SIGTERM)
	if code := s.code(); code != exitClean {
		t.Errorf("exit code %d", code)
	}
	if _, err := os.Stat(path); err != nil {
		t.Errorf("a file that is not ours is gone: %v", err)
	}
}

func TestSocketsThatAreNotAsWanted(t *testing.T) {
	t.Parallel()
	ln := listenAt(t, "tcp", "127.0.0.1:0")
	f := func(want, names string, args ...string) {
		t.Helper()
		s := handedTo(t, names, []net.Listener{ln}, nil, append(args, "--upstream", "http://127.0.0.1:1")...)
		if code := s.code(); code != exitFailure || !strings.Contains(s.stderr.String(), want) {
			t.Errorf("exit code %d, %s, want %q", code, s.stderr.String(), want)
		}
	}
	f(`socket web (`+ln.Addr().String()+`) was handed over, and no setting leads there: want --listen fd:web`, "web", "--listen", "127.0.0.1:0")
	f(`no socket of that name was handed over, only web`, "web", "--listen", "fd:http")
	got := run(t, nil, "--listen", "fd:http", "--upstream", "http://127.0.0.1:1")
	if got.code != exitFailure || !strings.Contains(got.stderr, "FileDescriptorName=http") {
		t.Errorf("with none: %+v", got)
	}
}

// What a service manager hears, from the start over a reload and an upgrade to
// the end.
func TestAServiceManagerIsTold(t *testing.T) {
	t.Parallel()
	m := newMember(t, "it is I")
	at := filepath.Join(t.TempDir(), "notify")
	pc, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: at, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer pc.Close()
	u := startUpgradableAs(t, []string{"NOTIFY_SOCKET=" + at, "WATCHDOG_USEC=100000"}, "--listen", "127.0.0.1:0", "--upstream", m.URL)
	hears := func(all ...string) { // in any order
		t.Helper()
		_ = pc.SetReadDeadline(time.Now().Add(patience))
		for b := make([]byte, 4096); len(all) > 0; {
			n, err := pc.Read(b)
			if err != nil {
				t.Fatalf("nothing like %s: %v", all, err)
			}
			all = slices.DeleteFunc(all, func(want string) bool { return regexp.MustCompile(want).Match(b[:n]) })
		}
	}
	hears(`^READY=1\n`)
	hears(`^WATCHDOG=1$`)
	u.signal(syscall.SIGHUP)
	hears(`^RELOADING=1\nMONOTONIC_USEC=[1-9][0-9]+$`)
	hears(`^READY=1\n`)
	old := u.pid()
	u.signal(syscall.SIGUSR2)
	hears(`^MAINPID=[1-9]`, `^READY=1\n`) // of two processes
	u.becomes(old)
	hears(`^WATCHDOG=1$`)
	_ = syscall.Kill(u.pid(), syscall.SIGTERM)
	hears(`^STOPPING=1\n`)
}

// What a client of HTTP/3 has begun it can end: the process that has come
// hands the packets on.
func TestHTTP3OutlivesAnUpgrade(t *testing.T) {
	t.Parallel()
	m := newMember(t, "it is I")
	u := startUpgradable(t, "--listen", "none", "--tls-listen", "127.0.0.1:0", "--tls-self-signed", "--http3", "--upstream", m.URL)
	url := "https://" + u.logs(http3Listening)
	client := func() *http.Client {
		tr := &http3.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}
		t.Cleanup(func() { tr.Close() })
		return &http.Client{Transport: tr, Timeout: patience}
	}
	body, in := io.Pipe()
	done := make(chan string, 1)
	go func() {
		res, err := client().Post(url+"/slow", "text/plain", body)
		if err != nil {
			done <- err.Error()
			return
		}
		defer res.Body.Close()
		done <- res.Status
	}()
	_, _ = io.WriteString(in, "the beginning")
	<-m.begun
	old := u.pid()
	u.signal(syscall.SIGUSR2)
	u.becomes(old)
	_, _ = io.WriteString(in, strings.Repeat("and the end", 10_000))
	_ = in.Close()
	m.end <- struct{}{}
	if got := <-done; got != "200 OK" {
		t.Errorf("what was begun before: %s", got)
	}
	res, err := client().Get(url + "/x")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if b, _ := io.ReadAll(res.Body); !strings.HasPrefix(string(b), "it is I") {
		t.Errorf("behind it: %s %q", res.Status, b)
	}
	u.metric("multiserver_http3_connections 1")
}
