package pool

import (
	"crypto/tls"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"multiserver/proxy/certs/certstest"
)

// secured is an origin behind TLS.
func secured(t *testing.T, conf *tls.Config) (addr string) {
	t.Helper()
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "hello") }))
	s.TLS = conf
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.StartTLS()
	t.Cleanup(s.Close)
	return s.Listener.Addr().String()
}

func TestCertificatesOfUpstreamsAreVerified(t *testing.T) {
	ours, others := certstest.NewCA(t), certstest.NewCA(t)
	shows := func(c tls.Certificate) string { return secured(t, &tls.Config{Certificates: []tls.Certificate{c}}) }
	plain := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(plain.Close)
	f := func(what, addr, host string, conf *tls.Config, want Reason) {
		t.Helper()
		p := newPool(t, func(o *Options) { o.TLS = conf })
		p.Set([]Target{{Name: "u", Network: "tcp", Addr: addr, TLS: true, Host: host}})
		nc, err := p.Upstreams()[0].connect(5 * time.Second)
		if err == nil {
			nc.Close()
			if want != Reasons {
				t.Errorf("%s: connected", what)
			}
			return
		}
		if f := dialFault(err); f.Reason != want || f.Status() != 502 || !strings.Contains(f.Err.Error(), "TLS handshake: ") {
			t.Errorf("%s: %v, %d, want %v", what, f, f.Status(), want)
		}
	}
	trust := &tls.Config{RootCAs: ours.Pool()}
	good := shows(ours.Issue(time.Hour, "app.test"))
	f("good", good, "app.test:443", trust, Reasons)
	f("by a name of ours", good, "10.0.0.1", &tls.Config{RootCAs: ours.Pool(), ServerName: "app.test"}, Reasons)
	f("by its address", shows(ours.Issue(time.Hour, "127.0.0.1")), "127.0.0.1:443", trust, Reasons)
	f("unverified", shows(others.Issue(-time.Hour, "x.test")), "app.test", &tls.Config{InsecureSkipVerify: true}, Reasons)
	f("of another name", good, "other.test", trust, WrongName)
	f("of an unknown authority", shows(others.Issue(time.Hour, "app.test")), "app.test", trust, Untrusted)
	f("of one this machine does not trust", good, "app.test", nil, Untrusted)
	f("expired", shows(ours.Issue(-time.Hour, "app.test")), "app.test", trust, Expired)
	f("no TLS", plain.Listener.Addr().String(), "app.test", trust, NoHandshake)
	f("too old", secured(t, &tls.Config{MaxVersion: tls.VersionTLS11}), "app.test", trust, NoHandshake)
}

func TestWeShowUpstreamsACertificate(t *testing.T) {
	ca := certstest.NewCA(t)
	ours := ca.Issue(time.Hour, "proxy")
	addr := secured(t, &tls.Config{Certificates: []tls.Certificate{ca.Issue(time.Hour, "app.test")},
		ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: ca.Pool()})
	f := func(conf *tls.Config, ok bool) {
		t.Helper()
		p := newPool(t, func(o *Options) { o.TLS = conf })
		p.Set([]Target{{Name: "u", Network: "tcp", Addr: addr, TLS: true, Host: "app.test"}})
		body, f := try(p.Upstreams()[0], get("/"))
		if ok != (body == "hello") || !ok && f.Status() != 502 {
			t.Errorf("%q, %v", body, f)
		}
	}
	show := func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &ours, nil }
	f(&tls.Config{RootCAs: ca.Pool(), GetClientCertificate: show}, true)
	f(&tls.Config{RootCAs: ca.Pool()}, false)
}

func TestSessionsWithUpstreamsAreResumed(t *testing.T) {
	ca := certstest.NewCA(t)
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		var resumed atomic.Int64
		addr := secured(t, &tls.Config{Certificates: []tls.Certificate{ca.Issue(time.Hour, "app.test")}, MaxVersion: version,
			VerifyConnection: func(s tls.ConnectionState) error {
				if s.DidResume {
					resumed.Add(1)
				}
				return nil
			}})
		p := newPool(t, func(o *Options) { o.TLS = &tls.Config{RootCAs: ca.Pool()}; o.MaxIdle = 0 })
		p.Set([]Target{{Name: "u", Network: "tcp", Addr: addr, TLS: true, Host: "app.test"}})
		for range 3 {
			ask(t, p.Upstreams()[0], get("/"))
		}
		if n := resumed.Load(); n != 2 {
			t.Errorf("%x: %d of 2 resumed", version, n)
		}
	}
}

func TestAHandshakeThatHangsEndsInTime(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	p := newPool(t, func(o *Options) { o.Connect = 50 * time.Millisecond })
	p.Set([]Target{{Name: "u", Network: "tcp", Addr: ln.Addr().String(), TLS: true, Host: "app.test"}})
	_, f := p.Upstreams()[0].dial(nil)
	if f == nil || f.Reason != ConnectTime || f.Status() != 504 {
		t.Error(f)
	}
}
