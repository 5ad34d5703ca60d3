package proxy_test

import (
	"errors"
	"fmt"
	"io"
	"log"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// settings are the flags of a case, for fronts with a language of their own.
type settings map[string]string

func parseFlags(flags []string) settings {
	s := settings{}
	for i := 0; i < len(flags); i++ {
		name := flags[i]
		if i+1 < len(flags) && !strings.HasPrefix(flags[i+1], "--") {
			i++
			s[name] = flags[i]
		} else {
			s[name] = ""
		}
	}
	return s
}

// translate writes each flag in a front's own words, %s being its value.
func (s settings) translate(words map[string]string, value func(string) string) (string, error) {
	var lines []string
	for name, v := range s {
		w, ok := words[name]
		if !ok {
			return "", fmt.Errorf("%w: %s", errUnsupported, name)
		}
		lines = append(lines, strings.ReplaceAll(w, "%s", value(v)))
	}
	return strings.Join(lines, "\n"), nil
}

// nginxFront is nginx as people set it up with care: HTTP/1.1 and kept-alive
// connections upstream, the client's Host, streaming, WebSocket.
type nginxFront struct{}

const nginxConf = `daemon off; master_process off; pid %[1]s/pid; error_log stderr;
events {}
http {
	access_log off;
	client_body_temp_path %[1]s/a; proxy_temp_path %[1]s/b; fastcgi_temp_path %[1]s/c; uwsgi_temp_path %[1]s/d; scgi_temp_path %[1]s/e;
	map $http_upgrade $connection_upgrade { default upgrade; '' ''; }
	upstream origin { server %[2]s max_fails=0; keepalive 16; }
	server {
		listen %[3]s;
		client_max_body_size 0;
		location / {
			proxy_pass http://origin;
			proxy_http_version 1.1;
			proxy_request_buffering off;
			proxy_buffering off;
			proxy_set_header Host $http_host;
			proxy_set_header Upgrade $http_upgrade;
			proxy_set_header Connection $connection_upgrade;
			proxy_set_header X-Forwarded-For $remote_addr;
			proxy_set_header X-Forwarded-Host $http_host;
			proxy_set_header X-Forwarded-Proto $scheme;
			proxy_set_header X-Forwarded-Port $server_port;
			proxy_set_header X-Request-Id $request_id;
		}
		%[4]s
	}
}
`

var nginxWords = map[string]string{
	"--timeout":           "proxy_read_timeout %s;",
	"--connect-timeout":   "proxy_connect_timeout %s;",
	"--idle-timeout":      "client_body_timeout %s; proxy_send_timeout %s; send_timeout %s;",
	"--header-timeout":    "client_header_timeout %s;",
	"--keepalive-timeout": "keepalive_timeout %s;",
	"--max-head":          "large_client_header_buffers 4 %s;",
	"--max-body":          "client_max_body_size %s;",
}

func (nginxFront) start(t *testing.T, origin string, flags []string) (running, error) {
	extra, err := parseFlags(flags).translate(nginxWords, func(v string) string { return strings.Replace(v, "KiB", "k", 1) })
	if err != nil {
		return running{}, err
	}
	addr, err := freeAddr()
	if err != nil {
		return running{}, err
	}
	dir := t.TempDir()
	conf := filepath.Join(dir, "nginx.conf")
	if err := os.WriteFile(conf, fmt.Appendf(nil, nginxConf, dir, origin, addr, extra), 0o600); err != nil {
		return running{}, err
	}
	return startProcess(t, exec.Command("nginx", "-c", conf, "-e", "stderr"), connectable(addr))
}

type haproxyFront struct{}

const haproxyConf = `defaults
	mode http
	timeout client 60s
	timeout server 60s
	timeout connect 3s
	timeout http-request 10s
	timeout http-keep-alive 60s
	http-reuse always
	retries 1
	option forwardfor
	%[3]s
frontend in
	bind %[2]s
	http-request set-header X-Forwarded-Host %%[req.hdr(Host)]
	http-request set-header X-Forwarded-Proto http
	http-request set-header X-Forwarded-Port %%[dst_port]
	default_backend out
backend out
	server origin %[1]s
`

var haproxyWords = map[string]string{
	"--timeout":           "timeout server %s",
	"--connect-timeout":   "timeout connect %s",
	"--idle-timeout":      "timeout client %s\ntimeout server %s",
	"--header-timeout":    "timeout http-request %s",
	"--keepalive-timeout": "timeout http-keep-alive %s",
}

func (haproxyFront) start(t *testing.T, origin string, flags []string) (running, error) {
	extra, err := parseFlags(flags).translate(haproxyWords, func(v string) string { return v })
	if err != nil {
		return running{}, err
	}
	addr, err := freeAddr()
	if err != nil {
		return running{}, err
	}
	conf := filepath.Join(t.TempDir(), "haproxy.cfg")
	if err := os.WriteFile(conf, fmt.Appendf(nil, haproxyConf, origin, addr, extra), 0o600); err != nil {
		return running{}, err
	}
	return startProcess(t, exec.Command("haproxy", "-db", "-q", "-f", conf), connectable(addr))
}

// reverseProxyFront is what a Go program has in its standard library.
type reverseProxyFront struct{}

func (reverseProxyFront) start(t *testing.T, origin string, flags []string) (running, error) {
	transport := &http.Transport{DisableCompression: true, ResponseHeaderTimeout: time.Minute}
	proxy := &httputil.ReverseProxy{
		Transport:     transport,
		FlushInterval: -1,
		ErrorLog:      log.New(io.Discard, "", 0),
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(&url.URL{Scheme: "http", Host: origin})
			r.Out.Host = r.In.Host
			r.SetXForwarded()
		},
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, err error) {
			if t, ok := err.(interface{ Timeout() bool }); ok && t.Timeout() {
				w.WriteHeader(http.StatusGatewayTimeout)
				return
			}
			w.WriteHeader(http.StatusBadGateway)
		},
	}
	server := &http.Server{Handler: proxy, ReadHeaderTimeout: 10 * time.Second, MaxHeaderBytes: 64 << 10, ErrorLog: proxy.ErrorLog}
	for name, v := range parseFlags(flags) {
		d, _ := time.ParseDuration(v)
		switch name {
		case "--timeout":
			transport.ResponseHeaderTimeout = d
		case "--header-timeout":
			server.ReadHeaderTimeout = d
		case "--keepalive-timeout":
			server.IdleTimeout = d
		default:
			return running{}, fmt.Errorf("%w: %s", errUnsupported, name)
		}
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return running{}, err
	}
	served := make(chan struct{})
	go func() { server.Serve(ln); close(served) }()
	t.Cleanup(func() {
		server.Close()
		<-served
		transport.CloseIdleConnections()
	})
	return running{ln.Addr().String(), func() error { return nil }}, nil
}

// connectable is ready for a proxy that was told where to listen.
func connectable(addr string) func(string) string {
	return func(string) string {
		conn, err := net.Dial("tcp", addr)
		if err != nil {
			return ""
		}
		conn.Close()
		return addr
	}
}

// The ports given to peers lie below those that the kernel hands out for
// outgoing connections (from 32768 on), or one of the many connections of the
// other cases could take a port between our looking and its being listened on.
const firstPort, ports = 12000, 20000

var nextPort atomic.Uint32

func init() { nextPort.Store(rand.Uint32N(ports)) }

func freeAddr() (string, error) {
	for range ports {
		addr := "127.0.0.1:" + strconv.Itoa(firstPort+int(nextPort.Add(1)%ports))
		if ln, err := net.Listen("tcp", addr); err == nil {
			return addr, ln.Close()
		}
	}
	return "", errors.New("no free port")
}
