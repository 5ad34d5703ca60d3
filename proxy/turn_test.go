package proxy_test

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"multiserver/pool"
	"multiserver/proxy"
	"multiserver/proxy/wire"
)

// asked is an origin whose answers are what the handler writes, of any form.
func asked(t testing.TB, handle func(nc net.Conn, in *bufio.Reader, req *http.Request) bool) string {
	return listen(t, func(nc net.Conn) {
		defer nc.Close()
		in := bufio.NewReader(nc)
		for {
			req, err := http.ReadRequest(in)
			if err != nil || !handle(nc, in, req) {
				return
			}
		}
	})
}

func echo(nc net.Conn, req *http.Request) bool {
	body, _ := io.ReadAll(req.Body)
	_, err := fmt.Fprintf(nc, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s%s", len(req.URL.Path)+len(body), req.URL.Path, body)
	return err == nil
}

// turning is a client that has turns: its exchanges so far were short ones.
func turning(t testing.TB, addr string) (net.Conn, *bufio.Reader) {
	t.Helper()
	nc := dial(t, addr)
	in := bufio.NewReader(nc)
	for range 5 {
		wants(t, nc, in, "GET", "/warm", "", 200, "/warm")
	}
	return nc, in
}

func wants(t testing.TB, nc net.Conn, in *bufio.Reader, method, path, body string, status int, answer string) {
	t.Helper()
	fmt.Fprintf(nc, "%s %s HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n%s", method, path, len(body), body)
	gets(t, in, method, status, answer)
}

func gets(t testing.TB, in *bufio.Reader, method string, status int, answer string) *http.Response {
	t.Helper()
	res, err := http.ReadResponse(in, &http.Request{Method: method})
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != status || status == 200 && string(b) != answer {
		t.Fatalf("%d %.60q %v, want %d %.60q", res.StatusCode, b, err, status, answer)
	}
	return res
}

// What waits for its upstream in turns has no goroutine.
func TestExchangeInTurnsHasNoGoroutine(t *testing.T) {
	const clients, rounds = 50, 12
	var seen atomic.Int32
	origin := asked(t, func(nc net.Conn, _ *bufio.Reader, req *http.Request) bool {
		// All wait for each other, so that each has an upstream's connection of its own.
		for n := (seen.Add(1) + clients - 1) / clients * clients; seen.Load() < n; {
			time.Sleep(time.Millisecond)
		}
		return echo(nc, req)
	})
	addr := startProxy(t, origin)
	var conns [clients]net.Conn
	var ins [clients]*bufio.Reader
	for i := range conns {
		conns[i] = dial(t, addr)
		ins[i] = bufio.NewReader(conns[i])
	}
	ask := func(some []net.Conn) {
		for _, nc := range some {
			io.WriteString(nc, "GET /held HTTP/1.1\r\nHost: a\r\n\r\n")
		}
	}
	for range rounds {
		ask(conns[:])
		for i := range ins {
			gets(t, ins[i], "GET", 200, "/held")
		}
	}
	before := runtime.NumGoroutine()
	ask(conns[1:])
	await(t, "all but one are held", func() bool { return seen.Load() == (rounds+1)*clients-1 })
	if n := runtime.NumGoroutine() - before; n > clients/5 {
		t.Errorf("%d goroutines for %d exchanges", n, clients-1)
	}
	ask(conns[:1])
	for i := range ins {
		gets(t, ins[i], "GET", 200, "/held")
	}
}

// Whatever does not fit a turn is answered as if there were none, and so are
// those before and behind it.
func TestTurnsEndWhereTheyMustAndComeBack(t *testing.T) {
	origin := asked(t, func(nc net.Conn, in *bufio.Reader, req *http.Request) bool {
		switch req.URL.Path {
		case "/chunked":
			io.WriteString(nc, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n8\r\n/chunked\r\n0\r\n\r\n")
		case "/late-body":
			io.WriteString(nc, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n/late")
			time.Sleep(silence)
			io.WriteString(nc, "-body")
		case "/late-head":
			io.WriteString(nc, "HTTP/1.1 200 OK\r\nContent-")
			time.Sleep(silence)
			io.WriteString(nc, "Length: 10\r\n\r\n/late-head")
		case "/hints":
			io.WriteString(nc, "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n/hints")
		case "/long":
			fmt.Fprintf(nc, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", 1<<20, strings.Repeat("x", 1<<20))
		case "/last":
			io.WriteString(nc, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\n/last")
			return false
		case "/to-close":
			io.WriteString(nc, "HTTP/1.1 200 OK\r\n\r\n/to-close")
			return false
		case "/ill":
			io.WriteString(nc, "HTTP/1.1 500 Internal Server Error\r\nContent-Length: 3\r\n\r\nill")
		case "/surplus":
			io.WriteString(nc, "HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\n/surplusHTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged")
		case "/none":
			io.WriteString(nc, "HTTP/1.1 204 No Content\r\n\r\n")
		case "/bad":
			io.WriteString(nc, "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx")
		default:
			return echo(nc, req)
		}
		return true
	})
	nc, in := turning(t, startProxy(t, origin))
	big := strings.Repeat("b", 20<<10)
	for range 2 {
		for _, c := range []struct {
			method, path, body string
			status             int
			answer             string
		}{
			{"GET", "/chunked", "", 200, "/chunked"},
			{"GET", "/late-body", "", 200, "/late-body"},
			{"GET", "/late-head", "", 200, "/late-head"},
			{"GET", "/long", "", 200, strings.Repeat("x", 1<<20)},
			{"GET", "/last", "", 200, "/last"},
			{"GET", "/to-close", "", 200, "/to-close"},
			{"GET", "/ill", "", 500, ""},
			{"GET", "/surplus", "", 200, "/surplus"},
			{"GET", "/none", "", 204, ""},
			{"GET", "/bad", "", 502, ""},
			{"POST", "/p", "hello", 200, "/phello"},
			{"POST", "/p", big, 200, "/p" + big},
			{"DELETE", "/d", "", 200, "/d"},
			{"GET", "/" + strings.Repeat("long", 1<<11), "", 200, "/" + strings.Repeat("long", 1<<11)},
		} {
			wants(t, nc, in, c.method, c.path, c.body, c.status, c.answer)
			for range 3 { // back in turns
				wants(t, nc, in, "GET", "/again", "", 200, "/again")
			}
		}
		io.WriteString(nc, "GET /hints HTTP/1.1\r\nHost: a\r\n\r\n")
		gets(t, in, "GET", 103, "")
		gets(t, in, "GET", 200, "/hints")
	}
}

// Requests that come together, or in pieces, are answered in order.
func TestTurnsKeepOrder(t *testing.T) {
	origin := asked(t, func(nc net.Conn, _ *bufio.Reader, req *http.Request) bool {
		if strings.HasPrefix(req.URL.Path, "/c") {
			io.ReadAll(req.Body)
			fmt.Fprintf(nc, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n", len(req.URL.Path), req.URL.Path)
			return true
		}
		return echo(nc, req)
	})
	nc, in := turning(t, startProxy(t, origin))
	var out bytes.Buffer
	var want []string
	for i := range 400 {
		path := fmt.Sprintf("/%s%d", [...]string{"a", "b", "c", "p"}[i*7%11%4], i)
		want = append(want, path)
		if path[1] == 'p' {
			want[i] += "body"
			fmt.Fprintf(&out, "POST %s HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbody", path)
		} else {
			fmt.Fprintf(&out, "GET %s HTTP/1.1\r\nHost: a\r\n\r\n", path)
		}
	}
	var writes sync.WaitGroup
	defer writes.Wait()
	writes.Go(func() {
		for b := out.Bytes(); len(b) > 0; {
			n := min(len(b), 1+len(b)*37%301)
			nc.Write(b[:n])
			b = b[n:]
		}
	})
	for _, path := range want {
		gets(t, in, "GET", 200, path)
	}
}

// A connection that was kept and has died costs another one and not the
// request; one that dies of a request costs one that may not be sent twice.
func TestTurnsOutliveUpstreamsConnections(t *testing.T) {
	var conns, posts atomic.Int32
	origin := asked(t, func(nc net.Conn, _ *bufio.Reader, req *http.Request) bool {
		switch req.URL.Path {
		case "/once": // ends the connection behind its answer, without a word
			echo(nc, req)
			return false
		case "/fatal":
			if posts.Add(1); req.Method == "GET" && posts.Load() > 1 {
				return echo(nc, req)
			}
			return false
		}
		conns.Add(1)
		return echo(nc, req)
	})
	nc, in := turning(t, startProxy(t, origin))
	for range 20 {
		wants(t, nc, in, "GET", "/once", "", 200, "/once")
		for range 3 {
			wants(t, nc, in, "GET", "/g", "", 200, "/g")
		}
	}
	wants(t, nc, in, "POST", "/fatal", "", 502, "")
	if n := posts.Load(); n != 1 {
		t.Errorf("a POST was sent %d times", n)
	}
	for range 4 {
		wants(t, nc, in, "GET", "/g", "", 200, "/g")
	}
	posts.Store(0)
	wants(t, nc, in, "GET", "/fatal", "", 200, "/fatal")
}

// The limits of waits hold in turns, and what they end costs nothing else.
func TestTurnsEndInTime(t *testing.T) {
	hold := make(chan struct{})
	t.Cleanup(func() { close(hold) })
	var gone atomic.Int32
	origin := asked(t, func(nc net.Conn, in *bufio.Reader, req *http.Request) bool {
		if req.URL.Path == "/held" {
			in.Peek(1)
			gone.Add(1)
			return false
		}
		return echo(nc, req)
	})
	short, _ := startProxyWith(t, func(o *proxy.Options) { o.Response = 300 * time.Millisecond }, origin)
	nc, in := turning(t, short)
	wants(t, nc, in, "GET", "/held", "", 504, "")
	wants(t, nc, in, "GET", "/g", "", 200, "/g")

	// A client that leaves ends the wait.
	addr, p := startProxyWith(t, nil, origin)
	nc, _ = turning(t, addr)
	n := gone.Load()
	io.WriteString(nc, "GET /held HTTP/1.1\r\nHost: a\r\n\r\n")
	await(t, "it is served", func() bool { return p.Stats.Clients.Load() == 1 })
	nc.Close()
	await(t, "the upstream hears of it", func() bool { return gone.Load() > n })
	await(t, "its client is gone", func() bool { return p.Stats.Clients.Load() == 0 })
}

// Places and slots are waited for in goroutines, and given back.
func TestTurnsKeepToLimits(t *testing.T) {
	var now, most atomic.Int32
	origin := asked(t, func(nc net.Conn, _ *bufio.Reader, req *http.Request) bool {
		n := now.Add(1)
		for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
		}
		time.Sleep(time.Millisecond)
		now.Add(-1)
		return echo(nc, req)
	})
	gate := pool.NewGate(3, pool.NewQueue(1000, patience))
	addr, _ := startProxyWith(t, func(o *proxy.Options) { o.Gate = gate }, origin)
	var all sync.WaitGroup
	for range 20 {
		nc := dial(t, addr)
		all.Go(func() {
			in := bufio.NewReader(nc)
			for range 30 {
				io.WriteString(nc, "GET /g HTTP/1.1\r\nHost: a\r\n\r\n")
				if res, err := http.ReadResponse(in, nil); err != nil || res.StatusCode != 200 {
					t.Error(res, err)
					return
				} else {
					io.Copy(io.Discard, res.Body)
				}
			}
		})
	}
	all.Wait()
	if n := most.Load(); n > 3 {
		t.Errorf("%d at once, want 3 at most", n)
	}
	await(t, "all places are given back", func() bool { return gate.In() == 0 })
}

// adrift panics for some paths.
type adrift struct{}

func (adrift) Find(q *wire.Request) int {
	if string(q.Path) == "/panic" {
		panic("no idea")
	}
	return 0
}

// A panic in a turn costs its client, and nobody else.
func TestPanicInTurnCostsItsClient(t *testing.T) {
	origin := asked(t, func(nc net.Conn, _ *bufio.Reader, req *http.Request) bool { return echo(nc, req) })
	var route proxy.Route
	addr, p := startProxyWith(t, func(o *proxy.Options) { route = o.Route }, origin)
	p.SetRoutes(&proxy.Routes{All: []*proxy.Route{&route}, Find: adrift{}})
	a, inA := turning(t, addr)
	b, inB := turning(t, addr)
	io.WriteString(a, "GET /panic HTTP/1.1\r\nHost: a\r\n\r\n")
	if _, err := inA.ReadByte(); err == nil {
		t.Error("it has an answer")
	}
	wants(t, b, inB, "GET", "/g", "", 200, "/g")
	if n := p.Stats.Panics.Load(); n != 1 {
		t.Errorf("%d panics", n)
	}
}
