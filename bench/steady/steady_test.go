//go:build linux

package steady

import (
	"io"
	"math"
	"math/rand/v2"
	"net"
	"slices"
	"strings"
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
	request := []byte("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
	pace := func() *Pace { return NewPace(1, Step{500, time.Second}) }
	for name, run := range map[string]func(addr string, seen func(due, took time.Duration, err error)) error{
		"Load": func(addr string, seen func(due, took time.Duration, err error)) error {
			l := Load{Addr: addr, Pace: pace(), Conns: 1, Limit: 5 * time.Second, Request: request,
				Seen: func(a *Answer) { seen(a.Due, a.Took, a.Err) }}
			return l.Run(t.Context())
		},
		"Beat": func(addr string, seen func(due, took time.Duration, err error)) error {
			b := Beat{Addr: addr, Pace: pace(), Conns: 1, Limit: 5 * time.Second, Request: request, Seen: seen}
			return b.Run(t.Context())
		},
	} {
		t.Run(name, func(t *testing.T) {
			var late, all int
			err := run(standsStill(t, stood), func(due, took time.Duration, err error) { // of one connection, or one thread
				if all++; err != nil {
					t.Errorf("due at %v: %v", due, err)
				}
				if want := stood - due; took < want-10*time.Millisecond {
					t.Errorf("due at %v, took %v", due, took)
				}
				if took > stood/2 {
					late++
				}
			})
			if err != nil {
				t.Fatal(err)
			}
			if late < 50 || all < 300 {
				t.Errorf("%d of %d late, want about 75 of 500", late, all)
			}
		})
	}
}

// standsStill is a server of one connection that thinks for so long before its
// first answer, and not at all before the others.
func standsStill(t *testing.T, stood time.Duration) string {
	return serves(t, func(c net.Conn) {
		buf := make([]byte, 1024)
		for first := true; ; first = false {
			if _, err := c.Read(buf); err != nil {
				return
			}
			if first {
				time.Sleep(stood)
			}
			_, _ = c.Write([]byte("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"))
		}
	})
}

// serves has each connection to the address that it returns.
func serves(t *testing.T, each func(net.Conn)) string {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ln.Close() })
	go func() {
		for c, err := ln.Accept(); err == nil; c, err = ln.Accept() {
			go func() {
				defer c.Close()
				each(c)
			}()
		}
	}()
	return ln.Addr().String()
}

func TestBeatFindsWhereAnswersEnd(t *testing.T) {
	f := func(want string, pieces ...string) {
		t.Helper()
		var c beatConn
		got := ""
		for _, p := range pieces {
			done, err := c.take([]byte(p))
			switch {
			case err != nil:
				got += "error "
			case done:
				got += "whole "
			default:
				got += "more "
			}
		}
		if strings.TrimSpace(got) != want {
			t.Errorf("%q: %s, want %s", pieces, got, want)
		}
	}
	f("whole", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
	f("whole", "HTTP/1.1 200 OK\r\nA: b\r\ncontent-LENGTH:0\r\nC: d\r\n\r\n")
	f("more whole", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n", "ok")
	f("more more whole", "HTTP/1.1 20", "0 OK\r\nContent-Length: 2\r\n\r", "\nok")
	f("whole whole", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nyes")
	f("error", "HTTP/1.1 503 No\r\nContent-Length: 2\r\n\r\nok")
	f("error", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
	f("error", "HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n")
}

// Whoever gets no answer has waited until the end, and is in the figures.
func TestBeatTellsOfTheUnanswered(t *testing.T) {
	b := Beat{Conns: 2, Pace: NewPace(1, Step{100, 200 * time.Millisecond}), Limit: 100 * time.Millisecond, Request: []byte("?"),
		Addr: serves(t, func(c net.Conn) { _, _ = io.Copy(io.Discard, c) })}
	ends := map[error]int{}
	b.Seen = func(due, took time.Duration, err error) {
		if end := due + took; end < 300*time.Millisecond {
			t.Errorf("given up at %v", end)
		}
		ends[err]++
	}
	if err := b.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	if ends[ErrUnanswered] != 2 || ends[ErrUnsent] < 3 || len(ends) != 2 {
		t.Errorf("%v: want two unanswered, and the rest of some 20 unsent", ends)
	}
}

// A connection that ends costs what was asked on it, and no more.
func TestBeatConnectsAgain(t *testing.T) {
	b := Beat{Conns: 1, Pace: NewPace(1, Step{200, 500 * time.Millisecond}), Limit: 10 * time.Second, Request: []byte("?"),
		Addr: serves(t, func(c net.Conn) {
			buf := make([]byte, 10)
			if _, err := c.Read(buf); err == nil {
				_, _ = c.Write([]byte("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"))
			}
			_, _ = c.Read(buf)
		})}
	ends := map[error]int{}
	b.Seen = func(due, took time.Duration, err error) { ends[err]++ }
	if err := b.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	if ends[nil] < 20 || ends[errClosed] < 20 || len(ends) != 2 {
		t.Errorf("%v: want each second one answered", ends)
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
