package server

import (
	"crypto/tls"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	quichttp3 "github.com/quic-go/quic-go/http3"

	"multiserver/proxy/certs/certstest"
)

// witness is an upstream that says what it was told of clients' certificates.
func witness(t *testing.T) string {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for name, values := range r.Header {
			if n := strings.ReplaceAll(strings.ToLower(name), "_", "-"); strings.HasPrefix(n, "client-cert") {
				fmt.Fprintf(w, "%s=%s ", name, strings.Join(values, "|"))
			}
		}
		w.Header().Set("Cache-Control", "max-age=60")
	}))
	t.Cleanup(s.Close)
	return s.URL
}

func TestUpstreamsAreToldOfClientCertificates(t *testing.T) {
	ours, theirs := certstest.NewCA(t), certstest.NewCA(t)
	dir := t.TempDir()
	cert, key := ours.Files(dir, "app", "app.test")
	clients := theirs.File(dir, "clients.pem")
	good, bad := theirs.Issue(time.Hour, "client"), certstest.NewCA(t).Issue(time.Hour, "client")
	told := "Client-Cert=:" + base64.StdEncoding.EncodeToString(good.Certificate[0]) + ": "
	f := func(show *tls.Certificate, want string, settings ...string) {
		t.Helper()
		s := start(t, append(settings, "--upstream "+witness(t), "--listen none", "--tls-listen 127.0.0.1:0",
			"--tls-cert "+cert, "--tls-key "+key, "--tls-client-ca "+clients, "--http3 true", "--cache 64MiB")...)
		conf := &tls.Config{RootCAs: ours.Pool(), ServerName: "app.test"}
		if show != nil {
			conf.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return show, nil }
		}
		h1 := &http.Transport{TLSClientConfig: conf.Clone()}
		h2 := &http.Transport{TLSClientConfig: conf.Clone(), ForceAttemptHTTP2: true}
		h3 := &quichttp3.Transport{TLSClientConfig: conf.Clone()}
		defer h3.Close()
		defer h2.CloseIdleConnections()
		defer h1.CloseIdleConnections()
		for i, tr := range []http.RoundTripper{h1, h2, h3, h1, h2, h3} {
			r, _ := http.NewRequest("GET", "https://"+s.Addrs()[0].String()+"/", nil)
			r.Header["Client-Cert"] = []string{":bGll:"}
			r.Header["Client_cert"] = []string{":bGll:"}
			r.Header["Client-Cert-Chain"] = []string{":bGll:"}
			got := "refused"
			if res, err := tr.RoundTrip(r); err == nil {
				body, _ := io.ReadAll(res.Body)
				res.Body.Close()
				got = string(body)
				if hit := strings.Contains(res.Header.Get("Cache-Status"), "hit"); hit != (i > 0 && show == nil) {
					t.Errorf("%v: a hit is %v", settings, hit)
				}
			}
			if got != want {
				t.Errorf("%v, by HTTP/%d: %q, want %q", settings, i%3+1, got, want)
			}
		}
	}
	f(&good, told)
	f(nil, "refused")
	f(&bad, "refused")
	f(&good, told, "--tls-client-auth optional")
	f(nil, "", "--tls-client-auth optional")
	f(&bad, "refused", "--tls-client-auth optional")
}

// A proxy of ours in front has shown none itself, and says what its client has.
func TestWhatATrustedProxySaysOfCertificatesIsBelieved(t *testing.T) {
	f := func(want string, settings ...string) {
		t.Helper()
		s := start(t, append(settings, "--upstream "+witness(t))...)
		r, _ := http.NewRequest("GET", "http://"+s.Addrs()[0].String()+"/", nil)
		r.Header.Set("Client-Cert", ":Y2VydA==:")
		res, err := http.DefaultTransport.RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(res.Body)
		res.Body.Close()
		if string(body) != want {
			t.Errorf("%v: %q, want %q", settings, body, want)
		}
	}
	f("")
	f("Client-Cert=:Y2VydA==: ", "--trusted-proxies 127.0.0.1")
}
