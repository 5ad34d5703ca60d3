package server

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
)

// startFile runs a Server with a configuration file, in which $NAME stands for
// an app that says that name.
func startFile(t *testing.T, text string, settings ...string) *running {
	t.Helper()
	text = os.Expand(text, func(name string) string { return newNamed(t, name).URL })
	file := t.TempDir() + "/multiserver.yaml"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return start(t, append(settings, "--config "+file)...)
}

func TestRequestsGoByTheRoutesOfAFile(t *testing.T) {
	s := startFile(t, `
pools:
  api: {upstream: $api}
  web: {upstream: $web}
  new: {upstream: $new}
routes:
  - match: {host: api.test}
    pool: api
    max-body: 4
  - match: {path: /v1/*}
    pool: api
    filters:
      - strip-prefix: {prefix: /v1}
      - response-headers: {set: {X-Route: v1}}
  - match: {path: /beta/*, header: {X-Beta: "1"}}
    pool: new
  - match: {path: /closed}
    pool: web
    filters:
      - access: {deny: [127.0.0.0/8]}
  - match: {path: /split}
    split: {web: 0, new: 1}
  - match: {host: web.test}
    pool: web
`)
	f := func(host, target, lines, want string) {
		t.Helper()
		c := s.dial(t)
		defer c.nc.Close()
		fmt.Fprintf(c.nc, "GET %s HTTP/1.1\r\nHost: %s\r\n%s\r\n", target, host, lines)
		if got, _ := c.answer(); got != want {
			t.Errorf("%s%s: %q, want %q", host, target, got, want)
		}
	}
	f("api.test", "/x", "", "200 api /x")
	f("API.test:8080", "/x", "", "200 api /x")
	f("api.test", "/x", "Content-Length: 5\r\n", "413 413 Request Entity Too Large: body too large\n")
	f("web.test", "/x", "", "200 web /x")
	f("web.test", "/v1/x", "", "200 web /v1/x") // the host says more than the path
	f("a.test", "/v1/x", "", "200 api /x")
	f("a.test", "/v1/../x", "", "400 400 Bad Request: path can be read in two ways\n")
	f("a.test", "/beta/x", "", "404 404 Not Found: no route for this host and path\n")
	f("a.test", "/beta/x", "X-Beta: 1\r\n", "200 new /beta/x")
	f("a.test", "/closed", "", "403 403 Forbidden: not from this address\n")
	f("a.test", "/split", "", "200 new /split")
	f("a.test", "/", "", "404 404 Not Found: no route for this host and path\n")
}

func TestWrongFiltersAreFoundAtStart(t *testing.T) {
	const text = `
upstream: http://127.0.0.1:1
routes:
  - filters:
      - strip-prefix: {prefix: api}
      - access: {alow: [10.0.0.0/8]}
      - unknown
`
	file := t.TempDir() + "/multiserver.yaml"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := New(t.Context(), parse(t, "--config "+file), quiet())
	if err == nil {
		t.Fatal("it starts")
	}
	for _, want := range []string{
		file + `:5: routes[0].filters[0].strip-prefix`, `prefix "api": want one or more whole segments, such as /api`,
		file + `:6: routes[0].filters[1].access`, "alow",
		file + `:7: routes[0].filters[2].unknown`, "want one of request-headers, ",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%v\nwant %s", err, want)
		}
	}
}

// newNamed is an app that says its name and what it was asked for.
func newNamed(t *testing.T, name string) *httptest.Server {
	a := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, name+" "+r.RequestURI)
	}))
	t.Cleanup(a.Close)
	return a
}
