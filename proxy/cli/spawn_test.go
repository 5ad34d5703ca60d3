package cli

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
)

// The app of these tests is the demo's proxy: it listens where it is told to,
// drains at SIGTERM, and is built already.
func spawnable(t *testing.T, args ...string) *service {
	t.Helper()
	origin := newMember(t, "it is I")
	return start(t, append(args, "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--", binary, "--listen", "127.0.0.1:{port}", "--upstream", origin.URL)...)
}

var ready = regexp.MustCompile(`msg="instance ready"`)

// Ten rolls, and nobody who asks meanwhile sees anything of them.
func TestRollsLoseNoRequest(t *testing.T) {
	t.Parallel()
	s := spawnable(t, "--spawn", "2", "--spawn-surge", "2")
	url := "http://" + s.addr()
	s.logs(ready)
	var work sync.WaitGroup
	var asked, failed atomic.Int64
	var last atomic.Value
	done := make(chan struct{})
	for _, method := range []string{"GET", "POST", "GET", "POST"} {
		work.Go(func() {
			c := &http.Client{Timeout: patience, Transport: &http.Transport{}}
			defer c.CloseIdleConnections()
			for ; !closed(done); asked.Add(1) {
				if err := exchange(c, method, url); err != nil {
					failed.Add(1)
					last.Store(err.Error())
				}
			}
		})
	}
	for range 10 {
		if got := postJSON(t, "http://"+s.adminAddr()+"/api/spawn/restart", "{}"); !strings.HasPrefix(got, "200 ") {
			t.Errorf("restart: %s", got)
		}
	}
	close(done)
	work.Wait()
	if failed.Load() > 0 || asked.Load() == 0 {
		t.Errorf("%d of %d failed, the last one: %v", failed.Load(), asked.Load(), last.Load())
	}
	s.metric(`multiserver_spawn_rolls_total{pool="default",result="done"} 10`)
}

func exchange(c *http.Client, method, url string) error {
	req, err := http.NewRequest(method, url, nil)
	if err != nil {
		return err
	}
	res, err := c.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err == nil && (res.StatusCode != 200 || string(body) != "it is I") {
		err = fmt.Errorf("%s: %d %s", method, res.StatusCode, body)
	}
	return err
}

func closed(c chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// postJSON posts JSON to the admin listener.
func postJSON(t *testing.T, url, body string) string {
	t.Helper()
	res, err := http.Post(url, "application/json", bytes.NewReader([]byte(body)))
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	text, _ := io.ReadAll(res.Body)
	return fmt.Sprintf("%d %s", res.StatusCode, text)
}

func TestProcessesByAdminAndSignal(t *testing.T) {
	t.Parallel()
	s := spawnable(t, "--spawn", "1")
	s.addr()
	s.logs(ready)
	api := "http://" + s.adminAddr() + "/api/"
	f := func(path, body, want string) {
		t.Helper()
		if got := postJSON(t, api+path, body); !strings.Contains(got, want) {
			t.Errorf("%s %s: %s, want %s", path, body, got, want)
		}
	}
	events, err := http.Get(api + "events")
	if err != nil {
		t.Fatal(err)
	}
	defer events.Body.Close()
	f("spawn/scale", `{"instances":2}`, `"instances":2`)
	f("spawn/scale", `{"instances":0}`, `400 {"error":"instances: 0, want 1 to 1024"}`)
	f("spawn/scale", `{"pool":"web","instances":2}`, `pool \"web\": want one of [default]`)
	f("spawn/scale", `{"n":2}`, `400 `)
	s.metric(`multiserver_spawn_ready{pool="default"} 2`)
	if got := get(t, api+"spawn"); !strings.Contains(got, `"ready":2`) {
		t.Errorf("status: %s", got)
	}
	s.signal(syscall.SIGHUP)
	s.metric(`multiserver_spawn_rolls_total{pool="default",result="done"} 1`)
	heard := watch()
	go io.Copy(heard, events.Body)
	if heard.wait(regexp.MustCompile(`(?s)event: ready\ndata: \{.*event: rolled`)) == nil {
		t.Errorf("the stream of events said\n%s", heard.String())
	}
	s.signal(syscall.SIGTERM)
	if code := s.code(); code != exitClean {
		t.Errorf("exit code %d", code)
	}
}

func TestWrongCommandsEndTheStart(t *testing.T) {
	t.Parallel()
	f := func(want string, args ...string) {
		t.Helper()
		got := run(t, nil, append([]string{"--listen", "127.0.0.1:0", "--spawn", "2", "--"}, args...)...)
		if got.code != exitFailure || !strings.Contains(got.stderr, want) {
			t.Errorf("%v: exit code %d, %s, want %q", args, got.code, got.stderr, want)
		}
	}
	script := filepath.Join(t.TempDir(), "app.py")
	os.WriteFile(script, nil, 0o644)
	f(`--spawn: command "no-such-program-here": not found in PATH`, "no-such-program-here")
	f("not executable; chmod +x it, or name what runs it, as in python3 "+script, script)
}
