package certs

import (
	"crypto/tls"
	"io"
	"log/slog"
	"testing"

	"multiserver/proxy/certs/certstest"
)

func TestPlanShowsOthersOnceItIsDone(t *testing.T) {
	ca, dir := certstest.NewCA(t), t.TempDir()
	pairOf := func(name string) Pair {
		cert, key := ca.Files(dir, name, name+".test")
		return Pair{Cert: cert, Key: key}
	}
	one, two := pairOf("one"), pairOf("two")
	s, err := New(Options{Pairs: []Pair{one}, Log: slog.New(slog.NewTextHandler(io.Discard, nil))})
	if err != nil {
		t.Fatal(err)
	}
	shows := func(ask, want string) {
		t.Helper()
		c, err := s.Config().GetCertificate(&tls.ClientHelloInfo{ServerName: ask})
		if err != nil || c.Leaf.DNSNames[0] != want {
			t.Errorf("who asks for %s is shown %v, %v, want %s", ask, c.Leaf.DNSNames, err, want)
		}
	}
	kept := s.kept[0]
	if _, err := s.Plan([]Pair{two, {Cert: dir + "/none.pem", Key: two.Key}}, false); err == nil {
		t.Error("a file that is not there")
	}
	if _, err := s.Plan(nil, false); err == nil {
		t.Error("none at all")
	}
	shows("two.test", "one.test")
	change, err := s.Plan([]Pair{two, one}, true)
	if err != nil {
		t.Fatal(err)
	}
	shows("two.test", "one.test")
	change()
	shows("two.test", "two.test")
	shows("one.test", "one.test")
	shows("localhost", "localhost")
	shows("other.test", "two.test")
	if s.kept[1] != kept {
		t.Error("what stays was read anew")
	}
	s.Reload()
	shows("two.test", "two.test")
}
