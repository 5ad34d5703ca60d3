package cli

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"multiserver/sync/daemon"
)

// member is an app that says who it is. To /slow it answers once it is told
// to, and /healthz and /work fail while it is sick.
type member struct {
	*httptest.Server
	name  string
	begun chan struct{} // a value for each /slow that has come
	end   chan struct{} // a value for each that may end
	sick  atomic.Bool

	mu    sync.Mutex
	paths []string // guarded by mu; in the order they came
}

func newMember(t *testing.T, name string) *member {
	t.Helper()
	m := &member{name: name, begun: make(chan struct{}, 100), end: make(chan struct{}, 100)}
	m.start(t, daemon.Addr(t))
	t.Cleanup(func() {
		m.CloseClientConnections() // so that Close need not wait for /slow
		m.Close()
	})
	return m
}

func (m *member) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	m.mu.Lock()
	m.paths = append(m.paths, r.URL.Path)
	m.mu.Unlock()
	switch r.URL.Path {
	case "/slow":
		m.begun <- struct{}{}
		select {
		case <-m.end:
		case <-r.Context().Done():
		}
	case "/healthz", "/work":
		if m.sick.Load() {
			w.WriteHeader(http.StatusInternalServerError)
		}
	}
	io.WriteString(w, m.name)
}

func (m *member) seen() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return strings.Join(m.paths, " ")
}

// kill ends it and every connection to it; revive brings it back where it was.
func (m *member) kill() {
	m.CloseClientConnections()
	m.Close()
}

func (m *member) revive(t *testing.T) {
	t.Helper()
	m.start(t, m.Listener.Addr().String())
}

func (m *member) start(t *testing.T, addr string) {
	t.Helper()
	ln, err := net.Listen("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	m.Server = &httptest.Server{Listener: ln, Config: &http.Server{Handler: m}}
	m.Start()
}

// front starts the proxy with an admin listener.
func front(t *testing.T, args string) (s *service, url string) {
	t.Helper()
	s = start(t, append(strings.Fields(args), "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0")...)
	return s, "http://" + s.addr()
}

// reply is all that a test may want of an answer.
type reply struct {
	status int
	body   string
	header http.Header
	after  time.Duration
}

// ask sends a GET with header fields "Name: value", on a connection of its own.
func ask(t *testing.T, url string, fields ...string) reply {
	t.Helper()
	r, err := try(url, fields...)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func try(url string, fields ...string) (reply, error) {
	req, err := http.NewRequest("GET", url, nil)
	if err != nil {
		return reply{}, err
	}
	for _, f := range fields {
		name, v, _ := strings.Cut(f, ": ")
		req.Header.Set(name, v)
	}
	req.Close = true
	begin := time.Now()
	res, err := (&http.Client{Timeout: patience}).Do(req)
	if err != nil {
		return reply{}, err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	return reply{res.StatusCode, string(body), res.Header, time.Since(begin)}, err
}

// begin sends a GET and does not wait: its answer, or how it failed, comes
// later.
func begin(url string) <-chan string {
	answer := make(chan string, 1)
	go func() {
		r, err := try(url)
		if err != nil {
			answer <- err.Error()
			return
		}
		answer <- fmt.Sprintf("%d %s", r.status, r.body)
	}()
	return answer
}

// metric waits until a line of /metrics is there.
func (s *service) metric(line string) {
	s.t.Helper()
	url, page := "http://"+s.adminAddr()+"/metrics", ""
	until(s.t, func() bool {
		page = get(s.t, url)
		return strings.Contains(page, "\n"+line+"\n")
	}, func() string { return "no line " + line + " in\n" + page })
}

var loaded = regexp.MustCompile(`multiserver_upstream_load{.*} [1-9]`)

// quiet waits until no exchange is under way. One still is for a moment after
// its client has the answer, and hash bounds how many an upstream may have.
func (s *service) quiet() {
	s.t.Helper()
	url := "http://" + s.adminAddr() + "/metrics"
	until(s.t, func() bool { return !loaded.MatchString(get(s.t, url)) }, func() string { return "it does not become quiet" })
}

// until waits for what must become true.
func until(t *testing.T, ok func() bool, otherwise func() string) {
	t.Helper()
	for end := time.Now().Add(patience); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal(otherwise())
		}
	}
}

// only waits until it is want that answers, and then asks a few times more.
func only(t *testing.T, url, want string) {
	t.Helper()
	last, run := "", 0
	until(t, func() bool {
		r := ask(t, url)
		last = fmt.Sprintf("%d %s", r.status, r.body)
		if run++; last != "200 "+want {
			run = 0
		}
		return run == 8
	}, func() string { return "last was " + last + ", want nothing but " + want })
}
