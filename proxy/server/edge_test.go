package server

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"testing"

	xhttp2 "golang.org/x/net/http2"
)

// over gives a client of one connection to addr, by TLS or with prior
// knowledge.
func over(t *testing.T, addr net.Addr, secure bool) (c *http.Client, scheme string) {
	tr := &xhttp2.Transport{
		AllowHTTP: true,
		DialTLSContext: func(ctx context.Context, _, _ string, conf *tls.Config) (net.Conn, error) {
			if !secure {
				return new(net.Dialer).DialContext(ctx, addr.Network(), addr.String())
			}
			conf.InsecureSkipVerify = true
			return (&tls.Dialer{Config: conf}).DialContext(ctx, addr.Network(), addr.String())
		},
	}
	t.Cleanup(tr.CloseIdleConnections)
	c = &http.Client{Transport: tr, Timeout: patience}
	if secure {
		return c, "https"
	}
	return c, "http"
}

func TestHTTP2OnEveryListener(t *testing.T) {
	a := newApp(t)
	s := start(t, "--upstream "+a.URL, "--listen 127.0.0.1:0", "--tls-listen 127.0.0.1:0", "--tls-self-signed true")
	for i, addr := range s.Addrs() {
		c, scheme := over(t, addr, i > 0)
		for range 3 {
			res, err := c.Get(scheme + "://localhost/")
			if err != nil {
				t.Fatal(scheme, err)
			}
			body, _ := io.ReadAll(res.Body)
			res.Body.Close()
			if res.ProtoMajor != 2 || string(body) != "hello" {
				t.Errorf("%s: %s %q", scheme, res.Proto, body)
			}
		}
		if i == 0 {
			connect(t, addr).want("/", "200 hello") // HTTP/1.1 beside it
		}
	}
}

func TestDrainLetsStreamsEnd(t *testing.T) {
	a := newApp(t)
	s := start(t, "--upstream "+a.URL)
	idle, _ := over(t, s.Addrs()[0], false)
	get(t, idle, "http://localhost/")
	busy, _ := over(t, s.Addrs()[0], false)
	got := make(chan string, 1)
	go func() {
		res, err := busy.Get("http://localhost/slow")
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
	await(t, "the idle connection to end", func() bool { return s.proxy.Stats.Clients.Load() == 1 })
	close(a.finish)
	if what := <-got; what != "hello" {
		t.Errorf("%q", what)
	}
	if s.wait(t); s.err != nil {
		t.Error(s.err)
	}
}
