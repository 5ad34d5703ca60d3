package server

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"

	"multiserver/proxy/config"
)

// reloadable is a Server with a file that can be written anew.
type reloadable struct {
	*running
	t    *testing.T
	file string
	apps map[string]string // by the names that $NAME in the file stands for
}

func startReloadable(t *testing.T, text string, settings ...string) *reloadable {
	t.Helper()
	r := &reloadable{t: t, file: filepath.Join(t.TempDir(), "multiserver.yaml"), apps: map[string]string{}}
	r.write(text)
	read := func() (*config.Config, error) {
		raw := config.Raw{}
		own := []string{"--drain-timeout 5s", "--config " + r.file}
		if !strings.HasPrefix(text, "listen:") {
			own = append(own, "--listen 127.0.0.1:0")
		}
		for _, s := range append(own, settings...) {
			flag, word, _ := strings.Cut(s, " ")
			raw.Add(strings.TrimPrefix(flag, "--"), flag, word)
		}
		return config.Parse(raw, CheckFilter)
	}
	c, err := read()
	if err != nil {
		t.Fatal(err)
	}
	s, err := New(t.Context(), c, quiet())
	if err != nil {
		t.Fatal(err)
	}
	s.Reread = read
	ctx, cancel := context.WithCancel(context.Background())
	r.running = &running{Server: s, stop: cancel, done: make(chan struct{})}
	go func() {
		defer close(r.done)
		r.err = s.Run(ctx)
	}()
	t.Cleanup(func() {
		cancel()
		r.wait(t)
	})
	await(t, "it to be ready", s.ready.Load)
	return r
}

// write replaces the file as editors do.
func (r *reloadable) write(text string) {
	r.t.Helper()
	text = os.Expand(text, func(name string) string {
		if r.apps[name] == "" {
			r.apps[name] = newNamed(r.t, name).URL
		}
		return r.apps[name]
	})
	if err := os.WriteFile(r.file+"~", []byte(text), 0o600); err != nil {
		r.t.Fatal(err)
	}
	if err := os.Rename(r.file+"~", r.file); err != nil {
		r.t.Fatal(err)
	}
}

// change writes and reloads.
func (r *reloadable) change(text string) Reloaded {
	r.t.Helper()
	r.write(text)
	done, err := r.Reload()
	if err != nil {
		r.t.Fatal(err)
	}
	return done
}

func (r *reloadable) says(path, want string) {
	r.t.Helper()
	c := r.dial(r.t)
	defer c.nc.Close()
	c.want(path, want)
}

func (r *reloadable) wantMetric(line string) {
	r.t.Helper()
	if page := scrape(r.running); !strings.Contains(page, "\n"+line+"\n") {
		r.t.Errorf("no %s in\n%s", line, page)
	}
}

func TestReloadsUnderLoadLoseNoRequest(t *testing.T) {
	const one = "pools: {a: {upstream: [$x, $y]}, b: {upstream: $y, queue: 5}}\n" +
		"routes: [{pool: a}, {match: {path: /b/*}, pool: b}]\n"
	const two = "pools: {a: {upstream: [$y, $z], balance: p2c, health-interval: 50ms}, c: {upstream: $z}}\n" +
		"routes: [{pool: a, max-body: 1MiB}, {match: {path: /b/*}, split: {a: 1, c: 1}, filters: [{request-headers: {set: {X: y}}}]}]\n"
	s := startReloadable(t, one)
	s.write(two)
	var work sync.WaitGroup
	var asked atomic.Int64
	over := make(chan struct{})
	for i := range 4 {
		work.Go(func() {
			c := s.dial(t)
			defer c.nc.Close()
			for n := 0; ; n++ {
				select {
				case <-over:
					return
				default:
				}
				c.nc.SetDeadline(time.Now().Add(patience))
				c.ask([]string{"/", "/b/c"}[(n+i)%2])
				if got, last := c.answer(); !strings.HasPrefix(got, "200 ") || last {
					t.Errorf("request %d: %q", n, got)
					return
				}
				asked.Add(1)
			}
		})
	}
	turn := func(n int) {
		for i := range n {
			before := asked.Load()
			s.change([]string{two, one}[i%2])
			await(t, "requests between reloads", func() bool { return asked.Load() > before || t.Failed() })
		}
	}
	turn(10)
	settled := func() int {
		await(t, "what is gone to end", func() bool {
			s.reloads.mu.Lock()
			defer s.reloads.mu.Unlock()
			for _, old := range s.reloads.past {
				if !old.Idle() {
					return false
				}
			}
			return true
		})
		return runtime.NumGoroutine()
	}
	before := settled()
	turn(30)
	await(t, fmt.Sprintf("goroutines to be as few as before, %d", before), func() bool { return settled() <= before+2 })
	close(over)
	work.Wait()
	s.reloads.mu.Lock()
	if n := len(s.reloads.past); n > 5 {
		t.Errorf("%d routes are remembered", n)
	}
	s.reloads.mu.Unlock()
	s.wantMetric(`multiserver_config_reloads_total{result="done"} 40`)
}

func TestATunnelOutlivesReloadsAndItsPool(t *testing.T) {
	closed := make(chan error, 1)
	s := startReloadable(t, "pools: {ws: {upstream: "+echoing(t, closed).URL+"}, web: {upstream: $web}}\n"+
		"routes: [{match: {path: /ws}, pool: ws}, {pool: web}]\n")
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	c, _, err := websocket.Dial(ctx, "ws://"+s.Addrs()[0].String()+"/ws", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer c.CloseNow()
	for range 3 {
		s.change("upstream: $web\n")
		s.says("/ws", "200 web /ws")
		if err := c.Write(ctx, websocket.MessageText, []byte("x")); err != nil {
			t.Fatal(err)
		}
		if _, b, err := c.Read(ctx); err != nil || string(b) != "x" {
			t.Fatalf("%q, %v", b, err)
		}
	}
}

func TestABrokenFileChangesNothing(t *testing.T) {
	s := startReloadable(t, "upstream: $good\n")
	s.wantMetric("multiserver_config_last_reload_successful 1")
	f := func(text string, want ...string) {
		t.Helper()
		s.write(text)
		groups, routes := s.groups(), s.reloads.routes
		_, err := s.Reload()
		if err == nil {
			t.Fatal("it is reloaded")
		}
		for _, w := range want {
			if !strings.Contains(err.Error(), w) {
				t.Errorf("%v\nwant %s", err, w)
			}
		}
		if now := s.groups(); &now[0] != &groups[0] || s.reloads.routes != routes {
			t.Error("something is another")
		}
		s.says("/", "200 good /")
		s.wantMetric("multiserver_config_last_reload_successful 0")
	}
	f("upstream: $other\ntimeout: 5x\nqueue: -1\n", s.file+":2: timeout", s.file+":3: queue")
	f("upstream: [", s.file+":")
	f("upstream: $other\nroutes: [{filters: [{strip-prefix: {prefix: x}}]}]\n", s.file+":2: routes[0].filters[0].strip-prefix")
	f("pools: {new: {upstream: $other}, bad: {upstream: http://nowhere.invalid}}\nroutes: [{pool: new}, {match: {path: /x}, pool: bad}]\n", "nowhere.invalid")
	f("pools: {new: {upstream: $other, spawn: 1, spawn-command: /no/such/program}}\n", "/no/such/program")
	f("upstream: $other\nsession: memory\n", "session memory: its store is opened at a start")
	os.Remove(s.file)
	if _, err := s.Reload(); err == nil || !strings.Contains(err.Error(), s.file) {
		t.Error(err)
	}
	s.change("upstream: $other\n")
	s.says("/", "200 other /")
	s.wantMetric("multiserver_config_last_reload_successful 1")
}

func TestWhatIsKnownOfUpstreamsIsKept(t *testing.T) {
	s := startReloadable(t, "pools: {a: {upstream: [$x, $y]}}\n")
	was := s.groups()[0].Upstreams()
	s.says("/", "200 x /")
	s.groups()[0].Drain(was[0].Name(), true)
	s.change("pools: {a: {upstream: [$y, $z, $x], balance: sticky, max-fails: 9}}\n")
	now := s.groups()[0].Upstreams()
	if now[0] != was[1] || now[2] != was[0] || len(now) != 3 {
		t.Error("they are others")
	}
	if !now[2].Drained() || now[2].Idle() != 1 {
		t.Error("what was known of one is not, or its connection lost")
	}
}

func TestARandomStickyKeyIsKept(t *testing.T) {
	s := startReloadable(t, "pools: {a: {upstream: [$x, $y], balance: sticky}}\n")
	ask := func(cookie string) (name, set string) {
		req, _ := http.NewRequest("GET", "http://"+s.Addrs()[0].String()+"/", nil)
		if cookie != "" {
			req.Header.Set("Cookie", cookie)
		}
		res, err := http.DefaultTransport.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		name, _ = bufio.NewReader(res.Body).ReadString(' ')
		set, _, _ = strings.Cut(res.Header.Get("Set-Cookie"), ";")
		return name, set
	}
	first, cookie := ask("")
	for range 3 {
		s.change("pools: {a: {upstream: [$x, $y], balance: sticky}}\n")
		for range 3 {
			if name, set := ask(cookie); name != first || set != "" {
				t.Fatalf("at %s, which sets %q, want %s", name, set, first)
			}
		}
	}
	http.DefaultTransport.(*http.Transport).CloseIdleConnections()
}

func TestAPoolThatIsGoneServesWhoIsThere(t *testing.T) {
	a := newApp(t)
	s := startReloadable(t, "pools: {old: {upstream: "+a.URL+"}}\n")
	old := s.groups()[0]
	c := s.dial(t)
	c.ask("/slow")
	<-a.begun
	s.change("pools: {new: {upstream: $new}}\n")
	s.says("/", "200 new /")
	s.change("pools: {new: {upstream: $new}}\n")
	if n := len(old.Upstreams()); n != 1 {
		t.Error("it is closed under an exchange")
	}
	close(a.finish)
	if got, _ := c.answer(); got != "200 hello" {
		t.Errorf("%q", got)
	}
	await(t, "the old pool to be closed", func() bool { return len(old.Upstreams()) == 0 })
}

func TestErrorPagesAreReadAgain(t *testing.T) {
	dir := t.TempDir()
	page := func(text string) {
		if err := os.WriteFile(dir+"/4xx.html", []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	page("old")
	text := "error-pages: " + dir + "\nupstream: $a\nroutes: [{match: {path: /a}}]\n"
	s := startReloadable(t, text)
	s.says("/", "404 old")
	page("new")
	s.change(text)
	s.says("/", "404 new")
	os.Remove(dir + "/4xx.html")
	if _, err := s.Reload(); err == nil {
		t.Error("no pages are none to speak of")
	}
	s.says("/", "404 new")
}

func TestWhatNeedsAStartIsNamed(t *testing.T) {
	s := startReloadable(t, "upstream: $a\nmax-concurrent: 5\n")
	f := func(text string, want ...string) {
		t.Helper()
		if got := s.change(text).Later; strings.Join(got, " ") != strings.Join(want, " ") {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
	f("upstream: $a\nmax-concurrent: 7\nqueue: 3\ntimeout: 1s\n")
	if n := s.gate.In(); n != 0 {
		t.Error(n)
	}
	f("upstream: $a\nmax-concurrent: 5\nvia: true\nmax-head: 8KiB\ncache: 64MiB\n", "max-head", "via", "cache")
	f("upstream: $a\n", "max-concurrent")
}

func TestAWatchedFileIsReadWhenItHasChanged(t *testing.T) {
	s := startReloadable(t, "upstream: $a\nwatch: true\n")
	s.says("/", "200 a /")
	s.write("upstream: $b\nwatch: true\n")
	await(t, "the new file", func() bool { return s.reloads.good.Load() == 1 })
	s.says("/", "200 b /")
	s.write("upstream: [\n")
	await(t, "the broken one", func() bool { return s.reloads.bad.Load() == 1 })
	s.says("/", "200 b /")
	s.write("upstream: $a\n")
	await(t, "the one that was put right", func() bool { return s.reloads.good.Load() == 2 })
	s.says("/", "200 a /")
}

func TestNoReloadBehindTheEnd(t *testing.T) {
	s := startReloadable(t, "upstream: $a\n")
	s.stop()
	s.wait(t)
	if _, err := s.Reload(); err != errNotServing {
		t.Error(err)
	}
}

func TestUpstreamTLSIsKeptUnlessItSaysSomethingElse(t *testing.T) {
	up := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "safe") }))
	t.Cleanup(up.Close)
	s := startReloadable(t, "upstream: "+up.URL+"\nupstream-insecure: true\n")
	was := s.groups()[0].Upstreams()[0]
	s.says("/", "200 safe")
	s.change("upstream: " + up.URL + "\nupstream-insecure: true\nqueue: 7\n")
	if s.groups()[0].Upstreams()[0] != was {
		t.Error("another although TLS is the same")
	}
	s.change("upstream: " + up.URL + "\n")
	s.says("/", "502 502 Bad Gateway: tls-untrusted\n")
	s.change("upstream: " + up.URL + "\nupstream-insecure: true\n")
	s.says("/", "200 safe")
}

func TestAReloadIsNoWayOutOfALimit(t *testing.T) {
	const text = "upstream: $a\nroutes: [{filters: [{rate-limit: {rate: 2/h, by: %s}}]}]\n"
	s := startReloadable(t, fmt.Sprintf(text, "client"))
	s.says("/", "200 a /")
	s.change(fmt.Sprintf(text, "client"))
	s.says("/", "200 a /")
	s.change(fmt.Sprintf(text, "client"))
	s.says("/", "429 429 Too Many Requests: too many requests\n")
	s.change(fmt.Sprintf(text, "route"))
	s.says("/", "200 a /")
}
