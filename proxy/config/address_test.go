package config

import (
	"strings"
	"testing"
)

func TestAddresses(t *testing.T) {
	f := func(s string, want Address) {
		t.Helper()
		got, err := parseAddress(s)
		if err != nil || got != want {
			t.Errorf("%q: %+v, %v, want %+v", s, got, err, want)
		}
	}
	f(":8080", Address{Network: "tcp", Addr: ":8080"})
	f(":0", Address{Network: "tcp", Addr: ":0"})
	f(":080", Address{Network: "tcp", Addr: ":80"})
	f("127.0.0.1:8080", Address{Network: "tcp", Addr: "127.0.0.1:8080"})
	f("0.0.0.0:80", Address{Network: "tcp", Addr: "0.0.0.0:80"})
	f("[::1]:80", Address{Network: "tcp", Addr: "[::1]:80"})
	f("[fe80::1%eth0]:80", Address{Network: "tcp", Addr: "[fe80::1%eth0]:80"})
	f("localhost:65535", Address{Network: "tcp", Addr: "localhost:65535"})
	f("my_service.internal.:80", Address{Network: "tcp", Addr: "my_service.internal.:80"})
	f("unix:/run/x.sock", Address{Network: "unix", Addr: "/run/x.sock"})
	f("unix:///run/x.sock", Address{Network: "unix", Addr: "/run/x.sock"})
	f("unix:x.sock", Address{Network: "unix", Addr: "x.sock"})
	f("unix:@name", Address{Network: "unix", Addr: "@name"})

	wrong := func(s, why string) {
		t.Helper()
		if a, err := parseAddress(s); err == nil || !strings.Contains(err.Error(), why) {
			t.Errorf("%q: %+v, %v, want %q", s, a, err, why)
		}
	}
	wrong("8080", "missing colon, want :8080")
	wrong("localhost", "missing port, want localhost:8080")
	wrong("127.0.0.1", "missing port, want 127.0.0.1:8080")
	wrong("127.0.0.1:", "missing port after the colon")
	wrong("[::1]", "missing port, want [::1]:8080")
	wrong("::1", "needs brackets, want [::1]:8080")
	wrong("::1:80", "needs brackets")
	wrong("[::1]80", "stray")
	wrong("[::1]:", "stray")
	wrong("[::1", "in brackets")
	wrong("[127.0.0.1]:80", "in brackets")
	wrong("a:b:c", "too many colons")
	wrong(":http", `port "http" is not a number`)
	wrong(":65536", "out of range, want 0 to 65535")
	wrong(":99999999999999999999", "out of range")
	wrong(":-1", "not a number")
	wrong("*:80", "want :80")
	wrong("10.0.0.300:80", "not an IP address")
	wrong("a..b:80", "between two dots")
	wrong(".:80", "not an IP address")
	wrong("a b:80", "not allowed")
	wrong("bücher.example:80", "xn--")
	wrong(strings.Repeat("a", 64)+":80", "at most 63")
	wrong(strings.Repeat("a.", 130)+":80", "at most 253")
	wrong("http://127.0.0.1:80", "no scheme")
	wrong("unix:", "missing path")
	wrong("unix:/"+strings.Repeat("a", 107), "at most 107")
}

func TestUpstreamURLs(t *testing.T) {
	f := func(s string, want Target) {
		t.Helper()
		got, err := parseTarget(s)
		if err != nil || got != want {
			t.Errorf("%q: %+v, %v, want %+v", s, got, err, want)
		}
	}
	f("http://app", Target{URL: "http://app", Scheme: "http", Host: "app", Port: "80", Weight: 1})
	f("http://app/", Target{URL: "http://app", Scheme: "http", Host: "app", Port: "80", Weight: 1})
	f("HTTP://app:3000", Target{URL: "http://app:3000", Scheme: "http", Host: "app", Port: "3000", Weight: 1})
	f("https://app", Target{URL: "https://app", Scheme: "https", Host: "app", Port: "443", Weight: 1})
	f("http://[::1]", Target{URL: "http://[::1]", Scheme: "http", Host: "::1", Port: "80", Weight: 1})
	f("http://[::1]:3000;weight=2", Target{URL: "http://[::1]:3000", Scheme: "http", Host: "::1", Port: "3000", Weight: 2})
	f("unix:/run/a.sock;weight=1000", Target{URL: "unix:/run/a.sock", Scheme: "unix", Host: "/run/a.sock", Weight: 1000})
	f("http://app;max=9", Target{URL: "http://app", Scheme: "http", Host: "app", Port: "80", Weight: 1, Max: 9})
	f("http://app;max=0", Target{URL: "http://app", Scheme: "http", Host: "app", Port: "80", Weight: 1})
	f("http://app;backup", Target{URL: "http://app", Scheme: "http", Host: "app", Port: "80", Weight: 1, Backup: true})
	f("http://app;backup;max=1;weight=3", Target{URL: "http://app", Scheme: "http", Host: "app", Port: "80", Weight: 3, Max: 1, Backup: true})
	f("srv+http://_app._tcp.example.org", Target{URL: "srv+http://_app._tcp.example.org", Scheme: "srv+http", Host: "_app._tcp.example.org", Weight: 1})
	f("SRV+HTTPS://app.service.consul/;max=2", Target{URL: "srv+https://app.service.consul", Scheme: "srv+https", Host: "app.service.consul", Weight: 1, Max: 2})

	wrong := func(s, why string) {
		t.Helper()
		if got, err := parseTarget(s); err == nil || !strings.Contains(err.Error(), why) {
			t.Errorf("%q: %+v, %v, want %q", s, got, err, why)
		}
	}
	wrong("10.0.0.7", "missing scheme, want http://10.0.0.7:80")
	wrong("10.0.0.7:3000", "missing scheme, want http://10.0.0.7:3000")
	wrong("app", "missing scheme, want http://app:80")
	wrong("3000", "want http://127.0.0.1:3000")
	wrong(":3000", "want http://127.0.0.1:3000")
	wrong("::1", "want http://[::1]:80")
	wrong("//app:3000", "want http://app:3000")
	wrong("/run/app.sock", "want unix:/run/app.sock")
	wrong("http://", "missing host")
	wrong("http://:3000", "missing host")
	wrong("http://app:0", "out of range, want 1 to 65535")
	wrong("http://app:", "missing port after the colon")
	wrong("http://app:port", `port "port" is not a number`)
	wrong("http://app/api", "a path is not supported (requests keep their own), want http://app")
	wrong("http://app?x=1", "a query or fragment is not supported, want http://app")
	wrong("http://app#x", "a query or fragment is not supported, want http://app")
	wrong("http://me:pw@app", "user and password are not supported, want http://app")
	wrong("ftp://app", `scheme "ftp" is not supported, want http://, https://, h2c://, h2:// (by TLS), srv+ before one of these, unix:/path or unix+h2c:/path`)
	wrong("ftp://app", `scheme "ftp" is not supported`)
	wrong("srv+http://app:80", "SRV records bring their own ports, want srv+http://app, or http://app:80")
	wrong("srv+http://10.0.0.7", "an address has no SRV records, want a service's name, or http://10.0.0.7:80")
	wrong("srv+https://[::1]:8443", "want a service's name, or https://[::1]:8443")
	wrong("srv+ftp://app", `scheme "srv+ftp" is not supported`)
	wrong("http://app;max_conns=9", `unknown option ";max_conns", want ;weight=N, ;max=N, ;backup, ;pipeline=N or ;send-proxy=v1|v2`)
	wrong("http://app;max", `max "", want 1 to 1048576 exchanges at once, or 0 for no limit`)
	wrong("http://app;max=-1", `max "-1"`)
	wrong("http://app;max=2000000", `max "2000000"`)
	wrong("http://app;backup=yes", ";backup takes no value")
	wrong("http://app;weight=2;weight=2", ";weight given twice")
	wrong("http://app;", `unknown option ";"`)
	wrong("http://app;weight", `weight "", want 1 to 1000`)
	wrong("http://app;weight=0", "leave the upstream out")
	wrong("http://app;weight=-1", `weight "-1", want 1 to 1000`)
	wrong("http://app;weight=1001", "want 1 to 1000")
	wrong("http://app;weight=2;heavy", `unknown option ";heavy"`)
	wrong("unix:", "missing path")
}

// What is accepted is canonical: reading it again changes nothing. And no
// message, whatever comes in, breaks the line it stands on.
func FuzzTarget(f *testing.F) {
	for _, s := range []string{"http://a", "https://[::1]:8;weight=3", "unix:/x", "a\nb", "http://a@b", "unix:\x00", "http://a\n/",
		"http://a;max=3;backup", "srv+http://_a._tcp.b"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		raw := Raw{"upstream": {From: "--upstream", Words: []string{s}}, "listen": {From: "--listen", Words: []string{s}}}
		if _, err := Parse(raw); err != nil {
			for _, m := range err.(Mistakes) {
				if strings.ContainsAny(m.Error(), "\n\r\x00\x1b") {
					t.Errorf("%q: a message of more than a line: %q", s, m.Error())
				}
			}
		}
		target, err := parseTarget(s)
		if err != nil {
			return
		}
		again, err := parseTarget(target.String())
		if err != nil || again != target {
			t.Errorf("%q: read back %+v, %v, want %+v", s, again, err, target)
		}
	})
}
