package server

import (
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	quichttp3 "github.com/quic-go/quic-go/http3"
)

// overQUIC gives a client of one connection.
func overQUIC(t *testing.T) *http.Client {
	tr := &quichttp3.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}
	t.Cleanup(func() { tr.Close() })
	return &http.Client{Transport: tr, Timeout: patience}
}

func get(t *testing.T, c *http.Client, url string) (res *http.Response, body string) {
	t.Helper()
	res, err := c.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(res.Body)
	res.Body.Close()
	if err != nil {
		t.Error(err)
	}
	return res, string(b)
}

func TestHTTP3BesideTLSIsAdvertised(t *testing.T) {
	a := newApp(t)
	f := func(want string, settings ...string) {
		t.Helper()
		s := start(t, append(settings, "--upstream "+a.URL, "--tls-listen 127.0.0.1:0", "--tls-self-signed true")...)
		plain, secure := s.Addrs()[0], s.Addrs()[1]
		_, port, _ := net.SplitHostPort(secure.String())
		want = strings.ReplaceAll(want, "PORT", port)
		h2, _ := over(t, secure, true)
		for i, res := range []*http.Response{
			first(get(t, h2, "https://localhost/")),
			first(get(t, http.DefaultClient, "http://"+plain.String())),
		} {
			if got := res.Header.Get("Alt-Svc"); got != []string{want, ""}[i] {
				t.Errorf("%v by %s: Alt-Svc %q, want %q", settings, res.Proto, got, want)
			}
		}
		res, err := overQUIC(t).Get(fmt.Sprintf("https://127.0.0.1:%s/", port))
		if spoken := err == nil; spoken != (want != "") {
			t.Errorf("%v: %v, %v", settings, res, err)
		}
		if err == nil {
			res.Body.Close() // or its goroutines stay until the client's time is over
		}
	}
	f(`h3=":PORT"; ma=86400`, "--http3 true")
	f(`h3=":443"; ma=86400`, "--http3 true", "--https-port 443")
	f("")
}

func first(res *http.Response, _ string) *http.Response { return res }

func TestHTTP3IsServedUntilTheDrainEnds(t *testing.T) {
	a := newApp(t)
	s := start(t, "--upstream "+a.URL, "--tls-listen 127.0.0.1:0", "--tls-self-signed true", "--http3 true", "--hsts 1h")
	url := "https://" + s.Addrs()[1].String()
	c := overQUIC(t)
	for range 3 {
		res, body := get(t, c, url)
		if res.ProtoMajor != 3 || body != "hello" || res.Header.Get("Strict-Transport-Security") != "max-age=3600" {
			t.Errorf("%s %q %v", res.Proto, body, res.Header)
		}
	}
	got := make(chan string, 1)
	go func() {
		res, err := c.Get(url + "/slow")
		if err != nil {
			got <- err.Error()
			return
		}
		body, _ := io.ReadAll(res.Body)
		res.Body.Close()
		got <- string(body)
	}()
	<-a.begun
	s.stop()
	await(t, "the drain to begin", func() bool { return !s.ready.Load() })
	close(a.finish)
	if what := <-got; what != "hello" {
		t.Errorf("%q", what)
	}
	s.wait(t)
	if s.err != nil {
		t.Error(s.err)
	}
}

func TestHTTP3CutOffAtTheEndOfADrain(t *testing.T) {
	a := newApp(t)
	s := start(t, "--upstream "+a.URL, "--tls-listen 127.0.0.1:0", "--tls-self-signed true", "--http3 true", "--drain-timeout 300ms")
	got := make(chan error, 1)
	go func() {
		_, err := overQUIC(t).Get("https://" + s.Addrs()[1].String() + "/slow")
		got <- err
	}()
	<-a.begun
	s.stop()
	if err := <-got; err == nil {
		t.Error("there was an answer")
	}
	s.wait(t)
}

func TestHTTP3PortInUseIsAnError(t *testing.T) {
	for range 10 {
		taken, err := net.ListenPacket("udp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer taken.Close()
		c := parse(t, "--upstream http://127.0.0.1:1", "--tls-listen "+taken.LocalAddr().String(), "--tls-self-signed true", "--http3 true")
		_, err = New(t.Context(), c, quiet())
		if err != nil && strings.Contains(err.Error(), "listen tcp") {
			continue // somebody else has that one
		}
		if err == nil || !strings.Contains(err.Error(), "--http3 127.0.0.1:") {
			t.Error(err)
		}
		return
	}
}
