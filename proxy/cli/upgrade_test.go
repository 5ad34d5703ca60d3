package cli

import (
	"context"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// upgradable is a service whose processes replace each other.
type upgradable struct {
	*service
	pids string // its --pid-file
}

func startUpgradable(t *testing.T, args ...string) *upgradable {
	t.Helper()
	return startUpgradableAs(t, nil, args...)
}

func startUpgradableAs(t *testing.T, env []string, args ...string) *upgradable {
	t.Helper()
	u := &upgradable{pids: filepath.Join(t.TempDir(), "pid")}
	t.Cleanup(func() { // behind what start does
		if pid, err := pidFile(u.pids).read(); err == nil {
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
	})
	u.service = prepared(t, binary, append([]string{"--pid-file", u.pids, "--admin", "127.0.0.1:0"}, args...)...)
	u.cmd.Env = append(append(u.cmd.Env, "MULTISERVER_DRAIN_TIMEOUT=10s"), env...)
	u.begin()
	t.Cleanup(func() {
		if pid, err := pidFile(u.pids).read(); err == nil {
			_ = syscall.Kill(pid, syscall.SIGTERM)
			u.gone(pid)
		}
	})
	return u
}

// pid is the process that serves.
func (u *upgradable) pid() int {
	u.t.Helper()
	pid, err := pidFile(u.pids).read()
	if err != nil {
		u.t.Fatal(err)
	}
	return pid
}

// becomes waits until another process than old serves.
func (u *upgradable) becomes(old int) {
	u.t.Helper()
	awaited(u.t, func() bool { return u.pid() != old })
}

// gone waits for the end of a process, which need not be a child of ours.
func (u *upgradable) gone(pid int) {
	u.t.Helper()
	awaited(u.t, func() bool { return ended(pid) })
}

// ended: there is no such process, or nobody has taken note of its end.
func ended(pid int) bool {
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return syscall.Kill(pid, 0) != nil
	}
	_, state, _ := strings.Cut(string(stat), ") ")
	return strings.HasPrefix(state, "Z")
}

func awaited(t *testing.T, is func() bool) {
	t.Helper()
	for late := time.Now().Add(patience); !is(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(late) {
			t.Fatal("it does not happen")
		}
	}
}

// Ten upgrades, and nobody who asks meanwhile sees anything of them.
func TestUpgradesLoseNoRequest(t *testing.T) {
	t.Parallel()
	origin := newMember(t, "it is I")
	u := startUpgradable(t, "--listen", "127.0.0.1:0", "--upstream", origin.URL)
	url := "http://" + u.addr()
	var work sync.WaitGroup
	var asked, failed atomic.Int64
	var last atomic.Value
	done := make(chan struct{})
	for i, method := range []string{"GET", "POST", "GET", "POST"} {
		work.Go(func() {
			c := &http.Client{Timeout: patience, Transport: &http.Transport{DisableKeepAlives: i < 2}}
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
		old := u.pid()
		if err := syscall.Kill(old, syscall.SIGUSR2); err != nil {
			t.Fatal(err)
		}
		u.becomes(old)
	}
	close(done)
	work.Wait()
	if failed.Load() > 0 || asked.Load() == 0 {
		t.Errorf("%d of %d failed, the last one: %v", failed.Load(), asked.Load(), last.Load())
	}
	u.gone(u.cmd.Process.Pid) // but it is not waited for: its successors write where it did
	u.logs(regexp.MustCompile(`msg=stopped`))
}

func TestUnixSocketsOutliveTheProcessThatLeaves(t *testing.T) {
	t.Parallel()
	origin := newMember(t, "it is I")
	path := filepath.Join(t.TempDir(), "s")
	u := startUpgradable(t, "--listen", "unix:"+path, "--upstream", origin.URL)
	u.addr()
	for range 2 {
		old := u.pid()
		if got := run(t, nil, "upgrade", "--pid-file", u.pids); got.code != exitClean || !strings.Contains(got.stdout, strconv.Itoa(u.pid())) {
			t.Fatalf("upgrade: %+v", got)
		}
		u.gone(old)
		if got := getUnix(t, path); got != "it is I" {
			t.Errorf("by the socket: %q", got)
		}
	}
	last := u.pid()
	_ = syscall.Kill(last, syscall.SIGTERM)
	u.gone(last)
	for _, file := range []string{path, u.pids} {
		if _, err := os.Stat(file); !os.IsNotExist(err) {
			t.Errorf("%s is left: %v", file, err)
		}
	}
}

// On a busy machine the old process may be gone before the new one has written its
// number.
func TestANumberMayComeBehindTheEndOfTheOldProcess(t *testing.T) {
	t.Parallel()
	old := exec.Command("sleep", "60")
	if err := old.Start(); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "pid")
	write(t, file, strconv.Itoa(old.Process.Pid)+"\n")
	ended := make(chan struct{})
	go func() {
		_ = old.Wait() // SIGUSR2 ends it
		time.Sleep(100 * time.Millisecond)
		_ = pidFile(file).write()
		close(ended)
	}()
	if pid, err := upgradeBySignal(pidFile(file), patience); err != nil || pid != os.Getpid() {
		t.Errorf("%d, %v; want %d", pid, err, os.Getpid())
	}
	<-ended
}

// Whatever is wrong with the new process, the old one goes on and says what.
func TestANewProcessThatFailsReplacesNobody(t *testing.T) {
	t.Parallel()
	origin := newMember(t, "it is I")
	dir := t.TempDir()
	program, config := filepath.Join(dir, "multiserver"), filepath.Join(dir, "c.yaml")
	if err := os.Link(binary, program); err != nil {
		t.Fatal(err)
	}
	write(t, config, "upstream: "+origin.URL+"\n")
	u := &upgradable{service: startProgram(t, program, "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--config", config, "--upgrade-timeout", "2s")}
	url, api := "http://"+u.addr(), "http://"+u.adminAddr()+"/api/upgrade"
	f := func(want string) {
		t.Helper()
		if got := postJSON(t, api, "{}"); !strings.HasPrefix(got, "502 ") || !regexp.MustCompile(want).MatchString(got) {
			t.Errorf("got %s, want 502 and %s", got, want)
		}
		if got := get(t, url); got != "it is I" {
			t.Errorf("the old one answers %q", got)
		}
	}
	write(t, config, "upstream: "+origin.URL+"\nno-such-key: 1\n")
	f("the new process failed: .*no-such-key")
	write(t, config, "upstream: "+origin.URL+"\ntls-listen: \""+newMember(t, "").Listener.Addr().String()+"\"\ntls-self-signed: true\n")
	f("the new process failed: .*address already in use")
	write(t, config, "upstream: "+origin.URL+"\n")
	replace(t, program, "#!/bin/sh\nexit 3\n")
	f("ended before it was ready: exit status 3")
	replace(t, program, "#!/bin/sh\nexec sleep 60\n")
	f("was not ready within 2s; --upgrade-timeout")
	if err := os.Remove(program); err != nil {
		t.Fatal(err)
	}
	f("no such file")
	u.signal(syscall.SIGTERM)
	if code := u.code(); code != exitClean {
		t.Errorf("exit code %d", code)
	}
}

// replace puts another program in the place of one that runs.
func replace(t *testing.T, path, script string) {
	t.Helper()
	if err := os.WriteFile(path+".new", []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		t.Fatal(err)
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func getUnix(t *testing.T, path string) string {
	t.Helper()
	c := &http.Client{Timeout: patience, Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "unix", path)
		},
	}}
	res, err := c.Get("http://unix/")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, _ := io.ReadAll(res.Body)
	return string(body)
}
