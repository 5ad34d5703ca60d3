package proxy_test

import (
	"bytes"
	"io"
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
