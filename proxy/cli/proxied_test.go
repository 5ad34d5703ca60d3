package cli

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"multiserver/proxy/certs/certstest"
	"multiserver/sync/daemon"
)

// newMirror is an app that says who it was told its client is.
func newMirror(t *testing.T) *httptest.Server {
	t.Helper()
	a := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "%s %s", r.Header.Get("X-Forwarded-For"), r.Header.Get("X-Forwarded-Proto"))
	}))
	t.Cleanup(a.Close)
	return a
}

// tool runs a program that serves until the test ends; without it the test is
// skipped.
func tool(t *testing.T, name string, ready string, args ...string) {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Skip("no " + name + " here")
	}
	out := watch()
	cmd := exec.Command(path, args...)
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("%s: %s", name, out)
		}
	})
	for end := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) {
		if nc, err := net.Dial("tcp", ready); err == nil {
			_ = nc.Close()
			return
		}
		if time.Now().After(end) {
			t.Fatalf("%s does not listen on %s: %s", name, ready, out)
		}
	}
}

func written(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// getFrom asks from an address of this machine.
func getFrom(t *testing.T, from, addr, path string) string {
	t.Helper()
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}}
	c := http.Client{Timeout: patience, Transport: &http.Transport{DialContext: d.DialContext, DisableKeepAlives: true}}
	res, err := c.Get("http://" + addr + path)
	if err != nil {
		return err.Error()
	}
	defer res.Body.Close()
	b, _ := io.ReadAll(res.Body)
	return string(b)
}

func TestProxyProtocolByRawBytes(t *testing.T) {
	s := start(t, "--upstream", newMirror(t).URL, "--listen", "127.0.0.1:0;accept-proxy", "--trusted-proxies", "127.0.0.1", "--access-log", "-", "--admin", "127.0.0.1:0")
	f := func(sent, want string) {
		t.Helper()
		nc, err := net.Dial("tcp", s.addr())
		if err != nil {
			t.Fatal(err)
		}
		defer nc.Close()
		_ = nc.SetDeadline(time.Now().Add(patience))
		for i := range sent { // byte by byte
			_, _ = io.WriteString(nc, sent[i:i+1])
		}
		b, _ := io.ReadAll(nc)
		_, body, _ := strings.Cut(string(b), "\r\n\r\n")
		if body != want {
			t.Errorf("%q: %q, want %q", sent, b, want)
		}
	}
	const get = "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
	f("PROXY TCP4 203.0.113.9 198.51.100.1 4711 443\r\n"+get, "203.0.113.9 http")
	f("\r\n\r\n\x00\r\nQUIT\n\x21\x11\x00\x0c\xcb\x00\x71\x0a\xc6\x33\x64\x01\x12\x67\x01\xbb"+get, "203.0.113.10 http")
	f("\r\n\r\n\x00\r\nQUIT\n\x20\x00\x00\x00"+get, "127.0.0.1 http")
	f(get, "")
	s.logs(regexp.MustCompile(`refused for its PROXY header.* reason=no-header`))
	for _, client := range []string{"203.0.113.9", "203.0.113.10", "127.0.0.1"} {
		if s.stdout.wait(regexp.MustCompile(`(?m)^`+regexp.QuoteMeta(client)+` - - `)) == nil {
			t.Errorf("no line of %s in the access log", client)
		}
	}
	page := getFrom(t, "127.0.0.1", s.adminAddr(), "/metrics")
	for _, want := range []string{`_total{version="1"} 1`, `_total{version="2"} 2`, `_refused_total{reason="no-header"} 1`} {
		if !strings.Contains(page, "multiserver_proxy_headers"+want) {
			t.Errorf("no %s in the metrics", want)
		}
	}
}

func TestProxyProtocolByCurl(t *testing.T) {
	s := startProxied(t, newMirror(t).URL, "127.0.0.0/8")
	daemon.Need(t, "curl")
	f := func(want, url string, args ...string) {
		t.Helper()
		out, _ := exec.Command("curl", append([]string{"-sSk", "-m", "10", "--haproxy-protocol", url}, args...)...).CombinedOutput()
		if string(out) != want {
			t.Errorf("%s %v: %q, want %q", url, args, out, want)
		}
	}
	plain, secure := "http://"+s.addr()+"/", "https://"+s.logs(tlsListening)+"/"
	f("127.0.0.3 http", plain, "--interface", "127.0.0.3")
	f("127.0.0.3 http", plain, "--interface", "127.0.0.3", "--http2-prior-knowledge")
	f("127.0.0.3 https", secure, "--interface", "127.0.0.3", "--http1.1")
	f("127.0.0.3 https", secure, "--interface", "127.0.0.3", "--http2")
}

func startProxied(t *testing.T, upstream, trusted string) *service {
	t.Helper()
	return start(t, "--upstream", upstream, "--listen", "127.0.0.1:0;accept-proxy", "--tls-listen", "127.0.0.1:0;accept-proxy",
		"--tls-self-signed", "--trusted-proxies", trusted)
}

// HAProxy passes bytes on, TLS among them, and says whose they are. That it is
// itself among the trusted does not make its clients so.
func TestBehindHAProxy(t *testing.T) {
	s := startProxied(t, newMirror(t).URL, "127.0.0.1")
	for _, how := range []string{"send-proxy", "send-proxy-v2", "send-proxy-v2-ssl-cn", "send-proxy-v2 proxy-v2-options crc32c,unique-id,authority"} {
		plain, secure := daemon.Addr(t), daemon.Addr(t)
		tool(t, "haproxy", secure, "-db", "-f", written(t, "haproxy.cfg", fmt.Sprintf(`
defaults
	mode tcp
	timeout connect 5s
	timeout client 5s
	timeout server 5s
listen plain
	bind %s
	unique-id-format %%ci-%%cp
	server ours %s %s check check-send-proxy inter 100ms
listen secure
	bind %s
	unique-id-format %%ci-%%cp
	server ours %s %s
`, plain, s.addr(), how, secure, s.logs(tlsListening), how)))
		if got := getFrom(t, "127.0.0.3", plain, "/"); got != "127.0.0.3 http" {
			t.Errorf("%s: %q", how, got)
		}
		for _, version := range []string{"--http1.1", "--http2"} {
			out, _ := exec.Command("curl", "-sSk", "-m", "10", version, "--interface", "127.0.0.4", "-H", "X-Forwarded-For: 9.9.9.9", "https://"+secure+"/").CombinedOutput()
			if string(out) != "127.0.0.4 https" {
				t.Errorf("%s, %s: %q", how, version, out)
			}
		}
	}
}

// Where HAProxy ends TLS and passes on what is in it, its clients have come by
// TLS all the same: a redirect to https would go round and round.
func TestBehindHAProxyThatEndsTLS(t *testing.T) {
	s := start(t, "--upstream", newMirror(t).URL, "--listen", "127.0.0.1:0;accept-proxy", "--trusted-proxies", "127.0.0.1",
		"--tls-listen", "127.0.0.1:0", "--tls-self-signed", "--https-redirect")
	addr, dir := daemon.Addr(t), t.TempDir()
	cert, key := certstest.NewCA(t).Files(dir, "a", "a.test")
	pair, _ := os.ReadFile(cert)
	more, _ := os.ReadFile(key)
	tool(t, "haproxy", addr, "-db", "-f", written(t, "haproxy.cfg", fmt.Sprintf(`
defaults
	mode tcp
	timeout connect 5s
	timeout client 5s
	timeout server 5s
listen ended
	bind %s ssl crt %s alpn h2,http/1.1
	server ours %s send-proxy-v2-ssl
`, addr, written(t, "pair.pem", string(pair)+string(more)), s.addr())))
	for _, version := range []string{"--http1.1", "--http2"} {
		out, _ := exec.Command("curl", "-sSk", "-m", "10", version, "--interface", "127.0.0.4", "https://"+addr+"/").CombinedOutput()
		if string(out) != "127.0.0.4 https" {
			t.Errorf("%s: %q", version, out)
		}
	}
}

// nginx and HAProxy understand what we say, for checks as for clients.
func TestBeforeServersThatWantAHeader(t *testing.T) {
	f := func(name, addr, version string) {
		t.Helper()
		s := start(t, "--upstream", "http://"+addr+";send-proxy="+version, "--listen", "127.0.0.1:0", "--health-path", "/",
			"--health-interval", "50ms", "--health-rise", "1", "--health-fall", "1")
		for _, from := range []string{"127.0.0.3", "127.0.0.4", "127.0.0.3"} {
			if got := getFrom(t, from, s.addr(), "/"); got != "from "+from {
				t.Errorf("%s, %s: %q", name, version, got)
			}
		}
		time.Sleep(200 * time.Millisecond)
		if strings.Contains(s.stderr.String(), "fails its checks") {
			t.Errorf("%s, %s: fails its checks", name, version)
		}
	}
	t.Run("nginx", func(t *testing.T) {
		addr, dir := daemon.Addr(t), t.TempDir()
		tool(t, "nginx", addr, "-p", dir, "-e", dir+"/error.log", "-c", written(t, "nginx.conf", fmt.Sprintf(`
daemon off; master_process off; pid %s/pid; error_log stderr;
events {}
http {
	access_log off;
	client_body_temp_path %[1]s/a; proxy_temp_path %[1]s/b; fastcgi_temp_path %[1]s/c; uwsgi_temp_path %[1]s/d; scgi_temp_path %[1]s/e;
	server { listen %[2]s proxy_protocol; location / { return 200 "from $proxy_protocol_addr"; } }
}`, dir, addr)))
		f("nginx", addr, "v1")
		f("nginx", addr, "v2")
	})
	t.Run("haproxy", func(t *testing.T) {
		addr := daemon.Addr(t)
		tool(t, "haproxy", addr, "-db", "-f", written(t, "haproxy.cfg", fmt.Sprintf(`
defaults
	mode http
	timeout client 5s
frontend f
	bind %s accept-proxy
	http-request return status 200 content-type text/plain lf-string "from %%ci"
`, addr)))
		f("haproxy", addr, "v1")
		f("haproxy", addr, "v2")
	})
}

// Two of ours in a row: the second sees the first one's clients, by TLS, too.
func TestOneOfOursBehindAnother(t *testing.T) {
	second := startProxied(t, newMirror(t).URL, "127.0.0.1")
	for _, version := range []string{"v1", "v2"} {
		first := start(t, "--listen", "127.0.0.1:0", "--upstream-insecure", "--upstream", "https://"+second.logs(tlsListening)+";send-proxy="+version)
		for _, from := range []string{"127.0.0.3", "127.0.0.4"} {
			want := from + " https"
			if got := getFrom(t, from, first.addr(), "/"); got != want {
				t.Errorf("%s: %q, want %q", version, got, want)
			}
		}
	}
}
