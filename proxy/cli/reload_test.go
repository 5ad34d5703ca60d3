package cli

import (
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

var (
	reloaded    = regexp.MustCompile(`msg=reloaded pools=(\d+)`)
	notReloaded = regexp.MustCompile(`msg="not reloaded, all goes on as it was" cause="?(.*)`)
)

// configured runs the binary with a file, which write replaces.
func configured(t *testing.T, text string, args ...string) (s *service, write func(text string)) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "app.yaml")
	write = func(text string) {
		t.Helper()
		if err := os.WriteFile(file+"~", []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(file+"~", file); err != nil {
			t.Fatal(err)
		}
	}
	write(text)
	return start(t, append(args, "--config", file, "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0")...), write
}

func (s *service) says(want string) {
	s.t.Helper()
	res, err := http.Get("http://" + s.addr())
	if err != nil {
		s.t.Fatal(err)
	}
	defer res.Body.Close()
	if body, _ := io.ReadAll(res.Body); string(body) != want {
		s.t.Errorf("%q, want %q", body, want)
	}
}

func TestReloadBySignalAndByAdmin(t *testing.T) {
	t.Parallel()
	one, two := newMember(t, "one"), newMember(t, "two")
	s, write := configured(t, "upstream: "+one.URL+"\n")
	s.says("one")
	write("upstream: " + two.URL + "\ntimeout: 9x\nvia: ja\n")
	s.signal(syscall.SIGHUP)
	if why := s.logs(notReloaded); !strings.Contains(why, "timeout") || !strings.Contains(why, "; ") || !strings.Contains(why, "via") {
		t.Errorf("it says %s", why)
	}
	s.says("one")
	s.metric("multiserver_config_last_reload_successful 0")
	if got := postJSON(t, "http://"+s.adminAddr()+"/api/reload", ""); !strings.HasPrefix(got, "422 ") || !strings.Contains(got, "app.yaml:2: timeout") {
		t.Error(got)
	}
	write("upstream: " + two.URL + "\nvia: true\n")
	s.signal(syscall.SIGHUP)
	s.logs(reloaded)
	s.logs(regexp.MustCompile(`msg="takes effect at the next start" settings=via`))
	s.says("two")
	s.metric("multiserver_config_last_reload_successful 1")
	write("pools: {a: {upstream: " + one.URL + "}, b: {upstream: " + two.URL + "}}\nroutes: [{pool: a}, {match: {path: /b}, pool: b}]\n")
	if got := postJSON(t, "http://"+s.adminAddr()+"/api/reload", "{}"); got != "200 {\"pools\":2,\"routes\":2,\"next_start\":[]}\n" {
		t.Error(got)
	}
	s.says("one")
	s.signal(syscall.SIGTERM)
	if code := s.code(); code != exitClean {
		t.Errorf("exit code %d", code)
	}
}

func TestAReloadBeginsTLSWhereThereWasNone(t *testing.T) {
	t.Parallel()
	app := newMember(t, "it is I")
	s, write := configured(t, "upstream: "+app.URL+"\n")
	s.says("it is I")
	write("upstream: " + app.URL + "\ntls-self-signed: true\ntls-listen: [\"127.0.0.1:0\"]\n")
	if got := postJSON(t, "http://"+s.adminAddr()+"/api/reload", ""); got != "200 {\"pools\":1,\"routes\":1,\"next_start\":[]}\n" {
		t.Fatal(got)
	}
	c := &http.Client{Timeout: patience, Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, ForceAttemptHTTP2: true}}
	defer c.CloseIdleConnections()
	res, err := c.Get("https://" + s.logs(tlsListening))
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if body, _ := io.ReadAll(res.Body); string(body) != "it is I" || res.ProtoMajor != 2 {
		t.Errorf("%s %q", res.Proto, body)
	}
	s.says("it is I")
	s.metric(`multiserver_tls_handshakes_total{version="1.3",resumed="false"} 1`)
}

// Listeners come and go beside one that many use, and nobody there sees anything
// of it; who came by another ends with an answer.
func TestReloadsChangeListenersUnderLoad(t *testing.T) {
	t.Parallel()
	app := newMember(t, "it is I")
	dir := t.TempDir()
	file, side := filepath.Join(dir, "app.yaml"), filepath.Join(dir, "side")
	put := func(listen string) {
		t.Helper()
		write(t, file+"~", "listen: ["+listen+"]\nupstream: "+app.URL+"\n")
		if err := os.Rename(file+"~", file); err != nil {
			t.Fatal(err)
		}
	}
	put("\"127.0.0.1:0\"")
	s := start(t, "--config", file, "--admin", "127.0.0.1:0")
	url := "http://" + s.addr()
	var work sync.WaitGroup
	over := make(chan struct{})
	for i := range 3 {
		work.Go(func() {
			c := &http.Client{Timeout: patience, Transport: &http.Transport{DisableKeepAlives: i == 0}}
			defer c.CloseIdleConnections()
			for !closed(over) {
				if err := exchange(c, "POST", url); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	for range 5 {
		put("\"127.0.0.1:0\", \"unix:" + side + "\"")
		if got := postJSON(t, "http://"+s.adminAddr()+"/api/reload", ""); got != "200 {\"pools\":1,\"routes\":1,\"next_start\":[]}\n" {
			t.Fatal(got)
		}
		if got := getUnix(t, side); got != "it is I" {
			t.Errorf("by the new one: %q", got)
		}
		put("\"127.0.0.1:0\"")
		if got := postJSON(t, "http://"+s.adminAddr()+"/api/reload", ""); !strings.HasPrefix(got, "200 ") {
			t.Fatal(got)
		}
		if _, err := os.Stat(side); !os.IsNotExist(err) {
			t.Errorf("its file is left: %v", err)
		}
	}
	close(over)
	work.Wait()
	s.signal(syscall.SIGTERM)
	if code := s.code(); code != exitClean {
		t.Errorf("exit code %d", code)
	}
}

// Another command for an app: the new processes are there before the old ones
// go, and nobody who asks meanwhile sees anything of it.
func TestAReloadReplacesProcesses(t *testing.T) {
	t.Parallel()
	one, two := newMember(t, "one"), newMember(t, "two")
	app := func(of, more string) string {
		return fmt.Sprintf("spawn: 2\nspawn-command: %q\n%s", binary+" --listen 127.0.0.1:{port} --upstream "+of, more)
	}
	s, write := configured(t, app(one.URL, ""))
	s.logs(ready)
	url := "http://" + s.addr()
	var work sync.WaitGroup
	over := make(chan struct{})
	for range 3 {
		work.Go(func() {
			c := &http.Client{Timeout: patience, Transport: &http.Transport{}}
			defer c.CloseIdleConnections()
			for !closed(over) {
				res, err := c.Post(url, "text/plain", strings.NewReader("x"))
				if err != nil {
					t.Error(err)
					return
				}
				if io.Copy(io.Discard, res.Body); res.StatusCode != 200 {
					t.Error(res.Status)
				}
				res.Body.Close()
			}
		})
	}
	write(app(two.URL, ""))
	if got := postJSON(t, "http://"+s.adminAddr()+"/api/reload", ""); !strings.HasPrefix(got, "200 ") {
		t.Error(got)
	}
	s.metric(`multiserver_spawn_ready{pool="default"} 2`)
	alone := func() bool {
		for range 4 {
			res, err := http.Get(url)
			if err != nil {
				t.Fatal(err)
			}
			body, _ := io.ReadAll(res.Body)
			res.Body.Close()
			if string(body) != "two" {
				return false
			}
		}
		return true
	}
	for end := time.Now().Add(patience); !alone(); {
		if time.Now().After(end) {
			t.Fatal("the old app answers still")
		}
	}
	write(app(two.URL, "queue: 7\n")) // which has nothing to do with them
	s.signal(syscall.SIGHUP)          // which rolls them
	s.metric(`multiserver_spawn_rolls_total{pool="default",result="done"} 1`)
	close(over)
	work.Wait()
	s.signal(syscall.SIGTERM)
	if code := s.code(); code != exitClean {
		t.Errorf("exit code %d", code)
	}
}

func TestCheckJudgesFilters(t *testing.T) {
	_, err := in(t, "upstream: http://a.test\nroutes:\n  - filters:\n      - strip-prefix: {prefix: api}\n      - acess\n", "check", "--config", "app.yaml")
	for _, want := range []string{
		`app.yaml:4: routes[0].filters[0].strip-prefix: strip-prefix: prefix "api": want`,
		`app.yaml:5: routes[0].filters[1].acess: no filter "acess", want one of`,
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v\nwant %s", err, want)
		}
	}
}

func TestWatchWantsAFile(t *testing.T) {
	_, err := in(t, "", "check", "--watch", "--upstream", "http://a.test")
	if want := "--watch: there is no file to watch, want --config FILE as well"; err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
}
