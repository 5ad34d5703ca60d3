//go:build unix

// Package examples runs the examples as their READMEs say.
package examples

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"multiserver/sync/daemon"
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
			daemon.Need(t, command[0])
			events := filepath.Join(t.TempDir(), "events")
			url := serve(t, filepath.Join(bin, "multiserver"), command, "--session", "memory",
				"--hub", "/chat", "--hub-mode", "bridge", "--spawn-hook", "cat >> "+events)
			ready(t, events)
			counts(t, url)
			shows(t, url)
			chat(t, url)
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

// counts wants each visit of one client to be one more, whichever instance answers.
func counts(t *testing.T, url string) {
	t.Helper()
	jar, _ := cookiejar.New(nil)
	client := &http.Client{Jar: jar, Timeout: patience}
	saw := [2]int{}
	for n := 1; n <= 4 || (saw[0] == 0 || saw[1] == 0) && n < 100; n++ {
		body := visit(t, client, url, "*/*")
		instance, visits := -1, 0
		_, err := fmt.Sscanf(body, "instance %d, visit %d\n", &instance, &visits)
		if err != nil || instance < 0 || instance > 1 || visits != n {
			t.Fatalf("visit %d is answered %q", n, body)
		}
		saw[instance]++
	}
	if saw[0] == 0 || saw[1] == 0 {
		t.Errorf("instances answered %v requests, want some of each", saw)
	}
}

// shows wants a page for browsers, with the same and the chat on it.
func shows(t *testing.T, url string) {
	t.Helper()
	page := visit(t, &http.Client{Timeout: patience}, url, "text/html,*/*;q=0.8")
	for _, want := range []string{"<!doctype html>", "<p>instance ", ", visit 1\n", "new WebSocket(", `+ '\n' }`} {
		if !strings.Contains(page, want) {
			t.Errorf("no %q on the page:\n%s", want, page)
		}
	}
}

func visit(t *testing.T, client *http.Client, url, accept string) string {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Accept", accept)
	res, err := client.Do(req)
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
