//go:build unix

// Package examples runs the examples as their READMEs say.
package examples

import (
	"bufio"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

const patience = time.Minute

func TestExamples(t *testing.T) {
	bin := t.TempDir()
	build := exec.Command("go", "build", "-o", bin+"/", "multiserver", "./nethttp", "./fasthttp")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	f := func(name string, command ...string) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, err := exec.LookPath(command[0]); err != nil {
				t.Skip("no ", command[0], " here")
			}
			url := serve(t, filepath.Join(bin, "multiserver"), command)
			saw := map[string]bool{}
			for end := time.Now().Add(patience); len(saw) < 2 && time.Now().Before(end); {
				body := visit(t, url)
				if strings.HasSuffix(body, ", visit 1\n") {
					saw[body] = true
				}
			}
			if !saw["instance 0, visit 1\n"] || !saw["instance 1, visit 1\n"] {
				t.Errorf("saw %v, want both instances", saw)
			}
		})
	}
	f("node", "node", "node/app.js")
	f("python", "python3", "python/app.py")
	f("nethttp", filepath.Join(bin, "nethttp"))
	f("fasthttp", filepath.Join(bin, "fasthttp"))
}

var listening = regexp.MustCompile(`msg=listening addr=(\S+)`)

// serve runs two instances and returns where they are.
func serve(t *testing.T, binary string, command []string, flags ...string) string {
	t.Helper()
	args := append([]string{"--listen", "127.0.0.1:0", "--spawn", "2"}, flags...)
	cmd := exec.Command(binary, append(append(args, "--"), command...)...)
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, "MULTISERVER_") {
			cmd.Env = append(cmd.Env, v)
		}
	}
	log, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	url := make(chan string, 1)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for in := bufio.NewScanner(log); in.Scan(); {
			if m := listening.FindStringSubmatch(in.Text()); m != nil {
				url <- "http://" + m[1]
			}
		}
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		<-done
		_ = cmd.Wait()
	})
	select {
	case u := <-url:
		return u
	case <-time.After(patience):
		t.Fatal("it does not listen")
		return ""
	}
}

func visit(t *testing.T, url string) string {
	t.Helper()
	res, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}
