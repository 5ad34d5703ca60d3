package h2spectest

import (
	"bytes"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/summerwind/h2spec/config"
	"github.com/summerwind/h2spec/generic"
	"github.com/summerwind/h2spec/hpack"
	"github.com/summerwind/h2spec/http2"
	"github.com/summerwind/h2spec/spec"
)

// binary is the program, built once.
var binary string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "h2spectest")
	if err != nil {
		panic(err)
	}
	binary = filepath.Join(dir, "multiserver")
	build := exec.Command("go", "build", "-o", binary, ".")
	build.Dir = "../.."
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "go build: %v\n%s", err, out)
		os.Exit(1)
	}
	code := m.Run()
	_ = os.RemoveAll(dir)
	os.Exit(code)
}

// patience is what a busy machine may need for an answer; what passes takes
// none of it.
const patience = 10 * time.Second

func TestAllOfH2specPasses(t *testing.T) {
	origin := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = w.Write(bytes.Repeat([]byte("hello "), 1000))
	}))
	defer origin.Close()
	plain, secure := freePort(t), freePort(t)
	start(t, "--upstream", origin.URL, "--listen", local(plain), "--tls-listen", local(secure), "--tls-self-signed")
	for _, c := range []*config.Config{
		{Port: plain},
		{Port: secure, TLS: true, Insecure: true},
		{Port: secure, TLS: true, Insecure: true, Strict: true},
	} {
		c.Host, c.Path, c.Timeout, c.MaxHeaderLen = "127.0.0.1", "/", patience, 4000
		passed := 0
		for _, group := range []*spec.TestGroup{generic.Spec(), http2.Spec(), hpack.Spec()} {
			group.Test(c)
			passed += group.PassedCount
			if group.FailedCount+group.SkippedCount > 0 {
				t.Errorf("TLS %v, strict %v: %d of %q failed, %d skipped", c.TLS, c.Strict, group.FailedCount, group.Name, group.SkippedCount)
			}
		}
		if passed < 145 {
			t.Errorf("TLS %v, strict %v: %d passed", c.TLS, c.Strict, passed)
		}
	}
}

// start runs the program until the test ends.
func start(t *testing.T, args ...string) {
	t.Helper()
	var log bytes.Buffer // read when it has ended
	cmd := exec.Command(binary, args...)
	cmd.Stderr = &log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGKILL)
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("the program's log:\n%s", log.String())
		}
	})
	for i := range args {
		if args[i] == "--listen" || args[i] == "--tls-listen" {
			await(t, args[i+1])
		}
	}
}

func await(t *testing.T, addr string) {
	t.Helper()
	for end := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) {
		nc, err := net.Dial("tcp", addr)
		if err == nil {
			_ = nc.Close()
			return
		}
		if time.Now().After(end) {
			t.Fatalf("nobody listens on %s", addr)
		}
	}
}

func freePort(t *testing.T) int {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	return ln.Addr().(*net.TCPAddr).Port
}

func local(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }
