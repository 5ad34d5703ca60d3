package cli

import (
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"multiserver/proxy/certs/certstest"
	"multiserver/sync/daemon"
)

var tlsListening = regexp.MustCompile(`msg="listening, TLS" addr=(\S+)`)

// overTLS is the program with a certificate for each of some names, and
// whoever vouches for them.
type overTLS struct {
	*service
	ca   *certstest.CA
	dir  string
	file string // the authority's certificate
	port string
}

func startTLS(t *testing.T, names []string, args ...string) *overTLS {
	t.Helper()
	s := &overTLS{ca: certstest.NewCA(t), dir: t.TempDir()}
	s.file = s.ca.File(s.dir, "ca.pem")
	for _, n := range names {
		cert, key := s.ca.Files(s.dir, n, n)
		args = append(args, "--tls-cert", cert, "--tls-key", key)
	}
	s.service = start(t, append(args, "--listen", "127.0.0.1:0", "--tls-listen", "127.0.0.1:0", "--log-level", "debug")...)
	_, s.port, _ = net.SplitHostPort(s.logs(tlsListening))
	return s
}

// curl asks https://name/path, and gives the exit code with what came.
func (s *overTLS) curl(name string, args ...string) string {
	s.t.Helper()
	daemon.Need(s.t, "curl")
	args = append([]string{"-sS", "-m", "10", "--cacert", s.file, "--resolve", name + ":" + s.port + ":127.0.0.1"}, args...)
	cmd := exec.Command("curl", append(args, "https://"+name+":"+s.port+"/")...)
	out, _ := cmd.CombinedOutput()
	return fmt.Sprintf("%d %s", cmd.ProcessState.ExitCode(), out)
}

func (s *overTLS) wantCurl(want, name string, args ...string) {
	s.t.Helper()
	if got := s.curl(name, args...); !strings.HasPrefix(got, want) {
		s.t.Errorf("%s %v: %q, want %q", name, args, got, want)
	}
}

func TestTLSByCurl(t *testing.T) {
	m := newMember(t, "app")
	s := startTLS(t, []string{"a.test", "b.test"}, "--upstream", m.URL, "--hsts", "24h")
	s.wantCurl("0 app", "a.test")
	s.wantCurl("0 app", "b.test")
	s.wantCurl("0 app", "a.test", "--tls-max", "1.2")
	s.wantCurl("0 app", "a.test", "--tlsv1.3")
	s.wantCurl("60 ", "c.test") // sees a.test's
	s.wantCurl("0 app", "c.test", "--insecure")
	s.wantCurl("35 ", "a.test", "--tlsv1.1", "--tls-max", "1.1", "--ciphers", "DEFAULT@SECLEVEL=0")
	for _, version := range []string{"--http1.1", "--http2"} {
		if got := s.curl("a.test", "-i", version); !strings.Contains(strings.ToLower(got), "strict-transport-security: max-age=86400") {
			t.Error(got)
		}
	}
	if got := s.curl("a.test", "--http2-prior-knowledge"); !strings.HasPrefix(got, "0 app") { // ALPN settles it
		t.Error(got)
	}
	res, err := http.Get("http://127.0.0.1:" + s.port + "/")
	if err != nil || res.StatusCode != 400 {
		t.Errorf("plain HTTP: %v, %v", res, err)
	}
}

func TestCertificatesReplacedOnDiskAreTaken(t *testing.T) {
	m := newMember(t, "app")
	s := startTLS(t, []string{"a.test"}, "--upstream", m.URL)
	s.wantCurl("0 app", "a.test")
	certstest.Write(t, certstest.NewCA(t).Issue(time.Hour, "x.test"), s.dir, "other")
	if out, err := exec.Command("mv", filepath.Join(s.dir, "other.key"), filepath.Join(s.dir, "a.test.key")).CombinedOutput(); err != nil {
		t.Fatal(string(out))
	}
	s.logs(regexp.MustCompile(`certificate cannot be used.*a\.test\.key: is another certificate's key`))
	s.wantCurl("0 app", "a.test")
	s.ca.Files(s.dir, "a.test", "b.test")
	s.logs(regexp.MustCompile(`certificate loaded.*names=\[b\.test\]`))
	s.wantCurl("0 app", "b.test")
}

func TestClientCertificatesByCurl(t *testing.T) {
	m := newMember(t, "app")
	clients := certstest.NewCA(t)
	dir := t.TempDir()
	s := startTLS(t, []string{"a.test"}, "--upstream", m.URL, "--tls-client-ca", clients.File(dir, "ca.pem"))
	cert, key := clients.Files(dir, "good", "client")
	foreign, its := certstest.NewCA(t).Files(dir, "bad", "client")
	s.wantCurl("0 app", "a.test", "--cert", cert, "--key", key)
	s.wantCurl("0 app", "a.test", "--cert", cert, "--key", key, "--tls-max", "1.2")
	for _, args := range [][]string{{}, {"--cert", foreign, "--key", its}} {
		if got := s.curl("a.test", args...); strings.HasPrefix(got, "0 ") || strings.Contains(got, "app") {
			t.Errorf("%v: %s", args, got)
		}
	}
}

func TestSessionsAreResumedByOpenSSL(t *testing.T) {
	daemon.Need(t, "openssl")
	m := newMember(t, "app")
	s := startTLS(t, []string{"a.test"}, "--upstream", m.URL)
	for _, version := range []string{"-tls1_2", "-tls1_3"} {
		session := filepath.Join(t.TempDir(), "session")
		shake := func(args ...string) string {
			cmd := exec.Command("openssl", append([]string{"s_client", version, "-connect", "127.0.0.1:" + s.port, "-servername", "a.test"}, args...)...)
			cmd.Stdin = strings.NewReader("GET / HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n")
			cmd.Args = append(cmd.Args, "-ign_eof")
			out, _ := cmd.CombinedOutput()
			return string(out)
		}
		if out := shake("-sess_out", session); !strings.Contains(out, "New, TLSv") || !strings.Contains(out, "app") {
			t.Errorf("%s: %s", version, out)
		}
		if out := shake("-sess_in", session); !strings.Contains(out, "Reused, TLSv") || !strings.Contains(out, "app") {
			t.Errorf("%s: not resumed: %s", version, out)
		}
	}
}

func TestTLSUpstreams(t *testing.T) {
	ca, dir := certstest.NewCA(t), t.TempDir()
	file := ca.File(dir, "ca.pem")
	ours, key := ca.Files(dir, "ours", "proxy")
	origin := func(c tls.Certificate) string {
		s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			fmt.Fprintf(w, "app, asked for %s by %d", r.TLS.ServerName, len(r.TLS.PeerCertificates))
		}))
		s.TLS = &tls.Config{Certificates: []tls.Certificate{c}, ClientAuth: tls.RequestClientCert}
		s.StartTLS()
		t.Cleanup(s.Close)
		return s.URL
	}
	f := func(want, line string, args ...string) {
		t.Helper()
		s := start(t, append(args, "--listen", "127.0.0.1:0")...)
		if got := said(t, "http://"+s.addr()+"/"); !strings.HasPrefix(got, want) {
			t.Errorf("%v: %s, want %s", args, got, want)
		}
		if line != "" {
			s.logs(regexp.MustCompile(line))
		}
	}
	good := origin(ca.Issue(time.Hour, "app.test", "127.0.0.1"))
	f("200 app, asked for  by 0", "", "--upstream", good, "--upstream-ca", file)
	f("200 app, asked for app.test by 1", "", "--upstream", good, "--upstream-ca", file, "--upstream-sni", "app.test", "--upstream-cert", ours, "--upstream-key", key)
	f("200 app, asked for  by 0", "not verified", "--upstream", origin(certstest.NewCA(t).Issue(time.Hour, "x")), "--upstream-insecure")
	f("502 502 Bad Gateway: tls-untrusted", `request failed.*reason=tls-untrusted.*unknown authority`, "--upstream", good)
	f("502 502 Bad Gateway: tls-name", `request failed.*reason=tls-name.*other\.test`, "--upstream", good, "--upstream-ca", file, "--upstream-sni", "other.test")
	f("502 502 Bad Gateway: tls-expired", `request failed.*reason=tls-expired.*expired`, "--upstream", origin(ca.Issue(-time.Hour, "127.0.0.1")), "--upstream-ca", file)
	f("502 502 Bad Gateway: tls-handshake", `request failed.*reason=tls-handshake.*does not look like a TLS`, "--upstream", strings.Replace(newMember(t, "plain").URL, "http:", "https:", 1))
}

// said is the status and the body, whatever they are.
func said(t *testing.T, url string) string {
	t.Helper()
	res, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, _ := io.ReadAll(res.Body)
	return fmt.Sprintf("%d %s", res.StatusCode, body)
}
