package proxy_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"multiserver/proxy"
)

func TestProofsAreAnsweredBeforeTheRedirect(t *testing.T) {
	change := func(o *proxy.Options) {
		o.Redirect = "443"
		o.Proof = func(host, path []byte) []byte {
			if string(host) != "a.test" || string(path) != proxy.ProofPath+"token" {
				return nil
			}
			return []byte("token.print")
		}
	}
	addr, _ := startProxyWith(t, change, startOrigin(t, 0, "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\napp"))
	f := func(method, host, path, want string) {
		t.Helper()
		ask, _ := http.NewRequest(method, "http://"+addr+path, nil)
		ask.Host = host
		res, err := http.DefaultTransport.RoundTrip(ask)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		body, _ := io.ReadAll(res.Body)
		if got := res.Status[:3] + " " + string(body); got != want {
			t.Errorf("%s %s%s: %q, want %q", method, host, path, got, want)
		}
		if res.StatusCode == 200 && res.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("%v", res.Header)
		}
	}
	f("GET", "a.test", proxy.ProofPath+"token", "200 token.print")
	f("GET", "a.test", proxy.ProofPath+"other", "308 ")
	f("GET", "b.test", proxy.ProofPath+"token", "308 ")
	f("HEAD", "a.test", proxy.ProofPath+"token", "308 ")
	f("GET", "a.test", "/", "308 ")
	f("GET", "a.test", strings.TrimSuffix(proxy.ProofPath, "/"), "308 ")
}

// What is no proof of ours may be one of the app's.
func TestProofsThatAreNotOursGoToTheApp(t *testing.T) {
	change := func(o *proxy.Options) { o.Proof = func(host, path []byte) []byte { return nil } }
	addr, _ := startProxyWith(t, change, startOrigin(t, 0, "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\napp"))
	res, err := http.Get("http://" + addr + proxy.ProofPath + "token")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if body, _ := io.ReadAll(res.Body); string(body) != "app" {
		t.Errorf("%s %q", res.Status, body)
	}
}
