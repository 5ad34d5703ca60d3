package acme

import (
	"crypto/tls"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

func testAuthority(t *testing.T) *Authority {
	t.Helper()
	a, err := New(Options{Names: []string{"a.test"}, CA: "https://127.0.0.1:1/", Dir: t.TempDir(), Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(a.Close)
	return a
}

// What is looked for is asked of the storage by name: clients choose neither.
func TestProofsAreOfOurNamesOnly(t *testing.T) {
	a := testAuthority(t)
	f := func(host, path string) {
		t.Helper()
		if got := a.ProveHTTP([]byte(host), []byte(path)); got != nil {
			t.Errorf("%s%s: %q", host, path, got)
		}
	}
	f("a.test", HTTPPath+"x")
	f("A.test:80", HTTPPath+"x")
	f("b.test", HTTPPath+"x")
	f("", HTTPPath)
	f("../../x", HTTPPath+"../../etc/passwd")
	f("a.test", HTTPPath+strings.Repeat("x", 1<<16))
	g := func(name string, protocols ...string) {
		t.Helper()
		if c, err := a.Prove(&tls.ClientHelloInfo{ServerName: name, SupportedProtos: protocols}); err != errNotOurs || c != nil {
			t.Errorf("%s %v: %v", name, protocols, err)
		}
	}
	g("b.test", TLSALPN)
	g("", TLSALPN)
	g("a.test", TLSALPN, "h2")
	g("a.test", "h2")
	g("a.test")
}

func TestADirectoryThatCannotBeUsedIsKnownAtStart(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := New(Options{Names: []string{"a.test"}, Dir: filepath.Join(file, "dir")}); err == nil {
		t.Error("no error")
	}
}

func TestNoCertificateBeforeOneIsOrdered(t *testing.T) {
	if c := testAuthority(t).Certificate("a.test"); c != nil {
		t.Error(c)
	}
}

func TestLinesOfCertmagic(t *testing.T) {
	var b strings.Builder
	to := slog.NewTextHandler(&b, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return a
	}})
	z := zap.New(core{to}).With(zap.String("who", "me"))
	z.Info("details")
	z.Error("tls-alpn challenge")
	z.Error("will retry", zap.Int("attempt", 2))
	z.Check(zapcore.WarnLevel, "not written") // at once
	if got, want := b.String(), "level=WARN msg=\"acme: will retry\" who=me attempt=2\n"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}
