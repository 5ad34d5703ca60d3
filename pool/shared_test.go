package pool

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"multiserver/proxy/wire"
)

// shared is a request that may share a connection.
type shared struct{ raw }

func (shared) MayShare() bool { return true }

// line is an upstream whose exchanges share connections, each served by that.
func line(t *testing.T, depth int, change func(*Options), serve func(nc net.Conn)) *Upstream {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	var mu sync.Mutex
	var conns []net.Conn
	wg.Go(func() {
		for {
			nc, err := ln.Accept()
			if err != nil {
				return
			}
			mu.Lock()
			conns = append(conns, nc)
			mu.Unlock()
			wg.Go(func() {
				defer nc.Close()
				serve(nc)
			})
		}
	})
	t.Cleanup(func() { // behind the pool's
		_ = ln.Close()
		mu.Lock()
		for _, nc := range conns {
			_ = nc.Close()
		}
		mu.Unlock()
		wg.Wait()
	})
	p := newPool(t, change)
	p.Set([]Target{{Name: "a", Network: "tcp", Addr: ln.Addr().String(), Weight: 1, Pipeline: depth}})
	return p.Upstreams()[0]
}

// echoes answers n requests by their targets, and closes; 0: all.
func echoes(nc net.Conn, n int) {
	in := bufio.NewReader(nc)
	for i := 0; n == 0 || i < n; i++ {
		req, err := http.ReadRequest(in)
		if err != nil {
			return
		}
		fmt.Fprintf(nc, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(req.RequestURI), req.RequestURI)
	}
}

// askShared makes a whole exchange; the seat is kept.
func askShared(u *Upstream, target string) (string, *Fault) {
	var res wire.Response
	l, f := u.Ask(nil, shared{get(target)}, true, &res)
	if f != nil {
		return "", f
	}
	b := string(l.Buffered())
	l.Skip(len(b))
	l.Keep()
	return b, nil
}

func TestExchangesShareAConnection(t *testing.T) {
	const n = 8
	var conns atomic.Int64
	all := make(chan struct{})
	u := line(t, n, nil, func(nc net.Conn) {
		if conns.Add(1) > 1 {
			echoes(nc, 0)
			return
		}
		in := bufio.NewReader(nc)
		_, _ = http.ReadRequest(in)
		io.WriteString(nc, "HTTP/1.1 204 No Content\r\n\r\n")
		for range n { // only then
			_, _ = http.ReadRequest(in)
		}
		close(all)
		io.WriteString(nc, strings.Repeat("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx", n))
		echoes(nc, 0)
	})
	if _, f := askShared(u, "/"); f != nil {
		t.Fatal(f)
	}
	var wg sync.WaitGroup
	for range n {
		wg.Go(func() {
			if b, f := askShared(u, "/"); f != nil || b != "x" && b != "/" { // a busy machine's look may have brought it elsewhere
				t.Error(b, f)
			}
		})
	}
	wg.Wait()
	if got := u.Stats.Reused.Load(); got == 0 {
		t.Error("none was shared")
	}
}

func TestOnlyWhatMayShareDoes(t *testing.T) {
	u := line(t, 8, nil, func(nc net.Conn) { echoes(nc, 0) })
	f := func(r Request, twice bool, want bool) {
		t.Helper()
		var res wire.Response
		l, fault := u.Ask(nil, r, twice, &res)
		if fault != nil {
			t.Fatal(fault)
		}
		if got := l.seat != nil; got != want {
			t.Errorf("shared %t, want %t", got, want)
		}
		l.Drop()
	}
	f(shared{get("/")}, true, true)
	f(shared{get("/")}, false, false)
	f(get("/"), true, false)
}

// Whoever is held up by another's answer asks again on a connection of its own,
// as far as the budget goes.
func TestWhoIsHeldUpAsksElsewhere(t *testing.T) {
	first := make(chan struct{}, 1)
	first <- struct{}{}
	tell := make(chan struct{})
	u := line(t, 8, nil, func(nc net.Conn) {
		select {
		case <-first:
			<-tell
		default:
		}
		echoes(nc, 0)
	})
	slow := make(chan *Fault, 1)
	go func() { _, f := askShared(u, "/slow"); slow <- f }()
	await(t, "the slow one to be asked", func() bool { return u.pipe.Idle() == 0 && u.Stats.Dialed.Load() == 1 })
	behind := make(chan string, 4)
	for i := range cap(behind) {
		go func() {
			b, f := askShared(u, fmt.Sprintf("/%d", i))
			if f != nil {
				b = f.Error()
			}
			behind <- b
		}()
	}
	for range cap(behind) {
		if b := <-behind; !strings.HasPrefix(b, "/") {
			t.Error(b)
		}
	}
	close(tell)
	if f := <-slow; f != nil {
		t.Error(f)
	}
	if n, other := u.Stats.Faults[Blocked].Load(), u.Stats.Dialed.Load(); n == 0 && other == 1 {
		t.Errorf("%d were held up, on %d connections", n, other)
	}
}

func TestWhoMayNotLeaveWaits(t *testing.T) {
	tell := make(chan struct{})
	u := line(t, 8, nil, func(nc net.Conn) {
		<-tell
		echoes(nc, 0)
	})
	for u.pool.MayRetry() {
	}
	answers := make(chan *Fault, 3)
	for range cap(answers) {
		go func() { _, f := askShared(u, "/"); answers <- f }()
	}
	await(t, "all to be asked", func() bool { return u.Stats.Dialed.Load()+u.Stats.Reused.Load() == 3 })
	time.AfterFunc(50*time.Millisecond, func() { close(tell) })
	for range cap(answers) {
		if f := <-answers; f != nil {
			t.Error(f)
		}
	}
	if n := u.Stats.Faults[Blocked].Load(); n != 0 {
		t.Errorf("%d have left", n)
	}
}

// An upstream that ends its connections without a word, with requests on them,
// costs connections and no request.
func TestNoRequestIsLostWithItsSharedConnection(t *testing.T) {
	u := line(t, 8, nil, func(nc net.Conn) { echoes(nc, 3) })
	var wg sync.WaitGroup
	for i := range 16 {
		wg.Go(func() {
			for j := range 100 {
				want := fmt.Sprintf("/%d/%d", i, j)
				if b, f := askShared(u, want); f != nil || b != want {
					t.Errorf("%s: %q, %v", want, b, f)
					return
				}
			}
		})
	}
	wg.Wait()
	if u.Stats.Faults[Stale].Load() == 0 {
		t.Error("no connection has died: this shows nothing")
	}
}

func TestALateAnswerOnASharedConnection(t *testing.T) {
	leave := make(chan struct{})
	defer close(leave)
	u := line(t, 8, func(o *Options) { o.Response = time.Millisecond }, func(net.Conn) { <-leave })
	if _, f := askShared(u, "/"); f == nil || f.Reason != AnswerTime || !f.Sent {
		t.Errorf("%v", f)
	}
}

func TestSharedConnectionsEndWithTheirUpstream(t *testing.T) {
	gone := make(chan struct{})
	u := line(t, 8, nil, func(nc net.Conn) {
		echoes(nc, 0)
		close(gone)
	})
	if _, f := askShared(u, "/"); f != nil {
		t.Fatal(f)
	}
	u.pool.Set(nil)
	select {
	case <-gone:
	case <-time.After(patience):
		t.Error("it is still there")
	}
}
