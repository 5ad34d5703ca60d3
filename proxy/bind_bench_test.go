package proxy_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"syscall"
	"testing"
	"time"

	"multiserver/proxy"
)

// BenchmarkSession is of an exchange, client and origin included, in CPU time:
// without sessions, where there are some and the client has none, and with one
// that lies in this process.
func BenchmarkSession(b *testing.B) {
	with := withSessions(b)
	req, answer := begun(b, with)
	none := bytes.Replace(req, []byte("sync_sess"), []byte("other_one"), 1) // as long
	for _, c := range []struct {
		name    string
		change  func(*proxy.Options)
		request []byte
	}{{"none", nil, none}, {"without", with, none}, {"with", with, req}} {
		b.Run(c.name, func(b *testing.B) {
			addr, _ := startProxyWith(b, c.change, startOrigin(b, 0, answer))
			nc := dial(b, addr)
			got := make([]byte, len(answer))
			before := cpuTime(b)
			for b.Loop() {
				nc.Write(c.request)
				if _, err := io.ReadFull(nc, got); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64((cpuTime(b)-before).Nanoseconds())/float64(b.N), "cpu-ns/op")
		})
	}
}

func cpuTime(t testing.TB) time.Duration {
	t.Helper()
	var r syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &r); err != nil {
		t.Fatal(err)
	}
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}

// begun gives what a client asks with that has a session, and the origin's
// answer, which says nothing of one.
func begun(t testing.TB, with func(*proxy.Options)) (req []byte, answer string) {
	t.Helper()
	setter := startOrigin(t, 0, "HTTP/1.1 200 OK\r\nX-Session-Set: {\"user\":42,\"name\":\"Ann\",\"cart\":[1,2,3]}\r\nContent-Length: 0\r\n\r\n")
	addr, _ := startProxyWith(t, with, setter)
	res, _ := fetch(t, addr, request("/"))
	var cookie *http.Cookie
	for _, c := range res.Cookies() {
		cookie = c
	}
	if cookie == nil {
		t.Fatal("no session")
	}
	return []byte(request("/1k", "User-Agent: test", "Accept: */*", "Cookie: a=b; "+cookie.Name+"="+cookie.Value)),
		fmt.Sprintf("HTTP/1.1 200 OK\r\nDate: Sun, 22 Nov 2026 18:00:00 GMT\r\nContent-Length: 1024\r\n\r\n%01024d", 0)
}
