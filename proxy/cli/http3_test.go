package cli

import (
	"context"
	"crypto/tls"
	"io"
	"net/http"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/http3"
)

var http3Listening = regexp.MustCompile(`msg="listening, HTTP/3" addr=(\S+)`)

// client3 gives a client that goes to s whatever the name.
func (s *overTLS) client3() *http.Client {
	addr := s.logs(http3Listening)
	tr := &http3.Transport{
		TLSClientConfig: &tls.Config{RootCAs: s.ca.Pool()},
		Dial: func(ctx context.Context, _ string, c *tls.Config, q *quic.Config) (*quic.Conn, error) {
			return quic.DialAddrEarly(ctx, addr, c, q)
		},
	}
	s.t.Cleanup(func() { tr.Close() })
	return &http.Client{Transport: tr, Timeout: patience}
}

func TestHTTP3OfTheProgram(t *testing.T) {
	m := newMember(t, "app")
	s := startTLS(t, []string{"a.test", "b.test"}, "--upstream", m.URL, "--http3", "--access-log", "-", "--admin", "127.0.0.1:0")
	if got := s.curl("a.test", "-i", "--http2"); !strings.Contains(got, `alt-svc: h3=":`+s.port+`"; ma=86400`) {
		t.Error(got)
	}
	c := s.client3()
	ask := func(url string) string {
		t.Helper()
		res, err := c.Get(url)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		b, err := io.ReadAll(res.Body)
		if err != nil {
			t.Error(err)
		}
		return string(b)
	}
	for _, name := range []string{"a.test", "b.test"} {
		if got := ask("https://" + name + "/x"); !strings.HasPrefix(got, "app") {
			t.Errorf("%s: %q", name, got)
		}
	}
	if s.stdout.wait(regexp.MustCompile(`127\.0\.0\.1 - - \[.*"GET /x HTTP/3\.0" 200`)) == nil {
		t.Errorf("no line in the access log:\n%s", s.stdout.String())
	}
	s.metric("multiserver_http3_connections 2")

	slow := make(chan string, 1)
	go func() {
		res, err := c.Get("https://a.test/slow")
		if err != nil {
			slow <- err.Error()
			return
		}
		res.Body.Close()
		slow <- res.Status
	}()
	<-m.begun
	s.signal(syscall.SIGTERM)
	s.logs(regexp.MustCompile(`msg=draining`))
	m.end <- struct{}{}
	if got := <-slow; got != "200 OK" {
		t.Errorf("within the drain: %s", got)
	}
	if code := s.code(); code != 0 {
		t.Errorf("exit code %d", code)
	}
	if log := s.stderr.String(); strings.Contains(log, "buffer size") || strings.Contains(log, "level=ERROR") {
		t.Errorf("it logged:\n%s", log)
	}
}
