//go:build linux

package main

import (
	"os"
	"strings"
	"testing"
)

func TestPeersAreFilledIn(t *testing.T) {
	for _, name := range []string{"nginx.conf", "haproxy.cfg", "varnish.vcl"} {
		for _, plain := range []bool{false, true} {
			at := place{Dir: t.TempDir(), Port: 1234, Origin: 5678, Plain: plain, Cache: 64}
			path, err := fill(name, at)
			if err != nil {
				t.Fatal(err)
			}
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			for _, want := range []string{"127.0.0.1:1234", "127.0.0.1", "5678"} {
				if name == "varnish.vcl" && want == "127.0.0.1:1234" {
					continue // its command line says where it listens
				}
				if !strings.Contains(string(text), want) {
					t.Errorf("%s, plain %v: no %s in\n%s", name, plain, want, text)
				}
			}
		}
	}
}

func TestBinary(t *testing.T) {
	s, err := binary(t.Context(), "new=/tmp/b --queue 9", "")
	if err != nil || s.Name != "new" || s.Path != "/tmp/b" || !s.Ours {
		t.Fatalf("%+v, %v", s, err)
	}
	args, _ := s.args(place{Port: 1, Origin: 2, Admin: 3})
	want := "--listen 127.0.0.1:1 --upstream http://127.0.0.1:2 --access-log off --admin 127.0.0.1:3 --queue 9"
	if got := strings.Join(args, " "); got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
	args, _ = s.args(place{Port: 1, Origin: 2, Cache: 64})
	if got := strings.Join(args, " "); !strings.Contains(got, "--cache 64MiB") {
		t.Errorf("%s: no cache", got)
	}
	if s, _ := binary(t.Context(), "/tmp/b --x=y", ""); s.Name != "multiserver" || s.Path != "/tmp/b" {
		t.Errorf("without a name: %+v", s)
	}
	if _, err := binary(t.Context(), " ", ""); err == nil {
		t.Error("no error for an empty one")
	}
}
