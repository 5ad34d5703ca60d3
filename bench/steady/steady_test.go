//go:build linux

package steady

import (
	"math"
	"math/rand/v2"
	"net"
	"slices"
	"sync"
	"testing"
	"time"
)

func TestBucketsHoldWhatTheySay(t *testing.T) {
	for i := range buckets - 1 {
		if u := upper(i); bucket(u) != i || bucket(u+1) != i+1 {
			t.Fatalf("bucket %d ends at %d, which is in %d; the next in %d", i, u, bucket(u), bucket(u+1))
		}
	}
	if i := bucket(math.MaxInt64); i >= buckets {
		t.Fatalf("the longest is in bucket %d of %d", i, buckets)
	}
}

func TestQuantiles(t *testing.T) {
	var h Hist
	if h.Quantile(0.5) != 0 {
		t.Error("a quantile of nothing")
	}
	var all []time.Duration
	for range 50_000 {
		d := time.Duration(math.Exp(rand.Float64() * 23)) // up to ten seconds
		all = append(all, d)
		h.Add(d)
	}
	slices.Sort(all)
	for _, q := range []float64{0, 0.5, 0.9, 0.99, 0.999, 1} {
		want := all[max(int(math.Ceil(q*float64(len(all))))-1, 0)]
		if got := h.Quantile(q); got < want || float64(got) > 1.008*float64(want)+1 {
			t.Errorf("quantile %v: %v, want %v", q, got, want)
		}
	}
	if h.Max() != all[len(all)-1] || h.Count() != 50_000 {
		t.Errorf("max %v, count %d", h.Max(), h.Count())
	}
	h.Add(-time.Second)
	if h.Quantile(0) != 0 {
		t.Error("less than nothing is not nothing")
	}
}

func TestPaceKeepsItsRates(t *testing.T) {
	p := NewPace(1, Step{1000, 10 * time.Second}, Step{10_000, 5 * time.Second})
	if p.Length() != 15*time.Second {
		t.Errorf("length %v", p.Length())
	}
	var n [2]int
	last := time.Duration(0)
	for at, ok := p.Next(); ok; at, ok = p.Next() {
		if at < last || at >= 15*time.Second {
			t.Fatalf("%v after %v", at, last)
		}
		last = at
		n[min(at/(10*time.Second), 1)]++
	}
	for i, want := range []float64{10_000, 50_000} {
		if off := math.Abs(float64(n[i]) - want); off > 5*math.Sqrt(want) {
			t.Errorf("step %d: %d requests, want %v", i, n[i], want)
		}
	}
}

func TestPaceIsTheSameForAll(t *testing.T) {
	p, q := NewPace(7, Step{100, time.Second}), NewPace(7, Step{100, time.Second})
	for {
		a, more := p.Next()
		if b, _ := q.Next(); a != b {
			t.Fatalf("%v and %v", a, b)
		}
		if !more {
			return
		}
	}
}

// A server that stands still for a while must show in the latencies of all
// that were due meanwhile, though there is only one connection.
func TestNobodyIsOmittedWhileTheServerStandsStill(t *testing.T) {
	const stood = 300 * time.Millisecond
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	go func() {
		c, err := ln.Accept()
		if err != nil {
			return
		}
		defer c.Close()
		buf := make([]byte, 1024)
		for first := true; ; first = false {
			if _, err := c.Read(buf); err != nil {
				return
			}
			if first {
				time.Sleep(stood)
			}
			c.Write([]byte("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"))
		}
	}()
	var mu sync.Mutex
	var late, all int
	l := Load{Addr: ln.Addr().String(), Pace: NewPace(1, Step{500, time.Second}), Conns: 1, Limit: 5 * time.Second,
		Request: []byte("GET / HTTP/1.1\r\nHost: a\r\n\r\n"),
		Seen: func(a *Answer) {
			mu.Lock()
			defer mu.Unlock()
			if all++; a.Err != nil {
				t.Errorf("due at %v: %v", a.Due, a.Err)
			}
			if want := stood - a.Due; a.Took < want-10*time.Millisecond {
				t.Errorf("due at %v, took %v", a.Due, a.Took)
			}
			if a.Took > stood/2 {
				late++
			}
		}}
	if err := l.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	if late < 50 || all < 300 {
		t.Errorf("%d of %d late, want about 75 of 500", late, all)
	}
}

func TestTimerIsExact(t *testing.T) {
	timer, err := NewTimer()
	if err != nil {
		t.Fatal(err)
	}
	defer timer.Close()
	var off []time.Duration
	for range 50 {
		began := time.Now()
		if err := timer.Sleep(2 * time.Millisecond); err != nil {
			t.Fatal(err)
		}
		off = append(off, time.Since(began)-2*time.Millisecond)
	}
	slices.Sort(off)
	if off[0] < 0 || off[5] > 2*time.Millisecond { // busy machines are later, never earlier
		t.Errorf("off by %v at least, more than %v nine times in ten", off[0], off[5])
	}
}
