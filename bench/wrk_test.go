//go:build linux

package main

import "testing"

const wrkOutput = `Running 3s test @ http://127.0.0.1:8080/1k
  1 threads and 64 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency   799.80us  274.45us   4.85ms   79.43%
  119138 requests in 2.00s, 133.73MB read
Requests/sec:  59501.64

{"requests":119138,"bytes":140225426,"us":2001739,"p50":870,"p90":1224,"p99":2026,"max":7285,"connect":0,"read":0,"write":0,"timeout":0,"status":0}
`

func TestWrk(t *testing.T) {
	l, err := parseWrk([]byte(wrkOutput))
	if err != nil {
		t.Fatal(err)
	}
	if want := (Load{Requests: 119138, Bytes: 140225426, Micros: 2001739, P50: 870, P90: 1224, P99: 2026, Max: 7285}); *l != want {
		t.Errorf("%+v, want %+v", *l, want)
	}
	for _, out := range []string{"", "unable to connect to 127.0.0.1:1 Connection refused\n", "{\"requests\":\n"} {
		if l, err := parseWrk([]byte(out)); err == nil {
			t.Errorf("%q: %+v and no error", out, l)
		}
	}
}

func TestLoadThatFailedIsNoResult(t *testing.T) {
	f := func(l Load, fault bool) {
		t.Helper()
		if got := l.fault(); (got != "") != fault {
			t.Errorf("%+v: fault %q", l, got)
		}
	}
	f(Load{Requests: 1}, false)
	f(Load{}, true)
	f(Load{Requests: 1, Status: 1}, true)
	f(Load{Requests: 1, Connect: 1}, true)
	f(Load{Requests: 1, Read: 1}, true)
	f(Load{Requests: 1, Write: 1}, true)
	f(Load{Requests: 1, Timeout: 1}, true)
}
