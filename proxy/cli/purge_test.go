package cli

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"multiserver/cache/redis/redistest"
	"multiserver/sync/daemon"
)

// storable is an app whose answers may be stored, and how often it was asked.
func storable(t *testing.T) (url string, asked *atomic.Int64) {
	asked = new(atomic.Int64)
	app := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		if r.Method == "PURGE" {
			t.Error("an upstream was asked to PURGE")
		}
		w.Header().Set("Cache-Control", "max-age=1000")
		w.Header().Set("Surrogate-Key", "all "+strings.Trim(r.URL.Path, "/"))
		io.WriteString(w, r.URL.Path)
	}))
	t.Cleanup(app.Close)
	return app.URL, asked
}

// startCached serves it with a cache and an admin.
func startCached(t *testing.T, args ...string) (s *service, asked *atomic.Int64) {
	app, asked := storable(t)
	return start(t, append([]string{"--listen", "127.0.0.1:0", "--upstream", app, "--cache", "64MiB", "--admin", "127.0.0.1:0"}, args...)...), asked
}

func TestPurgeDropsWhatItIsTold(t *testing.T) {
	t.Parallel()
	s, asked := startCached(t)
	at, admin := "http://"+s.addr(), s.adminAddr()
	f := func(args, told, gone, kept string) {
		t.Helper()
		get(t, at+gone)
		get(t, at+kept)
		got := run(t, nil, append([]string{"purge", "--admin", admin}, strings.Fields(strings.ReplaceAll(args, "AT", at))...)...)
		if want := strings.ReplaceAll(told, "AT", s.addr()); got.code != exitClean || got.stdout != want+"\n" || got.stderr != "" {
			t.Errorf("purge %s: exit code %d, stdout %q, stderr %q, want %q", args, got.code, got.stdout, got.stderr, want)
		}
		before := asked.Load()
		if get(t, at+kept); asked.Load() != before {
			t.Errorf("purge %s: %s is gone as well", args, kept)
		}
		if get(t, at+gone); asked.Load() != before+1 {
			t.Errorf("purge %s: %s is still there", args, gone)
		}
	}
	f("AT/a", "purged url AT/a; nodes: this", "/a", "/ab")
	f("AT/a AT/b", "purged url AT/a; nodes: this\npurged url AT/b; nodes: this", "/b", "/ab")
	f("AT/a --soft", "purged softly url AT/a; nodes: this", "/a", "/ab")
	f("AT/a/*", "purged prefix AT/a/; nodes: this", "/a/b", "/a")
	f("--prefix AT/a/", "purged prefix AT/a/; nodes: this", "/a/b", "/a")
	f("--tag x --tag b", "purged tag x b; nodes: this", "/b", "/a")

	got := run(t, []string{"MULTISERVER_ADMIN=" + admin}, "purge", "--all")
	if got.code != exitClean || got.stdout != "purged all; nodes: this\n" {
		t.Errorf("%+v", got)
	}
}

func TestPURGEByHTTP(t *testing.T) {
	t.Parallel()
	s, asked := startCached(t)
	url := "http://" + s.addr() + "/a"
	get(t, url)
	req, err := http.NewRequest("PURGE", url, nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if body, _ := io.ReadAll(res.Body); res.StatusCode != 200 || string(body) != "purged url "+s.addr()+"/a; nodes: this\n" {
		t.Errorf("%d %q", res.StatusCode, body)
	}
	if get(t, url); asked.Load() != 2 {
		t.Errorf("asked %d times, want 2", asked.Load())
	}
	s.logs(regexp.MustCompile(`level=INFO msg=purge client=127\.0\.0\.1 what=url`))
}

func TestMistakesOfPurge(t *testing.T) {
	t.Parallel()
	f := func(args, want string) {
		t.Helper()
		got := run(t, nil, strings.Fields(args)...)
		if got.code != exitUsage || got.stdout != "" || got.stderr != want+"\n" {
			t.Errorf("multiserver %s: exit code %d, stdout %q, stderr\n%s\nwant\n%s", args, got.code, got.stdout, got.stderr, want)
		}
	}
	f("purge", `purge: nothing to purge, want a URL, --prefix, --tag or --all (see multiserver help purge)`)
	f("purge --soft", `purge: nothing to purge, want a URL, --prefix, --tag or --all (see multiserver help purge)`)
	f("purge http://a/ --all", `--all: purges everything, want it without URLs, --prefix and --tag`)
	f("purge http://a/", `--admin: none given, want where the running server's admin listens, such as --admin 127.0.0.1:9090`)
	f("purge --tagg a", `--tagg: unknown flag (see multiserver help purge)`)
	f("purge http://a/ --tag", `--tag: missing value (see multiserver help purge)`)
	f("purge --admin 9090 --all", `--admin "9090": missing colon, want :9090`)

	s, _ := startCached(t)
	f("purge --admin "+s.adminAddr()+" example.org/a", `purge: url "example.org/a": missing scheme, want http://example.org/a`)
	f("--admin "+s.adminAddr()+" purge --prefix http://", `purge: prefix "http://": missing host, want one such as http://example.org/`)
}

func TestPurgeSaysWhyItCannotAsk(t *testing.T) {
	t.Parallel()
	f := func(want string, args ...string) {
		t.Helper()
		got := run(t, nil, append([]string{"purge"}, args...)...)
		if got.code != exitFailure || got.stdout != "" || !regexp.MustCompile("^multiserver: purge: "+want+"\n$").MatchString(got.stderr) {
			t.Errorf("%v: exit code %d, stdout %q, stderr %q, want %q", args, got.code, got.stdout, got.stderr, want)
		}
	}
	free := daemon.Addr(t)
	f(`no answer from `+free+`: dial tcp \S+ connect: connection refused; want --admin of a server that runs`, "--admin", free, "--all")

	app, _ := storable(t)
	f(`\S+ answers 200 OK, which is no multiserver's admin: want --admin of one`, "--admin", strings.TrimPrefix(app, "http://"), "--all")

	none := start(t, "--listen", "127.0.0.1:0", "--upstream", app, "--admin", "127.0.0.1:0")
	f(`there is no cache: the server was started without --cache SIZE`, "--admin", none.adminAddr(), "--all")

	s, _ := startCached(t, "--admin-token", "s3cret")
	f(`\S+ asks for a token, want --admin-token or MULTISERVER_ADMIN_TOKEN`, "--admin", s.adminAddr(), "--all")
	f(`\S+ has another admin token`, "--admin", s.adminAddr(), "--admin-token", "wrong", "--all")
	if got := run(t, []string{"MULTISERVER_ADMIN_TOKEN=s3cret"}, "purge", "--admin", s.adminAddr(), "--all"); got.code != exitClean {
		t.Errorf("%+v", got)
	}
}

func TestHelpOnPurge(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{{"help", "purge"}, {"purge", "--help"}, {"purge", "-h"}, {"purge", "http://a/", "--help"}} {
		if got := run(t, nil, args...); got.code != exitClean || got.stdout != purgeHelp {
			t.Errorf("%v: exit code %d\n%s%s", args, got.code, got.stdout, got.stderr)
		}
	}
}

func TestACacheFileKeepsHitsOverARestart(t *testing.T) {
	t.Parallel()
	app, asked := storable(t)
	file := filepath.Join(t.TempDir(), "cache")
	listen := "127.0.0.1:0"
	begin := func() *service {
		s := start(t, "--listen", listen, "--upstream", app, "--cache", "64MiB", "--cache-file", file)
		listen = s.addr() // the same, for it is in the keys
		return s
	}
	end := func(s *service, sig syscall.Signal) {
		t.Helper()
		s.signal(sig)
		if s.code(); sig == syscall.SIGTERM {
			s.logs(regexp.MustCompile(`msg="cache saved"`))
		}
	}
	f := func(s *service, path string, want int64) {
		t.Helper()
		before := asked.Load()
		if body := get(t, "http://"+s.addr()+path); body != path {
			t.Errorf("%s: %q", path, body)
		}
		if got := asked.Load() - before; got != want {
			t.Errorf("%s: the upstream was asked %d times, want %d", path, got, want)
		}
	}
	s := begin()
	f(s, "/a", 1)
	f(s, "/b", 1)
	end(s, syscall.SIGTERM)

	s = begin()
	s.logs(regexp.MustCompile(`msg="cache loaded"`))
	f(s, "/a", 0)
	if res, err := purgeOf("http://" + s.addr() + "/b"); err != nil || res != 200 {
		t.Fatal(res, err)
	}
	end(s, syscall.SIGTERM)

	s = begin()
	f(s, "/a", 0)
	f(s, "/b", 1) // purged stays purged
	end(s, syscall.SIGKILL)

	s = begin()
	s.logs(regexp.MustCompile(`level=WARN msg="the cache that was kept is not used`))
	f(s, "/a", 1)
	end(s, syscall.SIGTERM)
}

func purgeOf(url string) (status int, err error) {
	req, err := http.NewRequest("PURGE", url, nil)
	if err != nil {
		return 0, err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, err
	}
	res.Body.Close()
	return res.StatusCode, nil
}

// One that shares a Redis does what another was told.
func TestAPurgeReachesAllNodes(t *testing.T) {
	t.Parallel()
	server := redistest.Single(t)
	a, asked := startCached(t, "--redis", server.URL())
	b, _ := startCached(t, "--redis", server.URL())
	up := regexp.MustCompile(`msg="redis up"`)
	a.logs(up)
	b.logs(up)
	tagged := fmt.Sprintf("http://%s/t", a.addr())
	get(t, tagged)
	got := run(t, nil, "purge", "--admin", b.adminAddr(), "--tag", "t")
	if got.code != exitClean || got.stdout != "purged tag t; nodes: all\n" {
		t.Fatalf("%+v", got)
	}
	for end := 0; asked.Load() == 1; end++ {
		if get(t, tagged); end > 10_000 {
			t.Fatal("never fetched again")
		}
	}
}
