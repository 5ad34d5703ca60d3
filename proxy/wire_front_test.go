package proxy_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"
)

// front is the proxy under test.
type front interface {
	// start puts it before the origin until the test ends.
	start(t *testing.T, origin string, flags []string) (running, error)
}

type running struct {
	addr   string
	health func() error // why it is not well, or nil
}

// errUnsupported: this front has nothing like one of the flags of a case.
var errUnsupported = errors.New("this front has no such flag")

func frontFor(t *testing.T, name string) front {
	t.Helper()
	switch name {
	case "":
		return buildMultiserver(t)
	case "nginx":
		return nginxFront{}
	case "haproxy":
		return haproxyFront{}
	case "reverseproxy":
		return reverseProxyFront{}
	}
	t.Fatalf("WIRE_FRONT=%s: want nginx, haproxy, reverseproxy or nothing", name)
	return nil
}

// multiserver is our own binary, one process per case.
type multiserver struct{ path string }

func buildMultiserver(t *testing.T) front {
	t.Helper()
	m := multiserver{filepath.Join(t.TempDir(), "multiserver")}
	args := []string{"build", "-o", m.path}
	if os.Getenv("WIRE_RACE") != "" { // a data race in a case then fails it
		args = append(args, "-race")
	}
	build := exec.Command("go", append(args, ".")...)
	build.Dir = ".."
	dependOnSources(t, build.Dir)
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	return m
}

// dependOnSources looks at every file that the binary is built from. go test
// remembers what a test has looked at, and plays nothing again that passed
// before; it cannot know by itself that this test depends on the whole module.
func dependOnSources(t *testing.T, root string) {
	t.Helper()
	err := filepath.WalkDir(root, func(path string, _ os.DirEntry, err error) error {
		if err == nil && (strings.HasSuffix(path, ".go") || filepath.Base(path) == "go.mod") {
			_, err = os.Stat(path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

var listening = regexp.MustCompile(`msg=listening addr=(\S+)`)

func (m multiserver) start(t *testing.T, origin string, flags []string) (running, error) {
	args := []string{"--listen", "127.0.0.1:0", "--upstream", "http://" + origin, "--access-log", "off"}
	cmd := exec.Command(m.path, append(args, flags...)...)
	cmd.Dir = scripts // where --error-pages are
	return startProcess(t, cmd, func(log string) (addr string) {
		if said := listening.FindStringSubmatch(log); said != nil {
			return said[1]
		}
		return ""
	})
}

// startProcess runs a proxy until the test ends. It is there as soon as ready,
// given its log so far, returns an address.
func startProcess(t *testing.T, cmd *exec.Cmd, ready func(log string) string) (running, error) {
	t.Helper()
	log := &lockedBuffer{}
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		return running{}, err
	}
	exited := make(chan struct{})
	go func() { cmd.Wait(); close(exited) }()
	t.Cleanup(func() { cmd.Process.Kill(); <-exited })
	health := func() error {
		select {
		case <-exited:
			return fmt.Errorf("the proxy has ended: %s\n%s", cmd.ProcessState, log)
		default:
		}
		if text := log.String(); strings.Contains(text, "panic") || strings.Contains(text, "DATA RACE") {
			return fmt.Errorf("the proxy is not well:\n%s", text)
		}
		return nil
	}
	for deadline := time.Now().Add(3 * patience); time.Now().Before(deadline); time.Sleep(2 * time.Millisecond) {
		if err := health(); err != nil {
			return running{}, err
		}
		if addr := ready(log.String()); addr != "" {
			return running{addr, health}, nil
		}
	}
	return running{}, fmt.Errorf("the proxy does not listen\n%s", log)
}

type lockedBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}
