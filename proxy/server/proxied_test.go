package server

import (
	"bytes"
	"crypto/tls"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	h2 "golang.org/x/net/http2"

	"multiserver/proxy/admin"
	"multiserver/proxy/certs/certstest"
)

// newMirror is an app that says what it was told of its client.
func newMirror(t *testing.T) *httptest.Server {
	a := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "%s %s %s", strings.Join(r.Header["X-Forwarded-For"], "+"), r.Header.Get("X-Forwarded-Proto"), r.Header.Get("X-Forwarded-Port"))
	}))
	t.Cleanup(a.Close)
	return a
}

const said = "PROXY TCP4 203.0.113.9 198.51.100.1 4711 8\r\n"

// refusals are those counted so far, by reason.
func (r *running) refusals() (out []string) {
	for f := range r.headers.failed {
		if n := r.headers.failed[f].Load(); n > 0 {
			out = append(out, fmt.Sprintf("%s %d", headFault(f), n))
		}
	}
	return out
}

func TestTheClientIsWhoTheHeaderSays(t *testing.T) {
	a := newMirror(t)
	path := t.TempDir() + "/s"
	s := start(t, "--upstream "+a.URL, "--listen 127.0.0.1:0;accept-proxy", "--listen unix:"+path+";accept-proxy", "--trusted-proxies 127.0.0.0/8,192.0.2.7")
	_, own, _ := net.SplitHostPort(s.Addrs()[0].String())
	f := func(addr net.Addr, header, fields, want string) {
		t.Helper()
		c := connect(t, addr)
		fmt.Fprintf(c.nc, "%sGET / HTTP/1.1\r\nHost: a\r\n%s\r\n", header, fields)
		for range 2 {
			if got, _ := c.answer(); got != want {
				t.Errorf("%q %q: %q, want %q", header, fields, got, want)
			}
			fmt.Fprintf(c.nc, "GET / HTTP/1.1\r\nHost: a\r\n%s\r\n", fields)
		}
	}
	tcp, unix := s.Addrs()[0], s.Addrs()[1]
	const forged = "X-Forwarded-For: 9.9.9.9\r\n"
	f(tcp, said, "", "200 203.0.113.9 http 8")
	f(unix, said, "", "200 203.0.113.9 http 8")
	f(tcp, "PROXY TCP6 2001:db8::9 ::1 1 443\r\n", "", "200 2001:db8::9 http 443")
	f(tcp, "PROXY TCP6 ::ffff:203.0.113.9 ::1 1 443\r\n", "", "200 203.0.113.9 http 443")
	f(tcp, said, forged, "200 203.0.113.9 http 8") // the proxy vouches for its header, not for what its clients write
	f(tcp, "PROXY TCP4 192.0.2.7 198.51.100.1 4711 8\r\n", forged, "200 9.9.9.9, 192.0.2.7 http 8")
	f(tcp, "PROXY UNKNOWN\r\n", forged, "200  http "+own)
	f(tcp, "\r\n\r\n\x00\r\nQUIT\n\x20\x00\x00\x00", "", "200 127.0.0.1 http "+own)
	f(tcp, "\r\n\r\n\x00\r\nQUIT\n\x20\x00\x00\x00", forged, "200 9.9.9.9, 127.0.0.1 http "+own)
	if got := s.headers.taken[0].Load() + s.headers.taken[1].Load(); got != 9 {
		t.Errorf("%d headers counted", got)
	}
}

func TestConnectionsWithoutAGoodHeaderAreRefused(t *testing.T) {
	a := newMirror(t)
	log := new(bytes.Buffer)
	s := startLogging(t, slog.New(slog.NewTextHandler(log, nil)), "--upstream "+a.URL, "--listen 127.0.0.1:0;accept-proxy", "--listen 127.0.0.1:0",
		"--trusted-proxies 127.0.0.1", "--header-timeout 200ms")
	const get = "GET / HTTP/1.1\r\nHost: a\r\n\r\n"
	f := func(from, sent string, want string) {
		t.Helper()
		before := s.refusals()
		d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}}
		nc, err := d.Dial("tcp", s.Addrs()[0].String())
		if err != nil {
			t.Fatal(err)
		}
		defer nc.Close()
		_ = nc.SetDeadline(time.Now().Add(patience))
		_, _ = io.WriteString(nc, sent)
		if b, _ := io.ReadAll(nc); len(b) > 0 {
			t.Errorf("%q from %s is told %q", sent, from, b)
		}
		await(t, want, func() bool { return slices.Contains(s.refusals(), want) && !slices.Contains(before, want) })
	}
	f("127.0.0.2", said+get, "untrusted 1")
	f("127.0.0.2", get, "untrusted 2")
	f("127.0.0.2", "", "untrusted 3")
	f("127.0.0.1", get, "no-header 1")
	f("127.0.0.1", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "no-header 2")
	f("127.0.0.1", "\x16\x03\x01\x02\x00\x01", "no-header 3")
	f("127.0.0.1", "PROXY TCP4 a b c d\r\n"+get, "malformed 1")
	f("127.0.0.1", "PROXY UNKNOWN "+strings.Repeat("x", 100)+"\r\n"+get, "too-long 1")
	f("127.0.0.1", "\r\n\r\n\x00\r\nQUIT\n\x21\x12\x00\x0c............"+get, "family 1")
	f("127.0.0.1", "\r\n\r\n\x00\r\nQUIT\n\x21\x11\x00\x13............\x03\x00\x04????"+get, "checksum 1")
	f("127.0.0.1", said[:20], "timeout 1")
	f("127.0.0.1", "", "timeout 2")
	_ = connect(t, s.Addrs()[0]).nc.Close()
	await(t, "left", func() bool { return slices.Contains(s.refusals(), "peer-left 1") })

	plain := connect(t, s.Addrs()[1]) // where none is expected, it is a bad request
	_, _ = io.WriteString(plain.nc, said+get)
	if got, _ := plain.answer(); !strings.HasPrefix(got, "400") {
		t.Errorf("a header where none is expected: %q", got)
	}
	_ = plain.nc.Close()
	s.stop()
	s.wait(t)
	if n := strings.Count(log.String(), "PROXY header"); n == 0 || n > 4 {
		t.Errorf("%d lines:\n%s", n, log)
	}
}

// Whoever says nothing keeps nobody else from being served, nor the process
// from stopping.
func TestSilentPeersHoldNobodyUp(t *testing.T) {
	a := newMirror(t)
	s := start(t, "--upstream "+a.URL, "--listen 127.0.0.1:0;accept-proxy", "--trusted-proxies 127.0.0.1", "--header-timeout 1h", "--drain-timeout 100ms")
	for range 20 {
		c := s.dial(t)
		_, _ = io.WriteString(c.nc, said[:7])
	}
	c := s.dial(t)
	_, _ = io.WriteString(c.nc, said)
	c.want("/", "200 203.0.113.9 http 8")
	s.stop()
	s.wait(t)
	// Their workers are told so, and some say it after the listener's end.
	await(t, "stopped 20", func() bool { return slices.Equal(s.refusals(), []string{"stopped 20"}) })
}

// The header comes before TLS, and counts for all that is said in it.
func TestHeadersBeforeTLS(t *testing.T) {
	a := newMirror(t)
	ca := certstest.NewCA(t)
	cert, key := ca.Files(t.TempDir(), "app", "app.test")
	s := start(t, "--upstream "+a.URL, "--listen none", "--tls-listen 127.0.0.1:0;accept-proxy", "--tls-cert "+cert, "--tls-key "+key, "--trusted-proxies 127.0.0.1")
	shake := func(protocol string) *tls.Conn {
		nc := s.dial(t).nc
		_, _ = io.WriteString(nc, said)
		c := tls.Client(nc, &tls.Config{RootCAs: ca.Pool(), ServerName: "app.test", NextProtos: []string{protocol}})
		if err := c.Handshake(); err != nil {
			t.Fatal(err)
		}
		return c
	}
	ask := func(via http.RoundTripper) {
		t.Helper()
		for range 3 {
			r, _ := http.NewRequestWithContext(t.Context(), "GET", "https://app.test/", nil)
			res, err := via.RoundTrip(r)
			if err != nil {
				t.Fatal(err)
			}
			b, _ := io.ReadAll(res.Body)
			_ = res.Body.Close()
			if string(b) != "203.0.113.9 https 8" {
				t.Errorf("%q", b)
			}
		}
	}
	h1 := &http.Transport{}
	first := shake("http/1.1")
	h1.DialTLS = func(string, string) (net.Conn, error) { return first, nil }
	ask(h1)
	h1.CloseIdleConnections()
	over2, err := (&h2.Transport{}).NewClientConn(shake("h2"))
	if err != nil {
		t.Fatal(err)
	}
	ask(over2)
	_ = over2.Close()

	plain := s.dial(t) // without the header no handshake is begun
	_ = tls.Client(plain.nc, &tls.Config{InsecureSkipVerify: true}).Handshake()
	await(t, "no-header 1", func() bool { return slices.Equal(s.refusals(), []string{"no-header 1"}) })
}

// Where TLS ended at the proxy, its word for it counts, by either protocol.
func TestTLSThatEndedAtTheProxy(t *testing.T) {
	a := newMirror(t)
	s := start(t, "--upstream "+a.URL, "--listen 127.0.0.1:0;accept-proxy", "--trusted-proxies 127.0.0.1")
	for flags, proto := range map[string]string{"\x00": "http", "\x01": "https"} {
		header := "\r\n\r\n\x00\r\nQUIT\n\x21\x11\x00\x14" + "\xcb\x00\x71\x09\xc6\x33\x64\x01\x12\x67\x01\xbb" + "\x20\x00\x05" + flags + "\x00\x00\x00\x00"
		want := "203.0.113.9 " + proto + " 443"
		c := s.dial(t)
		_, _ = io.WriteString(c.nc, header)
		c.want("/", "200 "+want)

		c = s.dial(t)
		_, _ = io.WriteString(c.nc, header)
		over2, err := (&h2.Transport{AllowHTTP: true}).NewClientConn(c.nc)
		if err != nil {
			t.Fatal(err)
		}
		r, _ := http.NewRequestWithContext(t.Context(), "GET", "http://app.test/", nil)
		res, err := over2.RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		if b, _ := io.ReadAll(res.Body); string(b) != want {
			t.Errorf("HTTP/2: %q, want %q", b, want)
		}
		_ = res.Body.Close()
		_ = over2.Close()
	}
}

func TestHeadersAreCounted(t *testing.T) {
	a := newMirror(t)
	s := start(t, "--upstream "+a.URL, "--listen 127.0.0.1:0;accept-proxy", "--trusted-proxies 127.0.0.1")
	c := s.dial(t)
	_, _ = io.WriteString(c.nc, said)
	c.want("/", "200 203.0.113.9 http 8")
	var m admin.Metrics
	s.metrics(&m)
	out := string(m.Append(nil))
	for _, want := range []string{`multiserver_proxy_headers_total{version="1"} 1`, `multiserver_proxy_headers_refused_total{reason="untrusted"} 0`} {
		if !strings.Contains(out, want) {
			t.Errorf("no %s in\n%s", want, out)
		}
	}
}
