package proxy_test

import (
	"bufio"
	"io"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"multiserver/proxy"
	"multiserver/sync/session"
)

// What an answer sets is there as soon as the client has its head, however long
// the body takes.
func TestASessionIsThereBeforeTheAnswerEnds(t *testing.T) {
	end := make(chan struct{})
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/stream" {
			w.Header().Set("X-Session-Set", `{"user":42}`)
			io.WriteString(w, "begun")
			w.(http.Flusher).Flush()
			select {
			case <-end:
			case <-time.After(patience):
			}
			return
		}
		io.WriteString(w, r.Header.Get("X-Session-Data"))
	}))
	t.Cleanup(s.Close)
	addr, _ := startProxyWith(t, withSessions(t), s.Listener.Addr().String())
	nc := dial(t, addr)
	nc.SetDeadline(time.Now().Add(patience))
	io.WriteString(nc, request("/stream"))
	res, err := http.ReadResponse(bufio.NewReader(nc), nil)
	if err != nil {
		t.Fatal(err)
	}
	j := &jar{t: t, addr: addr}
	j.keep(res)
	if _, body := j.ask(); body != `{"user":42}` {
		t.Errorf("meanwhile it is %s", body)
	}
	close(end)
	if body, err := io.ReadAll(res.Body); err != nil || string(body) != "begun" {
		t.Errorf("%q, %v", body, err)
	}
}

// Who waited for the answer to a request that turned out to be of a session asks
// for himself, and gets nothing of it.
func TestWhoWaitsForAnAnswerOfASessionAsksHimself(t *testing.T) {
	asked, answer := make(chan struct{}, 10), make(chan struct{})
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "max-age=60")
		w.Header().Set("Vary", "X-Nothing")
		if r.URL.Path == "/login" {
			w.Header().Set("X-Session-Set", `{"user":"ann"}`)
			return
		}
		asked <- struct{}{}
		if r.Header.Get("X-Session-Data") != "" {
			select {
			case <-answer:
			case <-time.After(patience):
			}
		}
		io.WriteString(w, "for "+r.Header.Get("X-Session-Data"))
	}))
	t.Cleanup(s.Close)
	_, with := withCache(t)
	sessions := withSessions(t)
	addr, p := startProxyWith(t, func(o *proxy.Options) { with(o); sessions(o); o.Timed = true }, s.Listener.Addr().String())
	ann := &jar{t: t, addr: addr}
	_, _ = fetchInto(ann, "/login")
	got := make(chan string, 3)
	go func() { _, body := fetchInto(ann, "/page"); got <- body }()
	<-asked
	for range 2 {
		go func() { _, body := fetchInto(&jar{t: t, addr: addr}, "/page"); got <- body }()
	}
	await(t, "all three under way", func() bool { return p.Stats.UnderWay() == 3 })
	close(answer)
	saw := map[string]int{}
	for range 3 {
		saw[<-got]++
	}
	if saw[`for {"user":"ann"}`] != 1 || saw["for "] != 2 {
		t.Errorf("%v", saw)
	}
}

func fetchInto(j *jar, target string) (*http.Response, string) {
	var lines []string
	if j.cookie != "" {
		lines = []string{"Cookie: " + j.cookie}
	}
	res, body := fetch(j.t, j.addr, request(target, lines...))
	j.keep(res)
	return res, body
}

// Of two answers to one request, the first of which is of no use to the cache,
// one alone begins a session.
func TestARequestThatIsAskedTwiceBeginsOneSession(t *testing.T) {
	var tries atomic.Int32
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "public, max-age=0")
		if tries.Add(1) > 1 {
			w.Header().Set("X-Session-Set", `{"user":42}`)
		}
		if r.Header.Get("If-None-Match") != "" {
			w.Header().Set("ETag", `"another"`)
			w.WriteHeader(304)
			return
		}
		w.Header().Set("ETag", `"one"`)
		io.WriteString(w, "ok")
	}))
	t.Cleanup(s.Close)
	var all *session.Sessions
	_, with := withCache(t)
	sessions := withSessions(t)
	addr, _ := startProxyWith(t, func(o *proxy.Options) { with(o); sessions(o); all = o.Sessions }, s.Listener.Addr().String())
	fetch(t, addr, request("/"))
	res, body := fetch(t, addr, request("/"))
	if n := all.Stats.Begun.Load(); n != 1 || len(res.Header["Set-Cookie"]) != 1 || body != "ok" || tries.Load() != 3 {
		t.Errorf("%d begun, after %d tries: %d %s, told %q", n, tries.Load(), res.StatusCode, body, res.Header["Set-Cookie"])
	}
}
