package server

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
)

// newFresh is an app that says its name and never the same twice; what it says
// may be kept, if only the path is not /silent.
func newFresh(t *testing.T, name string) *httptest.Server {
	var n atomic.Int64
	a := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/silent" {
			w.Header().Set("Cache-Control", "max-age=60")
		}
		fmt.Fprint(w, name, n.Add(1))
	}))
	t.Cleanup(a.Close)
	return a
}

func (r *running) send(t *testing.T, method, target string, lines ...string) string {
	t.Helper()
	c := r.dial(t)
	defer c.nc.Close()
	io.WriteString(c.nc, method+" "+target+" HTTP/1.1\r\nHost: a.test\r\nContent-Length: 0\r\n"+strings.Join(append(lines, "", ""), "\r\n"))
	got, _ := c.answer()
	return strings.TrimPrefix(got, "200 ")
}

func TestNoRouteServesWhatIsKeptOfAnother(t *testing.T) {
	s := startFile(t, `
cache: 64MiB
cache-drop-query: utm_*
purge-from: 127.0.0.1
pools:
  web: {upstream: `+newFresh(t, "web").URL+`}
  new: {upstream: `+newFresh(t, "new").URL+`}
routes:
  - match: {header: {X-Beta: "1"}}
    pool: new
  - match: {path: /split}
    split: {web: 1, new: 1}
    split-cookie: at
  - match: {path: /post, method: POST}
    pool: new
    cache: off
  - match: {path: /plain/*}
    pool: web
    cache-drop-query: none
    cache-ttl: 1m
  - pool: web
`)
	f := func(want, target string, lines ...string) {
		t.Helper()
		for range 2 {
			if got := s.send(t, "GET", target, lines...); got != want {
				t.Errorf("%s %q: %q, want %q", target, lines, got, want)
			}
		}
	}
	f("web1", "/x?utm_a=b")
	f("web1", "/x")
	f("new1", "/x", "X-Beta: 1")
	f("web1", "/x")
	f("web2", "/split", "Cookie: at=web")
	f("new2", "/split", "Cookie: at=new")
	f("web2", "/split", "Cookie: at=web")

	if got := s.send(t, "PURGE", "/x?utm_a=c"); strings.Contains(got, "40") {
		t.Errorf("PURGE: %s", got)
	}
	f("web3", "/x")
	f("new3", "/x", "X-Beta: 1")

	f("web4", "/post")
	s.send(t, "POST", "/post") // new4, which is where no answers are kept
	f("web5", "/post")
}

func TestCacheSettingsOfRoutes(t *testing.T) {
	s := startFile(t, `
cache: 64MiB
upstream: `+newFresh(t, "").URL+`
routes:
  - match: {host: long.test}
    cache-ttl: 1m
  - match: {host: none.test}
    cache: off
  - match: {host: part.test}
    cache-path: /kept/*
  - {}
`)
	n := 0
	f := func(kept bool, host, path string) {
		t.Helper()
		n++
		first := s.send(t, "GET", "http://"+host+path)
		again := s.send(t, "GET", "http://"+host+path)
		if kept != (first == again) {
			t.Errorf("%s%s: %s, then %s", host, path, first, again)
		}
	}
	f(true, "long.test", "/silent")
	f(true, "long.test", "/x")
	f(false, "other.test", "/silent")
	f(true, "other.test", "/x")
	f(false, "none.test", "/x")
	f(true, "part.test", "/kept/x")
	f(false, "part.test", "/x")
}

func TestCacheSettingsOfRoutesAreReloaded(t *testing.T) {
	app := newFresh(t, "").URL
	text := "cache: 64MiB\nupstream: " + app + "\nroutes: [{cache-ttl: %s}]\n"
	s := startReloadable(t, fmt.Sprintf(text, "0s"))
	s.says("/silent", "200 1")
	s.says("/silent", "200 2")
	s.change(fmt.Sprintf(text, "1m"))
	s.says("/silent", "200 3")
	s.says("/silent", "200 3")
	s.change(fmt.Sprintf(text, "2m"))
	s.says("/silent", "200 3") // what is kept is kept
}
