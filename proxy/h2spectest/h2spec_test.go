package h2spectest

import (
	"bytes"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/summerwind/h2spec/config"
	"github.com/summerwind/h2spec/generic"
	"github.com/summerwind/h2spec/hpack"
	"github.com/summerwind/h2spec/http2"
	"github.com/summerwind/h2spec/spec"

	"multiserver/proxy/binarytest"
)

func TestMain(m *testing.M) { binarytest.Main(m) }

func TestAllOfH2specPasses(t *testing.T) {
	origin := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = w.Write(bytes.Repeat([]byte("hello "), 1000))
	}))
	defer origin.Close()
	at := binarytest.Start(t, "--upstream", origin.URL, "--listen", "127.0.0.1:0", "--tls-listen", "127.0.0.1:0", "--tls-self-signed")
	plain, secure := port(t, at.Plain()), port(t, at.Secure())
	for _, c := range []*config.Config{
		{Port: plain},
		{Port: secure, TLS: true, Insecure: true},
		{Port: secure, TLS: true, Insecure: true, Strict: true},
	} {
		c.Host, c.Path, c.Timeout, c.MaxHeaderLen = "127.0.0.1", "/", binarytest.Patience, 4000
		passed := 0
		for _, group := range []*spec.TestGroup{generic.Spec(), http2.Spec(), hpack.Spec()} {
			group.Test(c)
			passed += group.PassedCount
			if group.FailedCount+group.SkippedCount > 0 {
				t.Errorf("TLS %v, strict %v: %d of %q failed, %d skipped", c.TLS, c.Strict, group.FailedCount, group.Name, group.SkippedCount)
			}
		}
		if passed < 145 {
			t.Errorf("TLS %v, strict %v: %d passed", c.TLS, c.Strict, passed)
		}
	}
}

func port(t *testing.T, addr string) int {
	t.Helper()
	a, err := net.ResolveTCPAddr("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	return a.Port
}
