package server

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"multiserver/proxy/admin"
	"multiserver/proxy/certs/certstest"
)

// secured is a Server with a TLS listener and no other, and who vouches for it.
type secured struct {
	*running
	t   *testing.T
	ca  *certstest.CA
	dir string
}

// startTLS shows a certificate for app.test.
func startTLS(t *testing.T, settings ...string) *secured {
	t.Helper()
	s := &secured{t: t, ca: certstest.NewCA(t), dir: t.TempDir()}
	cert, key := s.ca.Files(s.dir, "app", "app.test")
	s.running = start(t, append(settings, "--upstream "+newApp(t).URL,
		"--listen none", "--tls-listen 127.0.0.1:0", "--tls-cert "+cert, "--tls-key "+key)...)
	return s
}

func (s *secured) config() *tls.Config {
	return &tls.Config{RootCAs: s.ca.Pool(), ServerName: "app.test"}
}

// raw is a connection on which nothing has been said.
func (s *secured) raw() net.Conn {
	s.t.Helper()
	return connect(s.t, s.Addrs()[0]).nc
}

// shake is a connection with TLS, or why there is none.
func (s *secured) shake(c *tls.Config) (*client, error) {
	s.t.Helper()
	nc := tls.Client(s.raw(), c)
	if err := nc.Handshake(); err != nil {
		return nil, err
	}
	return &client{s.t, nc, bufio.NewReader(nc)}, nil
}

func (s *secured) secure() *client {
	s.t.Helper()
	c, err := s.shake(s.config())
	if err != nil {
		s.t.Fatal(err)
	}
	return c
}

// failures are those counted so far, by reason.
func (s *secured) failures() (out []string) {
	h := s.tls.Load().shakes
	for f := range h.failed {
		if n := h.failed[f].Load(); n > 0 {
			out = append(out, fmt.Sprintf("%s %d", failure(f), n))
		}
	}
	return out
}

func (s *secured) wantFailures(want ...string) {
	s.t.Helper()
	await(s.t, fmt.Sprint(want), func() bool { return slices.Equal(s.failures(), want) })
}

func TestServesByTLS(t *testing.T) {
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		s := startTLS(t)
		conf := s.config()
		conf.MinVersion, conf.MaxVersion = version, version
		conf.ClientSessionCache = tls.NewLRUClientSessionCache(1)
		for i := range 3 {
			c, err := s.shake(conf)
			if err != nil {
				t.Fatal(err)
			}
			for range 3 {
				c.want("/", "200 hello")
			}
			if st := c.nc.(*tls.Conn).ConnectionState(); st.Version != version || st.DidResume != (i > 0) {
				t.Errorf("%x: version %x, resumed %v", version, st.Version, st.DidResume)
			}
		}
		v := flagOf(version == tls.VersionTLS13)
		if full, resumed := s.tls.Load().shakes.done[v][0].Load(), s.tls.Load().shakes.done[v][1].Load(); full != 1 || resumed != 2 {
			t.Errorf("%x: counted %d and %d", version, full, resumed)
		}
		s.wantFailures()
	}
}

func TestWhatIsNoHandshakeIsCountedByReason(t *testing.T) {
	says := func(what string) func(*secured) {
		return func(s *secured) {
			nc := s.raw()
			io.WriteString(nc, what)
			io.Copy(io.Discard, nc)
		}
	}
	with := func(change func(*tls.Config), want string) func(*secured) {
		return func(s *secured) {
			c := s.config()
			change(c)
			client, err := s.shake(c)
			if err == nil { // TLS 1.3 lets a client know only with its first read
				client.ask("/")
				_, err = client.in.ReadByte()
			}
			if err == nil || !strings.Contains(err.Error(), want) {
				s.t.Errorf("the client has %v, want %s", err, want)
			}
		}
	}
	other := certstest.NewCA(t)
	f := func(want string, do func(*secured), settings ...string) {
		t.Run(want, func(t *testing.T) {
			if want == "timeout" {
				settings = []string{"--header-timeout 200ms"}
			}
			s := startTLS(t, settings...)
			do(s)
			s.wantFailures(want + " 1")
			if len(settings) == 0 { // and so none that is slow is too slow
				s.secure().want("/", "200 hello") // nobody else suffers
			}
		})
	}
	f("client-left", func(s *secured) { s.raw().Close() })
	f("client-left", func(s *secured) { nc := s.raw(); io.WriteString(nc, "\x16\x03\x01\x02"); nc.Close() })
	f("timeout", says(""))
	f("timeout", says("\x16\x03\x01\x02\x00\x01"))
	f("not-tls", says("SSH-2.0-OpenSSH_9.2\r\n"))
	f("plain-http", says("GET / HTTP/1.1\r\nHost: a\r\n\r\n"))
	f("plain-http", says("GET http://app.test/ HTTP/1.1\r\nHost: a\r\n\r\n"))
	f("plain-http", says("PROPFIND / HTTP/1.1\r\nHost: a\r\n\r\n"))
	f("plain-http", says("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"))
	f("version", with(func(c *tls.Config) { c.MinVersion, c.MaxVersion = tls.VersionTLS10, tls.VersionTLS11 }, "protocol version not supported"))
	f("cipher", with(func(c *tls.Config) {
		c.MaxVersion, c.CipherSuites = tls.VersionTLS12, []uint16{tls.TLS_RSA_WITH_AES_128_CBC_SHA}
	}, "handshake failure"))
	f("protocol", with(func(c *tls.Config) { c.NextProtos = []string{"nonesuch"} }, "no application protocol"))
	f("refused-by-client", with(func(c *tls.Config) { c.RootCAs = other.Pool() }, "unknown authority"))
	f("broken", says("\x16\x03\x01\x00\x05\xff\x00\x00\x01\x00"))
	ca := "--tls-client-ca " + other.File(t.TempDir(), "ca.pem")
	f("no-client-certificate", with(func(*tls.Config) {}, "certificate required"), ca)
	foreign := certstest.NewCA(t).Issue(time.Hour, "client")
	show := func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &foreign, nil }
	f("client-certificate", with(func(c *tls.Config) { c.GetClientCertificate = show }, "unknown certificate authority"), ca)
	f("client-certificate", with(func(c *tls.Config) { c.GetClientCertificate, c.MaxVersion = show, tls.VersionTLS12 }, "unknown certificate authority"), ca)
}

func TestPlainHTTPOnATLSPortIsAnswered(t *testing.T) {
	s := startTLS(t)
	for _, ask := range []string{"GET / HTTP/1.1\r\nHost: a\r\n\r\n", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n" + strings.Repeat("x", 50000)} {
		nc := s.raw()
		io.WriteString(nc, ask)
		res, err := http.ReadResponse(bufio.NewReader(nc), nil)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(res.Body)
		if res.StatusCode != 400 || err != nil || !strings.Contains(string(body), "https://") || !res.Close {
			t.Errorf("%v %q, %v", res, body, err)
		}
	}
}

func TestHTTP2WithoutAgreementIsRefused(t *testing.T) {
	s := startTLS(t)
	c := s.secure()
	io.WriteString(c.nc, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
	if got, last := c.answer(); !strings.HasPrefix(got, "505 ") || !last {
		t.Errorf("%q, last %v", got, last)
	}
}

// A client that takes its time with the handshake holds a worker, and nobody
// else.
func TestSlowHandshakesHoldNobodyUp(t *testing.T) {
	s := startTLS(t, "--header-timeout 1m")
	for range 50 {
		s.raw()
	}
	s.secure().want("/", "200 hello")
}

func TestDrainLetsHandshakesGo(t *testing.T) {
	s := startTLS(t, "--header-timeout 1m", "--drain-timeout 1m") // longer than s.wait
	silent, idle := s.raw(), s.secure()
	idle.want("/", "200 hello")
	await(t, "a handshake under way", func() bool {
		s.tls.Load().shakes.mu.Lock()
		defer s.tls.Load().shakes.mu.Unlock()
		return len(s.tls.Load().shakes.open) == 1
	})
	s.stop()
	idle.ended()
	s.wait(t)
	if n, err := silent.Read(make([]byte, 1)); n > 0 || err == nil {
		t.Errorf("%d bytes, %v", n, err)
	}
	if s.tls.Load().shakes.failed[stopped].Load() != 1 {
		t.Error(s.failures())
	}
}

func TestTooManyClientsByTLSAreClosed(t *testing.T) {
	s := startTLS(t, "--max-connections 1")
	s.secure().want("/", "200 hello")
	await(t, "a refusal", func() bool {
		nc := s.raw()
		got, _ := io.ReadAll(nc)
		return len(got) == 0 && s.crowd.refused.Load() > 0
	})
}

func TestCertificatesAreTakenWhileServing(t *testing.T) {
	s := startTLS(t)
	kept := s.secure()
	kept.want("/", "200 hello")
	s.ca.Files(s.dir, "app", "new.test")
	s.tls.Load().certs.Reload()
	conf := s.config()
	if _, err := s.shake(conf); err == nil || !strings.Contains(err.Error(), "new.test") {
		t.Error(err)
	}
	conf.ServerName = "new.test"
	c, err := s.shake(conf)
	if err != nil {
		t.Fatal(err)
	}
	c.want("/", "200 hello")
	kept.want("/", "200 hello")
}

func TestTLSMetrics(t *testing.T) {
	s := startTLS(t)
	s.secure().want("/", "200 hello")
	var m admin.Metrics
	s.metrics(&m)
	page := string(m.Append(nil))
	for _, want := range []string{
		`multiserver_tls_handshakes_total{version="1.3",resumed="false"} 1`,
		`multiserver_tls_failures_total{reason="plain-http"} 0`,
		`multiserver_tls_unknown_names_total 0`,
		`multiserver_tls_certificate_expires_seconds{certificate="` + s.dir + `/app.pem"} `,
	} {
		if !strings.Contains(page, want) {
			t.Errorf("no %s", want)
		}
	}
}

func TestRedirectToHTTPS(t *testing.T) {
	f := func(ask, want string, settings ...string) {
		t.Helper()
		s := start(t, append(settings, "--upstream http://127.0.0.1:1", "--tls-self-signed true", "--tls-listen 127.0.0.1:0", "--https-redirect true")...)
		_, port, _ := net.SplitHostPort(s.Addrs()[1].String())
		c := s.dial(t)
		io.WriteString(c.nc, ask)
		res, err := http.ReadResponse(c.in, nil)
		if err != nil {
			t.Fatal(err)
		}
		got := fmt.Sprint(res.StatusCode, " ", strings.Replace(res.Header.Get("Location"), ":"+port, ":PORT", 1))
		if got != want || res.Header.Get("Strict-Transport-Security") != "" {
			t.Errorf("%q: %s, %v, want %s", ask, got, res.Header, want)
		}
	}
	f("GET /a/b?c=%20 HTTP/1.1\r\nHost: app.test\r\n\r\n", "308 https://app.test:PORT/a/b?c=%20")
	f("GET / HTTP/1.1\r\nHost: app.test:80\r\n\r\n", "308 https://app.test/", "--https-port 443")
	f("GET / HTTP/1.1\r\nHost: [::1]:80\r\n\r\n", "308 https://[::1]:8/", "--https-port 8")
	f("GET / HTTP/1.1\r\nHost: [::1]\r\n\r\n", "308 https://[::1]/", "--https-port 443")
	f("GET http://b.test?c HTTP/1.1\r\nHost: b.test\r\n\r\n", "308 https://b.test/?c", "--https-port 443")
	f("POST / HTTP/1.1\r\nHost: app.test\r\nContent-Length: 1\r\n\r\nx", "308 https://app.test/", "--https-port 443")
	f("OPTIONS * HTTP/1.1\r\nHost: app.test\r\n\r\n", "308 https://app.test/", "--https-port 443")
	f("GET / HTTP/1.0\r\n\r\n", "400 ")
	f("TRACE / HTTP/1.1\r\nHost: app.test\r\n\r\n", "308 https://app.test/", "--https-port 443")
	f("CONNECT app.test:443 HTTP/1.1\r\nHost: app.test\r\n\r\n", "405 ")
	f("GET / HTTP/1.1\r\nHost: app.test\r\nX-Forwarded-Proto: https\r\n\r\n", "308 https://app.test/", "--https-port 443") // anyone can say so
	f("GET / HTTP/1.1\r\nHost: app.test\r\nX-Forwarded-Proto: https\r\n\r\n", "503 ", "--https-port 443", "--trusted-proxies 127.0.0.1")
}

func TestHSTSIsToldByTLSOnly(t *testing.T) {
	s := startTLS(t, "--hsts 24h", "--listen 127.0.0.1:0")
	f := func(c *client, path, want string) {
		t.Helper()
		c.ask(path)
		res, err := http.ReadResponse(c.in, nil)
		if err != nil {
			t.Fatal(err)
		}
		io.Copy(io.Discard, res.Body)
		if got := strings.Join(res.Header["Strict-Transport-Security"], "|"); got != want {
			t.Errorf("%s: %q, want %q", path, got, want)
		}
	}
	secure := &client{t: t, nc: tls.Client(connect(t, s.Addrs()[1]).nc, s.config())}
	secure.in = bufio.NewReader(secure.nc)
	f(secure, "/", "max-age=86400")
	f(secure, "/", "max-age=86400")
	f(s.dial(t), "/", "")
}
