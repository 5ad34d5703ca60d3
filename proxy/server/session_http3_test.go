package server

import (
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
)

// Whatever a client speaks, it is in the same session, and cannot say what is in it.
func TestASessionIsTheSameByEveryProtocol(t *testing.T) {
	s := start(t, "--session memory", "--session-key nobody-keeps-it-secret", "--upstream "+newCounter(t).URL,
		"--tls-listen 127.0.0.1:0", "--tls-self-signed true", "--http3 true")
	plain, secure := s.Addrs()[0], s.Addrs()[1]
	h2, _ := over(t, secure, true)
	h3 := overQUIC(t)
	h1 := &http.Client{Timeout: patience, Transport: &http.Transport{DisableKeepAlives: true, TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}
	var token *http.Cookie
	f := func(c *http.Client, where, proto, want string) {
		t.Helper()
		req, _ := http.NewRequest("GET", where, nil)
		req.Header.Set("X-Session-Data", `{"user":"root","count":100}`)
		req.AddCookie(&http.Cookie{Name: "theme", Value: "dark"})
		if token != nil {
			req.AddCookie(token)
		}
		res, err := c.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(res.Body)
		res.Body.Close()
		if err != nil || res.Proto != proto || string(body) != want || res.Header.Get("X-Session-Set") != "" {
			t.Errorf("%s: %v %s %q %v, want %q", proto, err, res.Proto, body, res.Header, want)
		}
		for _, c := range res.Cookies() {
			if c.Name == "sync_sess" {
				if token = c; c.Secure != (strings.HasPrefix(where, "https:")) || !c.HttpOnly {
					t.Errorf("%s: %v", proto, c)
				}
			}
		}
	}
	url := fmt.Sprintf("https://%s", secure)
	f(h3, url+"/", "HTTP/3.0", " 1")
	f(h2, "https://localhost/", "HTTP/2.0", " 2")
	f(h3, url+"/?user=ann", "HTTP/3.0", " 3") // another id
	f(h1, url+"/", "HTTP/1.1", "ann 4")
	f(h1, "http://"+plain.String(), "HTTP/1.1", "ann 5")
	f(h3, url+"/", "HTTP/3.0", "ann 6")
	f(h3, url+"/logout", "HTTP/3.0", "ann 7")
	f(h3, url+"/", "HTTP/3.0", " 1")
}
