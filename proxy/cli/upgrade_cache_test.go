package cli

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
)

// kept is a service whose cache has a file, before an app that counts its GETs and
// holds back its POSTs.
type kept struct {
	*upgradable
	url, file string
	asked     atomic.Int64
	posted    chan struct{} // one is there
	free      chan struct{} // it may be answered
	client    *http.Client  // whose connections end, so that who serves now answers
}

func startKept(t *testing.T) *kept {
	t.Helper()
	k := &kept{posted: make(chan struct{}), free: make(chan struct{}), file: filepath.Join(t.TempDir(), "cache"),
		client: &http.Client{Timeout: patience, Transport: &http.Transport{DisableKeepAlives: true}}}
	app := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == "POST" {
			k.posted <- struct{}{}
			select {
			case <-k.free:
			case <-t.Context().Done():
			}
			return
		}
		w.Header().Set("Cache-Control", "max-age=1000")
		fmt.Fprint(w, k.asked.Add(1))
	}))
	t.Cleanup(app.Close)
	k.upgradable = startUpgradable(t, "--listen", "127.0.0.1:0", "--upstream", app.URL, "--cache", "64MiB", "--cache-file", k.file, "--drain-timeout", "60s")
	k.url = "http://" + k.addr()
	return k
}

// is asks for a path, whose answer is the number under which it was fetched.
func (k *kept) is(path, want string) {
	k.t.Helper()
	if got := k.get(path); got != want {
		k.t.Errorf("%s is %s, want %s", path, got, want)
	}
}

func (k *kept) get(path string) string {
	k.t.Helper()
	res, err := k.client.Get(k.url + path)
	if err != nil {
		k.t.Fatal(err)
	}
	defer res.Body.Close()
	b, _ := io.ReadAll(res.Body)
	return string(b)
}

// upgrades has another process serve.
func (k *kept) upgrades() (old int) {
	k.t.Helper()
	old = k.pid()
	if got := run(k.t, nil, "upgrade", "--pid-file", k.pids); got.code != exitClean {
		k.t.Fatalf("upgrade: %+v", got)
	}
	return old
}

func TestACacheWithAFileOutlivesAnUpgrade(t *testing.T) {
	t.Parallel()
	k := startKept(t)
	k.is("/a", "1")
	k.is("/b", "2")
	k.is("/c", "3")
	if status, err := purgeOf(k.url + "/b"); status != 200 || err != nil {
		t.Fatal(status, err)
	}
	answered := make(chan error, 1)
	go func() { // the old process has it, and ends with it
		res, err := http.Post(k.url+"/c", "text/plain", strings.NewReader("new"))
		if err == nil {
			res.Body.Close()
		}
		answered <- err
	}()
	<-k.posted
	first := k.upgrades()
	k.is("/a", "1")
	k.is("/b", "4")
	k.is("/c", "3")
	k.free <- struct{}{}
	if err := <-answered; err != nil {
		t.Fatal(err)
	}
	awaited(t, func() bool { return k.get("/c") == "5" })
	k.gone(first)
	if strings.Contains(k.stderr.String(), "forgotten") {
		t.Error(k.stderr.String())
	}
	k.is("/a", "1")
	k.gone(k.upgrades())
	k.is("/a", "1")
	k.is("/c", "5")
	if left, _ := filepath.Glob(k.file + ".*"); len(left) > 0 {
		t.Errorf("%s is left", left)
	}
}

// A copy is of no use to who has not heard what changed since.
func TestACacheDoesNotOutliveAnOldProcessThatIsKilled(t *testing.T) {
	t.Parallel()
	k := startKept(t)
	k.is("/a", "1")
	go func() { _, _ = k.client.Post(k.url+"/a", "text/plain", nil) }()
	<-k.posted
	old := k.upgrades()
	k.is("/a", "1")
	_ = syscall.Kill(old, syscall.SIGKILL)
	k.logs(regexp.MustCompile(`level=WARN msg="what the process before has changed in the cache is not known, all is forgotten"`))
	awaited(t, func() bool { return k.get("/a") == "2" })
}

// Whoever goes on after an upgrade that failed has used up no file, and left none.
func TestAnUpgradeThatFailsLeavesNoCopy(t *testing.T) {
	t.Parallel()
	app, _ := storable(t)
	dir := t.TempDir()
	program, file := filepath.Join(dir, "multiserver"), filepath.Join(dir, "cache")
	if err := os.Link(binary, program); err != nil {
		t.Fatal(err)
	}
	s := startProgram(t, program, "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--upstream", app, "--cache", "64MiB", "--cache-file", file)
	get(t, "http://"+s.addr()+"/a")
	if err := os.Remove(program); err != nil {
		t.Fatal(err)
	}
	if got := postJSON(t, "http://"+s.adminAddr()+"/api/upgrade", "{}"); !strings.HasPrefix(got, "502 ") {
		t.Errorf("upgraded: %s", got)
	}
	if left, _ := filepath.Glob(file + "*"); len(left) > 0 {
		t.Errorf("%s is left", left)
	}
}
