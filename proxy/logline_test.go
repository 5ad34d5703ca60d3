package proxy_test

import (
	"bytes"
	"regexp"
	"sync"
	"testing"

	"multiserver/proxy"
)

// lines is what an access log was written to.
type lines struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lines) find(re string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return regexp.MustCompile(re).Match(l.b.Bytes())
}

// A refused request took no time that could be told; least of all that since
// the request before, whose Exchange it may have.
func TestRefusedRequestIsLoggedWithoutATime(t *testing.T) {
	var out lines
	log := proxy.NewLog(&out, proxy.LogForm{})
	defer log.Close()
	origin := startOrigin(t, 0, "HTTP/1.1 204 No Content\r\n\r\n")
	addr, _ := startProxyWith(t, func(o *proxy.Options) { o.Lines = log }, origin)
	if _, err := dial(t, addr).Write([]byte(request("/") + "GET / HTTP/1.1\r\nHost : a\r\n\r\n")); err != nil {
		t.Fatal(err)
	}
	await(t, "the line of the refused one", func() bool { return out.find(` 400 .* duration=0\.000000 `) })
}
