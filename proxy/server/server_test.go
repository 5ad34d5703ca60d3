package server

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"multiserver/proxy/config"
)

// patience is how long anything that must happen may take.
const patience = 20 * time.Second

// app is an upstream. To /slow it answers when it is told to.
type app struct {
	*httptest.Server
	begun, finish chan struct{}
}

func newApp(t *testing.T) *app {
	a := &app{begun: make(chan struct{}, 100), finish: make(chan struct{})}
	a.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/slow" {
			a.begun <- struct{}{}
			select {
			case <-a.finish:
			case <-r.Context().Done():
			}
		}
		io.WriteString(w, "hello")
	}))
	t.Cleanup(a.Close)
	return a
}

// running is a Server between Run and its return.
type running struct {
	*Server
	stop func()
	done chan struct{}
	err  error // when done
}

// start runs a Server with settings like "--timeout 5s", on a free port
// unless they say where.
func start(t *testing.T, settings ...string) *running {
	t.Helper()
	return startLogging(t, quiet(), settings...)
}

func startLogging(t *testing.T, log *slog.Logger, settings ...string) *running {
	t.Helper()
	s, err := New(t.Context(), parse(t, settings...), log)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	r := &running{Server: s, stop: cancel, done: make(chan struct{})}
	go func() {
		defer close(r.done)
		r.err = s.Run(ctx)
	}()
	t.Cleanup(func() {
		cancel()
		r.wait(t)
	})
	return r
}

func quiet() *slog.Logger { return slog.New(slog.NewTextHandler(io.Discard, nil)) }

func parse(t *testing.T, settings ...string) *config.Config {
	t.Helper()
	raw := config.Raw{}
	for _, s := range append(settings, "--drain-timeout 5s") {
		flag, word, _ := strings.Cut(s, " ")
		if name := strings.TrimPrefix(flag, "--"); len(raw[name].Words) == 0 || name == "listen" {
			raw.Add(name, flag, word)
		}
	}
	if len(raw["listen"].Words) == 0 {
		raw.Add("listen", "--listen", "127.0.0.1:0")
	}
	c, err := config.Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func (r *running) wait(t *testing.T) {
	t.Helper()
	select {
	case <-r.done:
	case <-time.After(patience):
		t.Fatal("Run does not return")
	}
}

// client is a connection that is kept.
type client struct {
	t  *testing.T
	nc net.Conn
	in *bufio.Reader
}

func (r *running) dial(t *testing.T) *client {
	t.Helper()
	return connect(t, r.Addrs()[0])
}

func connect(t *testing.T, addr net.Addr) *client {
	t.Helper()
	nc, err := net.Dial(addr.Network(), addr.String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { nc.Close() })
	nc.SetReadDeadline(time.Now().Add(patience))
	return &client{t, nc, bufio.NewReader(nc)}
}

func (c *client) ask(path string) { fmt.Fprintf(c.nc, "GET %s HTTP/1.1\r\nHost: a\r\n\r\n", path) }

// answer gives status and body, or how it failed; last tells whether the
// connection is to end.
func (c *client) answer() (what string, last bool) {
	res, err := http.ReadResponse(c.in, nil)
	if err != nil {
		return err.Error(), true
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		return err.Error(), true
	}
	return fmt.Sprintf("%d %s", res.StatusCode, body), res.Close
}

func (c *client) want(path, want string) {
	c.t.Helper()
	c.ask(path)
	if got, _ := c.answer(); got != want {
		c.t.Errorf("%s: %q, want %q", path, got, want)
	}
}

// ended waits for the connection's end.
func (c *client) ended() {
	c.t.Helper()
	if rest, err := io.ReadAll(c.in); err != nil || len(rest) > 0 {
		c.t.Errorf("%q, %v before the end", rest, err)
	}
}

func await(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("in vain: %s", what)
		}
	}
}

func TestServesOnEveryListener(t *testing.T) {
	a := newApp(t)
	path := t.TempDir() + "/s"
	s := start(t, "--upstream "+a.URL, "--listen 127.0.0.1:0", "--listen unix:"+path, "--access-log "+t.TempDir()+"/log")
	if n := len(s.Addrs()); n != 2 {
		t.Fatalf("%d addresses", n)
	}
	for _, addr := range s.Addrs() {
		c := connect(t, addr)
		for range 3 {
			c.want("/", "200 hello")
		}
	}
	s.stop()
	s.wait(t)
	if s.err != nil {
		t.Error(s.err)
	}
	if _, err := os.Stat(path); !os.IsNotExist(err) {
		t.Errorf("the socket is left behind: %v", err)
	}
}

func TestDrainLetsExchangesEndAndIdleClientsGo(t *testing.T) {
	a := newApp(t)
	s := start(t, "--upstream "+a.URL)
	silent, idle, busy := s.dial(t), s.dial(t), s.dial(t)
	idle.want("/", "200 hello")
	busy.ask("/slow")
	<-a.begun
	s.stop()
	idle.ended()
	silent.ended()
	if nc, err := net.Dial("tcp", s.Addrs()[0].String()); err == nil {
		nc.Close()
		t.Error("a new connection was taken")
	}
	select {
	case <-s.done:
		t.Error("Run has returned with an exchange under way")
	default:
	}
	close(a.finish)
	if got, last := busy.answer(); got != "200 hello" || !last {
		t.Errorf("%q, last %v", got, last)
	}
	busy.ended()
	s.wait(t)
	if s.err != nil {
		t.Error(s.err)
	}
}

func TestDrainCutsOffWhatTakesTooLong(t *testing.T) {
	a := newApp(t)
	s := start(t, "--upstream "+a.URL, "--drain-timeout 100ms")
	busy := s.dial(t)
	busy.ask("/slow")
	<-a.begun
	s.stop()
	s.wait(t)
	if got, last := busy.answer(); strings.HasPrefix(got, "200") || !last {
		t.Errorf("%q, last %v", got, last)
	}
}

func TestConnectionsOverTheLimitAreRefusedAtOnce(t *testing.T) {
	a := newApp(t)
	s := start(t, "--upstream "+a.URL, "--max-connections 3")
	var in []*client
	for range 3 {
		c := s.dial(t)
		c.want("/", "200 hello")
		in = append(in, c)
	}
	for range 3 {
		if got, last := s.dial(t).answer(); !strings.HasPrefix(got, "503 ") || !last { // and nothing was asked
			t.Errorf("%q, last %v", got, last)
		}
	}
	for _, c := range in {
		c.want("/", "200 hello") // nobody suffers
	}
	in[0].nc.Close()
	await(t, "a place", func() bool {
		c := s.dial(t)
		c.ask("/")
		got, _ := c.answer()
		c.nc.Close()
		return got == "200 hello"
	})
}

func TestLoadWhileItStops(t *testing.T) {
	a := newApp(t)
	s := start(t, "--upstream "+a.URL)
	var load sync.WaitGroup
	served := make(chan struct{}, 1)
	for range 8 {
		load.Go(func() {
			for {
				nc, err := net.Dial("tcp", s.Addrs()[0].String())
				if err != nil {
					return // the listener is closed
				}
				c := &client{t, nc, bufio.NewReader(nc)}
				nc.SetReadDeadline(time.Now().Add(patience))
				for last := false; !last; {
					var got string
					c.ask("/")
					got, last = c.answer()
					if got != "200 hello" && !strings.Contains(got, "EOF") && !strings.Contains(got, "reset") {
						t.Error(got)
					}
					select {
					case served <- struct{}{}:
					default:
					}
				}
				nc.Close()
			}
		})
	}
	for range 500 {
		<-served
	}
	s.stop()
	s.wait(t)
	load.Wait()
}

func TestWhatCannotStartSaysWhy(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	f := func(want string, settings ...string) {
		t.Helper()
		s, err := New(t.Context(), parse(t, settings...), quiet())
		if err == nil {
			s.abandon()
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: %v, want %q", settings, err, want)
		}
	}
	f("--listen "+taken.Addr().String(), "--upstream http://127.0.0.1:1", "--listen "+taken.Addr().String())
	f("--admin", "--upstream http://127.0.0.1:1", "--admin "+taken.Addr().String())
	f("cannot resolve", "--upstream http://nobody.invalid:80")
}

func TestSocketOfADeadProcessIsReplaced(t *testing.T) {
	a := newApp(t)
	path := t.TempDir() + "/s"
	dead, err := net.ListenUnix("unix", &net.UnixAddr{Name: path})
	if err != nil {
		t.Fatal(err)
	}
	dead.SetUnlinkOnClose(false)
	dead.Close()
	connect(t, start(t, "--upstream "+a.URL, "--listen unix:"+path).Addrs()[0]).want("/", "200 hello")
	if _, err := New(t.Context(), parse(t, "--upstream "+a.URL, "--listen unix:"+path), quiet()); err == nil {
		t.Error("the socket of a living one was taken")
	}
}
