// Package binarytest runs the built program for tests that are modules of their
// own, because of what they ask it with: proxy/grpctest and proxy/h2spectest. It
// hides how the program is built, once, and where it listens. It is a module, too,
// and has nothing but the standard library, so that these need not carry what the
// program is made of.
package binarytest

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"sync"
	"testing"
	"time"
)

// Patience is far more than anything here takes; it ends a test that hangs.
const Patience = 30 * time.Second

var program string // what Main has built

// Main is a TestMain: it builds the program of the module two folders above.
func Main(m *testing.M) {
	dir, err := os.MkdirTemp("", "binarytest")
	if err != nil {
		panic(err)
	}
	program = filepath.Join(dir, "multiserver")
	build := exec.Command("go", "build", "-o", program, ".")
	build.Dir = "../.."
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "go build: %v\n%s", err, out)
		os.Exit(1)
	}
	code := m.Run()
	_ = os.RemoveAll(dir)
	os.Exit(code)
}

// Program is one that runs until its test ends, and then shows its log if the
// test has failed.
type Program struct {
	t    testing.TB
	mu   sync.Mutex
	said bytes.Buffer // guarded by mu
}

// Start starts it. Where it is to listen is best given as 127.0.0.1:0.
func Start(t testing.TB, args ...string) *Program {
	t.Helper()
	p := &Program{t: t}
	cmd := exec.Command(program, args...)
	cmd.Stderr = p
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if t.Failed() || testing.Verbose() {
			t.Logf("the program's log:\n%s", p.log())
		}
	})
	return p
}

var (
	plain  = regexp.MustCompile(`msg=listening addr=(\S+)`)
	secure = regexp.MustCompile(`msg="listening, TLS" addr=(\S+)`)
)

// Plain is where it listens, once it does.
func (p *Program) Plain() string { p.t.Helper(); return p.at(plain) }

// Secure is where it listens by TLS, once it does.
func (p *Program) Secure() string { p.t.Helper(); return p.at(secure) }

func (p *Program) at(line *regexp.Regexp) string {
	p.t.Helper()
	for end := time.Now().Add(Patience); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if found := line.FindStringSubmatch(p.log()); found != nil {
			return found[1]
		}
	}
	p.t.Fatalf("no line %s", line)
	return ""
}

func (p *Program) log() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.said.String()
}

// Write takes its log.
func (p *Program) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.said.Write(b)
}
