package proxy_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"multiserver/pool"
	"multiserver/proxy"
	"multiserver/sync/daemon"
)

// gated bounds the process.
func gated(places, waiting int, within time.Duration) func(*proxy.Options) {
	return func(o *proxy.Options) { o.Gate = pool.NewGate(places, pool.NewQueue(waiting, within)) }
}

// holder answers requests when told to, and says how many it has at once.
type holder struct {
	addr    string
	release chan struct{} // one answer each; closed: all
	takes   time.Duration // each at least
	busy    atomic.Int64
	most    atomic.Int64
	seen    atomic.Int64
}

func newHolder(t testing.TB, takes time.Duration) *holder {
	h := &holder{release: make(chan struct{}), takes: takes}
	h.addr = listen(t, func(nc net.Conn) {
		defer nc.Close()
		in := bufio.NewReader(nc)
		for {
			req, err := http.ReadRequest(in)
			if err != nil {
				return
			}
			io.Copy(io.Discard, req.Body)
			h.seen.Add(1)
			n := h.busy.Add(1)
			for m := h.most.Load(); n > m && !h.most.CompareAndSwap(m, n); m = h.most.Load() {
			}
			time.Sleep(h.takes)
			gone := make(chan struct{})
			go func() { in.Peek(1); close(gone) }()
			select {
			case <-h.release:
			case <-gone:
				h.busy.Add(-1)
				return
			}
			h.busy.Add(-1)
			if _, err := io.WriteString(nc, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"); err != nil {
				return
			}
			<-gone // or there: the next request
		}
	})
	return h
}

// send begins a request on a connection of its own; its answer arrives in the
// channel.
func send(t testing.TB, addr, text string) (net.Conn, chan *http.Response) {
	t.Helper()
	nc := dial(t, addr)
	io.WriteString(nc, text)
	got := make(chan *http.Response, 1)
	go func() {
		res, err := http.ReadResponse(bufio.NewReader(nc), nil)
		if err != nil {
			res = nil
		}
		got <- res
	}()
	return nc, got
}

func TestRefusalSaysWhenToComeAgain(t *testing.T) {
	h := newHolder(t, 0)
	var gate *pool.Gate
	addr, p := startProxyWith(t, func(o *proxy.Options) { gated(1, 1, 500*time.Millisecond)(o); gate = o.Gate }, h.addr)
	_, first := send(t, addr, request("/"))
	await(t, "one to be in", func() bool { return h.busy.Load() == 1 })
	_, late := send(t, addr, request("/"))
	await(t, "one to wait", gate.Busy)
	full := dial(t, addr)
	for what, res := range map[string]*http.Response{"queue-full": only(fetchOn(t, full, request("/"))), "queue-timeout": <-late} {
		if res == nil || res.StatusCode != 503 || res.Header.Get("Retry-After") == "" || res.Close {
			t.Errorf("%s: %+v", what, res)
		}
	}
	close(h.release)
	if res := <-first; res == nil || res.StatusCode != 200 {
		t.Errorf("who was in: %+v", res)
	}
	if res, _ := fetchOn(t, full, request("/")); res.StatusCode != 200 { // on the same connection
		t.Errorf("who came again: %+v", res)
	}
	await(t, "all to have left", func() bool { return gate.In() == 0 && gate.Waiting() == 0 })
	await(t, "two refusals to be counted", func() bool { return p.Stats.Classes[5].Load() == 2 })
	if gate.Stats.Full.Load() != 1 || gate.Stats.Late.Load() != 1 {
		t.Errorf("%d refused, %d late", gate.Stats.Full.Load(), gate.Stats.Late.Load())
	}
}

func only(res *http.Response, _ string) *http.Response { return res }

func TestProcessLimitIsKept(t *testing.T) {
	h := newHolder(t, time.Millisecond)
	close(h.release)
	var gate *pool.Gate
	addr, _ := startProxyWith(t, func(o *proxy.Options) { gated(3, 100, patience)(o); gate = o.Gate }, h.addr)
	underLoad(t, addr)
	await(t, "all to have left", func() bool { return gate.In() == 0 })
	if n := h.most.Load(); n > 3 || n == 1 {
		t.Errorf("%d at once, of 3", n)
	}
}

func TestUpstreamsLimitIsKept(t *testing.T) {
	h := newHolder(t, time.Millisecond)
	close(h.release)
	addr, _, ups := startPool(t, func(o *pool.Options) { o.Queue, o.QueueTimeout = 100, patience }, nil)
	ts := targetsOf(h.addr)
	ts[0].Max = 2
	ups.Set(ts)
	underLoad(t, addr)
	await(t, "all to have left", func() bool { return ups.Upstreams()[0].Load() == 0 })
	if n := h.most.Load(); n != 2 {
		t.Errorf("%d at once, of 2", n)
	}
}

// underLoad makes requests of all sorts, all of which must be answered 200.
func underLoad(t *testing.T, addr string) {
	var group sync.WaitGroup
	for i := range 16 {
		group.Go(func() {
			nc := dial(t, addr)
			in := bufio.NewReader(nc)
			for range 20 {
				if i%2 == 0 {
					io.WriteString(nc, request("/"))
				} else {
					io.WriteString(nc, "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\n\r\n")
				}
				nc.SetReadDeadline(time.Now().Add(patience))
				res, err := http.ReadResponse(in, nil)
				if err != nil || res.StatusCode != 200 {
					t.Errorf("%v, %v", res, err)
					return
				}
				io.Copy(io.Discard, res.Body)
			}
		})
	}
	group.Wait()
}

func TestWebSocketHoldsNoPlace(t *testing.T) {
	var gate *pool.Gate
	addr, p, ups := startPool(t, nil, func(o *proxy.Options) { gated(1, 0, 0)(o); gate = o.Gate })
	ts := targetsOf(echoing(t))
	ts[0].Max = 1
	ups.Set(ts)
	for range 3 {
		open(t, addr, "/")
		await(t, "the place to be given back", func() bool { return gate.In() == 0 })
	}
	await(t, "the slots to be given back", func() bool { return ups.Upstreams()[0].Load() == 0 })
	await(t, "the tunnels to be counted", func() bool { return p.Stats.Upgraded.Load() == 3 })
	if res, _ := fetch(t, addr, request("/")); res.StatusCode != 204 {
		t.Errorf("a request beside them: %s", res.Status)
	}
}

func TestPlaceIsGivenBackAfterEveryEnding(t *testing.T) {
	head := "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n"
	for _, c := range []struct {
		what   string
		origin string // what it answers; it closes if that is not whole
		send   string
		hangUp bool
		status int // 0: whatever
	}{
		{"an answer", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", request("/"), false, 200},
		{"an error", "HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n", request("/"), false, 500},
		{"a bad answer", "SSH-2.0-OpenSSH_9.9\r\n\r\n", request("/"), false, 502},
		{"an answer cut short", head + "half", request("/"), true, 0},
		{"HEAD", head, strings.Replace(request("/"), "GET", "HEAD", 1), false, 200},
		{"a refused handshake", "HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n", fmt.Sprintf(handshake, "/"), false, 403},
		{"a bad chunk", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
			"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", false, 400},
		{"a body cut short", "", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nhalf", true, 0},
		{"a client that leaves", "", request("/"), true, 0},
		{"a client that leaves in its handshake", "", fmt.Sprintf(handshake, "/"), true, 0},
		{"what is answered here", "", strings.Replace(request("/"), "GET", "TRACE", 1), false, 405},
	} {
		t.Run(c.what, func(t *testing.T) {
			origin := listen(t, func(nc net.Conn) {
				defer nc.Close()
				in := bufio.NewReader(nc)
				for {
					if _, err := http.ReadRequest(in); err != nil {
						return
					}
					if io.WriteString(nc, c.origin); strings.HasSuffix(c.origin, "half") {
						return
					}
				}
			})
			var gate *pool.Gate
			addr, _, ups := startPool(t, nil, func(o *proxy.Options) { gated(1, 0, 0)(o); gate = o.Gate }, origin)
			if c.hangUp {
				nc := dial(t, addr)
				io.WriteString(nc, c.send)
				await(t, "it to be in", func() bool { return gate.In() == 1 || c.origin != "" })
				nc.Close()
			} else if res, _ := fetch(t, addr, c.send); res.StatusCode != c.status && c.status != 0 {
				t.Errorf("%d, want %d", res.StatusCode, c.status)
			}
			await(t, "the place to be given back", func() bool { return gate.In() == 0 })
			await(t, "the slot to be given back", func() bool { return ups.Upstreams()[0].Load() == 0 })
		})
	}
}

// bomb is a client's connection that panics when it is written to.
type bomb struct{ net.Conn }

func (bomb) Write([]byte) (int, error) { panic("a bug of ours") }

func TestPlaceIsGivenBackAfterAPanic(t *testing.T) {
	var gate *pool.Gate
	_, p, ups := startPool(t, nil, func(o *proxy.Options) { gated(1, 0, 0)(o); gate = o.Gate }, startNamed(t, "a", ""))
	addr := listen(t, func(nc net.Conn) { p.ServeConn(bomb{nc}) })
	for i := range 3 {
		nc := dial(t, addr)
		io.WriteString(nc, request("/"))
		if _, err := nc.Read(make([]byte, 1)); err == nil {
			t.Error("it was answered")
		}
		await(t, "the panic", func() bool { return p.Stats.Panics.Load() == uint64(i)+1 })
		await(t, "the place to be given back", func() bool { return gate.In() == 0 && ups.Upstreams()[0].Load() == 0 })
	}
}

func TestWhoLeavesWhileWaitingIsNotAskedFor(t *testing.T) {
	for _, what := range []string{"process", "upstream"} {
		t.Run(what, func(t *testing.T) {
			h := newHolder(t, 0)
			var gate *pool.Gate
			addr, _, ups := startPool(t, func(o *pool.Options) { o.Queue, o.QueueTimeout = 10, patience }, func(o *proxy.Options) {
				if gated(1, 10, patience)(o); what == "upstream" {
					o.Gate = nil
				}
				gate = o.Gate
			})
			ts := targetsOf(h.addr)
			ts[0].Max = 1
			ups.Set(ts)
			waiting := func() int {
				if gate != nil {
					return gate.Waiting()
				}
				return ups.Queue().Waiting()
			}
			_, first := send(t, addr, request("/"))
			await(t, "one to be in", func() bool { return h.busy.Load() == 1 })
			nc, _ := send(t, addr, request("/"))
			await(t, "one to wait", func() bool { return waiting() == 1 })
			nc.Close()
			await(t, "it to leave the line", func() bool { return waiting() == 0 })
			close(h.release)
			if res := <-first; res == nil || res.StatusCode != 200 || h.seen.Load() != 1 {
				t.Errorf("%+v; %d requests came", res, h.seen.Load())
			}
		})
	}
}

// breaking reads a request and closes instead of answering; it counts them.
func breaking(t testing.TB) (addr string, n *atomic.Int64) {
	n = new(atomic.Int64)
	return listen(t, func(nc net.Conn) {
		defer nc.Close()
		if req, err := http.ReadRequest(bufio.NewReader(nc)); err == nil {
			io.Copy(io.Discard, req.Body)
			n.Add(1)
		}
	}), n
}

// refusing takes no connections.
func refusing(t testing.TB) (addr string) { return daemon.Addr(t) }

const shortPost = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbody"

func TestRetryGoesToAnotherUpstream(t *testing.T) {
	for range 4 {
		broken, n := breaking(t)
		h := newHolder(t, 0)
		close(h.release)
		addr, p := startProxyWith(t, nil, broken, h.addr)
		for i := range 4 {
			if res, _ := fetch(t, addr, request("/")); res.StatusCode != 200 {
				t.Fatalf("GET %d: %s", i, res.Status)
			}
		}
		if asked := n.Load(); asked != int64(p.Stats.Retried()) || h.seen.Load() != 4 || asked == 0 {
			t.Errorf("the broken one was asked %d times, %d retries, the other asked %d times", asked, p.Stats.Retried(), h.seen.Load())
		}
	}
}

func TestPostIsRetriedOnlyWhileItWasNotSent(t *testing.T) {
	h := newHolder(t, 0)
	close(h.release)
	for range 4 { // refused: wherever the turns begin
		addr, _ := startProxyWith(t, nil, refusing(t), h.addr)
		for range 2 {
			if res, _ := fetch(t, addr, shortPost); res.StatusCode != 200 {
				t.Errorf("POST beside one that refuses: %s", res.Status)
			}
		}
	}
	broken, n := breaking(t)
	before := h.seen.Load()
	addr, p := startProxyWith(t, nil, broken, h.addr)
	bad := int64(0)
	for range 6 {
		switch res, _ := fetch(t, addr, shortPost); res.StatusCode {
		case 502:
			bad++
		case 200:
		default:
			t.Error(res.Status)
		}
	}
	if n.Load() != bad || bad != 3 || h.seen.Load()-before != 3 || p.Stats.Retried() != 0 {
		t.Errorf("of 6, %d broke and %d were answered 502; %d got to the other; %d retries", n.Load(), bad, h.seen.Load()-before, p.Stats.Retried())
	}
}

func TestARouteSaysHowManyUpstreamsAreAsked(t *testing.T) {
	f := func(tries int, want int64) {
		t.Helper()
		var all []*atomic.Int64
		var addrs []string
		for range 4 {
			addr, n := breaking(t)
			addrs, all = append(addrs, addr), append(all, n)
		}
		addr, _ := startProxyWith(t, func(o *proxy.Options) { o.Tries = tries }, addrs...)
		if res, _ := fetch(t, addr, request("/")); res.StatusCode != 502 {
			t.Errorf("%d tries: %s", tries, res.Status)
		}
		asked := int64(0)
		for _, n := range all {
			asked += n.Load()
		}
		if asked != want {
			t.Errorf("%d tries: %d upstreams were asked, want %d", tries, asked, want)
		}
	}
	f(1, 1)
	f(2, 2)
	f(0, 3) // what may have been read is sent thrice at most
}

func TestRetriesEndWithTheBudget(t *testing.T) {
	for _, c := range []struct {
		what   string
		status int
		origin func(testing.TB) string
	}{
		{"broken", 502, func(t testing.TB) string { addr, _ := breaking(t); return addr }},
		{"refused", 503, refusing},
	} {
		t.Run(c.what, func(t *testing.T) {
			h := newHolder(t, 0)
			close(h.release)
			addr, p, ups := startPool(t, nil, nil, c.origin(t), h.addr)
			for ups.MayRetry() {
			}
			met := map[int]int{}
			for range 2 {
				res, _ := fetch(t, addr, request("/"))
				met[res.StatusCode]++
			}
			if met[c.status] != 1 || met[200] != 1 || p.Stats.Spent.Load() != 1 || p.Stats.Retried() != 0 {
				t.Errorf("%v; %d spent, %d retries", met, p.Stats.Spent.Load(), p.Stats.Retried())
			}
		})
	}
}

func TestNoRetryWhereThereIsNobodyElse(t *testing.T) {
	broken, _ := breaking(t)
	addr, p, ups := startPool(t, nil, nil, broken)
	for range 3 {
		if res, _ := fetch(t, addr, request("/")); res.StatusCode != 502 {
			t.Error(res.Status)
		}
	}
	if n := p.Stats.Retried(); n != 0 {
		t.Errorf("%d retries are counted", n)
	}
	left := 0
	for ups.MayRetry() {
		left++
	}
	if left != 100 {
		t.Errorf("%d of 100 free retries are left", left)
	}
}

// lineCounter is a log.
type lineCounter struct {
	slog.Handler
	n atomic.Int64
}

func (l *lineCounter) Handle(context.Context, slog.Record) error { l.n.Add(1); return nil }

func TestRefusalsAreNotLogged(t *testing.T) {
	h := newHolder(t, 0)
	log := &lineCounter{Handler: slog.NewTextHandler(io.Discard, nil)}
	addr, p := startProxyWith(t, func(o *proxy.Options) { gated(1, 0, 0)(o); o.Log = slog.New(log) }, h.addr)
	_, first := send(t, addr, request("/"))
	await(t, "one to be in", func() bool { return h.busy.Load() == 1 })
	nc := dial(t, addr)
	for range 50 {
		if res, _ := fetchOn(t, nc, request("/")); res.StatusCode != 503 {
			t.Fatal(res.Status)
		}
	}
	close(h.release)
	<-first
	await(t, "all to be counted", func() bool { return p.Stats.Classes[5].Load() == 50 })
	if n := log.n.Load(); n != 0 {
		t.Errorf("%d lines", n)
	}
}

// The return of an upstream that is still ill costs no GET: its bad answer is
// not passed on. The first ones are, for they may be the request's own fault,
// and so is what a POST is answered.
func TestOneOnProbationIsNotBelieved(t *testing.T) {
	ill := startOrigin(t, 0, "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n")
	well := startOrigin(t, 0, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
	addr, p, ups := startPool(t, func(o *pool.Options) { o.MaxFails, o.EjectFor = 2, time.Millisecond }, nil)
	ups.Set(targetsOf(ill, well))
	bad := 0
	for range 200 {
		if res, _ := fetch(t, addr, request("/")); res.StatusCode != 200 {
			bad++
		}
		await(t, "the verdict", func() bool {
			return !slices.ContainsFunc(ups.Upstreams(), func(u *pool.Upstream) bool { return u.Load() > 0 })
		})
	}
	if bad != 1 {
		t.Errorf("%d bad answers, want the first only", bad)
	}
	if p.Stats.Retries[pool.BadStatus].Load() == 0 {
		t.Error("never tried again for its status")
	}
}

// With no retry to be had, the client gets the upstream's own answer.
func TestBadAnswerIsPassedOnBeyondTheBudget(t *testing.T) {
	ill := startOrigin(t, 0, "HTTP/1.1 503 Service Unavailable\r\nX-Own: yes\r\nContent-Length: 3\r\n\r\nill")
	well := startNamed(t, "well", "")
	addr, p, ups := startPool(t, func(o *pool.Options) { o.MaxFails, o.EjectFor = 2, time.Millisecond }, nil, ill, well)
	bad := uint64(0)
	await(t, "three bad answers", func() bool {
		for ups.MayRetry() { // each request brings a part of one
		}
		res, body := fetch(t, addr, request("/"))
		if res.StatusCode == 200 {
			return false
		}
		if res.StatusCode != 503 || res.Header.Get("X-Own") != "yes" || body != "ill" {
			t.Fatalf("%s, %q", res.Status, body)
		}
		bad++
		return bad == 3
	})
	// The first was no reason to doubt.
	if n := p.Stats.Spent.Load(); n != bad-1 || p.Stats.Retried() != 0 {
		t.Errorf("%d bad answers, %d for want of a retry; %d retries", bad, n, p.Stats.Retried())
	}
}
