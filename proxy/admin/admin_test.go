package admin

import (
	"bytes"
	"io"
	"log/slog"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

func TestHealthAndReadiness(t *testing.T) {
	var ready atomic.Bool
	a := start(t, Options{Ready: ready.Load})
	a.want("GET", "/healthz", 200, "ok\n")
	a.want("GET", "/readyz", 503, "not ready\n")
	ready.Store(true)
	a.want("GET", "/readyz", 200, "ready\n")
	a.want("HEAD", "/healthz", 200, "")
	a.want("POST", "/healthz", 405, "read with GET")
	a.want("GET", "/nothing", 404, "/metrics")
}

func TestReadyWithoutAClosureIsReady(t *testing.T) {
	start(t, Options{}).want("GET", "/readyz", 200, "ready\n")
}

func TestTokenGuardsEveryPath(t *testing.T) {
	a := start(t, Options{Token: "s3cret"})
	for _, path := range []string{"/", "/healthz", "/readyz", "/metrics", "/debug/pprof/", "/debug/pprof/heap", "/nothing"} {
		a.authorization = ""
		a.want("GET", path, 401, "token")
		a.authorization = "Bearer wrong"
		a.want("GET", path, 401, "token")
	}
	for _, right := range []string{"Bearer s3cret", "bearer s3cret", "Bearer  s3cret"} {
		a.authorization = right
		a.want("GET", "/healthz", 200, "ok\n")
	}
	a = start(t, Options{Token: "s3cret"}) // which has not been guessed at
	for _, wrong := range []string{"s3cret", "Basic s3cret", "Bearer", "Bearer s3cre", "Bearer s3cretx", "Bearer s3cret,x"} {
		a.authorization = wrong
		a.want("GET", "/healthz", 401, "token")
	}
}

func TestScrapeHasOursAndTheProcesses(t *testing.T) {
	a := start(t, Options{Metrics: func(m *Metrics) { m.Counter("multiserver_requests_total", "Requests.", 7) }})
	body := a.want("GET", "/metrics", 200, "multiserver_requests_total 7\n")
	names := []string{"go_goroutines ", "go_memstats_heap_alloc_bytes ", "process_start_time_seconds 1"}
	if runtime.GOOS == "linux" {
		names = append(names, "process_open_fds ", "process_cpu_seconds_total ", "process_resident_memory_bytes ")
	}
	for _, name := range names {
		if !strings.Contains(body, "\n"+name) {
			t.Errorf("no %q in\n%s", name, body)
		}
	}
}

func TestAPageThatPanicsCostsA500(t *testing.T) {
	a := start(t, Options{Metrics: func(m *Metrics) { panic("BUG: on purpose") }})
	a.want("GET", "/metrics", 500, "internal error")
	a.want("GET", "/healthz", 200, "ok\n")
}

func TestProfilesByNetHTTPsPaths(t *testing.T) {
	a := start(t, Options{})
	a.want("GET", "/debug/pprof", 200, "goroutine") // by way of the redirect
	a.want("GET", "/debug/pprof/", 200, "goroutine")
	a.want("GET", "/debug/pprof/goroutine?debug=1", 200, "goroutine profile:")
	a.want("GET", "/debug/pprof/cmdline", 200, "admin")
	a.want("POST", "/debug/pprof/symbol", 200, "num_symbols")
	a.want("GET", "/debug/pprof/trace?seconds=0.1", 200, "go 1.")
	a.want("GET", "/debug/pprof/none", 404, "")
}

func TestGoToolPprofReadsACPUProfile(t *testing.T) {
	tool := filepath.Join(runtime.GOROOT(), "bin", "go")
	if _, err := os.Stat(tool); err != nil {
		tool = "go"
	}
	a := start(t, Options{})
	cmd := exec.Command(tool, "tool", "pprof", "-top", a.url+"/debug/pprof/profile?seconds=1")
	cmd.Env = append(os.Environ(), "PPROF_TMPDIR="+t.TempDir())
	out, err := cmd.CombinedOutput()
	if err != nil || !bytes.Contains(out, []byte("Type: cpu")) {
		t.Fatalf("%v\n%s", err, out)
	}
}

func TestCloseEndsRunAndLetsAPageUnderWayGo(t *testing.T) {
	a, err := New(Options{Addr: "127.0.0.1:0", Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	ran := make(chan error, 1)
	go func() { ran <- a.Run() }()
	go http.Get("http://" + a.Addr().String() + "/debug/pprof/profile?seconds=30")
	time.Sleep(100 * time.Millisecond)
	if err := a.Close(); err != nil {
		t.Error(err)
	}
	select { // and not when the profile ends, by itself
	case err := <-ran:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(20 * time.Second):
		t.Fatal("Run did not end")
	}
}

func TestATakenPortIsNamed(t *testing.T) {
	a := start(t, Options{})
	_, err := New(Options{Addr: a.Addr().String()})
	if err == nil || !strings.Contains(err.Error(), a.Addr().String()) || !strings.Contains(err.Error(), "in use") {
		t.Errorf("got %v", err)
	}
}

func TestWarnsOffLoopback(t *testing.T) {
	f := func(addr string, warns bool) {
		t.Helper()
		var log bytes.Buffer
		a, err := New(Options{Addr: addr, Log: slog.New(slog.NewTextHandler(&log, nil))})
		if err != nil {
			t.Fatal(err)
		}
		a.Close()
		_ = a.Run() // warns before it serves, which it cannot any more
		if strings.Contains(log.String(), "level=WARN") != warns {
			t.Errorf("%s: warning: want %v, log: %s", addr, warns, log.String())
		}
	}
	f("127.0.0.1:0", false)
	f(":0", true)
}

// running is an Admin under test with a client that asks it.
type running struct {
	*Admin
	t             *testing.T
	url           string
	authorization string
}

func start(t *testing.T, o Options) *running {
	t.Helper()
	o.Addr = "127.0.0.1:0"
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	a, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	ran := make(chan error, 1)
	go func() { ran <- a.Run() }()
	t.Cleanup(func() {
		a.Close()
		if err := <-ran; err != nil {
			t.Error(err)
		}
	})
	return &running{Admin: a, t: t, url: "http://" + a.Addr().String()}
}

// want asks for path and checks the status and a part of the body.
func (r *running) want(method, path string, status int, part string) string {
	r.t.Helper()
	req, err := http.NewRequest(method, r.url+path, nil)
	if err != nil {
		r.t.Fatal(err)
	}
	if r.authorization != "" {
		req.Header.Set("Authorization", r.authorization)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		r.t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		r.t.Fatal(err)
	}
	if res.StatusCode != status || !strings.Contains(string(body), part) {
		r.t.Errorf("%s %s: %d %q, want %d and %q", method, path, res.StatusCode, body, status, part)
	}
	return string(body)
}
