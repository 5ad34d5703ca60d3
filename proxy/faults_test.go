package proxy_test

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"multiserver/sync/daemon"
)

// A run under load with three upstreams, of which always one works: one is
// killed, with all its connections, again and again; one breaks off in the
// middle of answers. Every request has an id, every byte of its answer says
// whose it is.

func TestNothingIsLostDoubledOrMixedUpWhileUpstreamsFail(t *testing.T) {
	const run = 3 * time.Second
	ledger := &ledger{seen: map[string]int{}}
	good, mortal, breaking := newApp(t, ledger), newApp(t, ledger), newApp(t, ledger)
	addr := startProxy(t, good.addr, mortal.addr, breaking.addr)

	stop := make(chan struct{})
	var load, trouble sync.WaitGroup
	var told tally
	for n := range 8 {
		load.Go(func() { told.client(t, addr, n, ledger, stop) })
	}
	trouble.Go(func() { mortal.dieAndReturn(stop) })
	breaking.cuts.Store(true)
	time.Sleep(run)
	await(t, "enough of a test", func() bool { return told.answers.Load() >= 100 && told.cut.Load() > 0 && mortal.lives.Load() >= 2 })
	close(stop)
	load.Wait()
	trouble.Wait()

	for id, n := range ledger.seen {
		if n > 1 {
			t.Errorf("%s was acted on %d times", id, n)
		}
	}
	t.Logf("%d answers; of the POSTs %d refused, %d broken off; of the GETs %d broken off",
		told.answers.Load(), told.refused.Load(), told.broken.Load(), told.cut.Load())
}

// ledger counts the POSTs that upstreams have read to their end.
type ledger struct {
	mu   sync.Mutex
	seen map[string]int // guarded by mu; by id
}

func (l *ledger) enter(id string) {
	l.mu.Lock()
	l.seen[id]++
	l.mu.Unlock()
}

func (l *ledger) count(id string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.seen[id]
}

// app answers with the request's id, over and over, as often as it says.
type app struct {
	t      testing.TB
	addr   string
	server *http.Server
	ledger *ledger
	cuts   atomic.Bool  // breaks off some answers
	lives  atomic.Int64 // how often it was started
	served sync.WaitGroup
}

func newApp(t testing.TB, l *ledger) *app {
	a := &app{t: t, addr: daemon.Addr(t), ledger: l}
	a.start()
	t.Cleanup(a.kill)
	return a
}

func (a *app) start() {
	ln, err := net.Listen("tcp", a.addr)
	if err != nil {
		a.t.Error(err)
		return
	}
	s := &http.Server{Handler: http.HandlerFunc(a.answer)}
	a.server = s
	a.served.Go(func() { s.Serve(ln) })
	a.lives.Add(1)
}

// kill closes the listener and every connection, whatever is under way.
func (a *app) kill() {
	a.server.Close()
	a.served.Wait()
}

func (a *app) dieAndReturn(stop chan struct{}) {
	for {
		for _, step := range []func(){a.kill, a.start} {
			select {
			case <-stop:
				return
			case <-time.After(rand.N(200 * time.Millisecond)):
			}
			step()
		}
	}
}

func (a *app) answer(w http.ResponseWriter, r *http.Request) {
	id := r.Header.Get("X-Id")
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	if r.Method == "POST" {
		if !consists(body, id) {
			a.t.Errorf("%s came with another body", id)
		}
		a.ledger.enter(id)
	}
	time.Sleep(rand.N(3 * time.Millisecond)) // to die with requests under way
	size, _ := strconv.Atoi(r.URL.Query().Get("size"))
	w.Header().Set("X-Id", id)
	w.Header().Set("Content-Length", fmt.Sprint(size*len(id)))
	if r.Method == "GET" && a.cuts.Load() && size > 0 && rand.N(4) == 0 {
		a.cut(w, []byte(strings.Repeat(id, size)))
		return
	}
	io.WriteString(w, strings.Repeat(id, size))
}

// cut sends the head and a half of the body, then resets the connection.
func (a *app) cut(w http.ResponseWriter, body []byte) {
	w.Write(body[:len(body)/2])
	http.NewResponseController(w).Flush()
	nc, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		a.t.Error(err)
		return
	}
	nc.(*net.TCPConn).SetLinger(0)
	nc.Close()
}

// consists tells whether body is id, over and over.
func consists(body []byte, id string) bool {
	return len(body)%len(id) == 0 && bytes.Count(body, []byte(id)) == len(body)/len(id)
}

// tally is what the clients were told.
type tally struct{ answers, refused, broken, cut atomic.Int64 }

// client sends requests on a connection as long as that lives.
func (n *tally) client(t *testing.T, addr string, number int, l *ledger, stop chan struct{}) {
	for i := 0; ; {
		nc, err := net.Dial("tcp", addr)
		if err != nil {
			t.Error(err)
			return
		}
		in := bufio.NewReader(nc)
		for alive := true; alive; i++ {
			select {
			case <-stop:
				nc.Close()
				return
			default:
			}
			id := fmt.Sprintf("[%d.%d]", number, i)
			if i%2 == 0 {
				alive = n.get(t, nc, in, id)
			} else {
				alive = n.post(t, nc, in, id, l)
			}
		}
		nc.Close()
	}
}

// The sizes take an answer through every way there is: in one piece, copied,
// and through the kernel.
var sizes = []int{0, 1, 100, 5000, 30000}

func (n *tally) get(t *testing.T, nc net.Conn, in *bufio.Reader, id string) (alive bool) {
	fmt.Fprintf(nc, "GET /?size=%d HTTP/1.1\r\nHost: a\r\nX-Id: %s\r\n\r\n", sizes[rand.N(len(sizes))], id)
	got := n.read(t, nc, in, id)
	switch {
	case got.err != nil && got.began:
		n.cut.Add(1)
	case got.err != nil || got.status != 200:
		t.Errorf("GET %s while an upstream lives: %d, %v", id, got.status, got.err)
	}
	return got.err == nil && !got.last
}

func (n *tally) post(t *testing.T, nc net.Conn, in *bufio.Reader, id string, l *ledger) (alive bool) {
	body := strings.Repeat(id, sizes[rand.N(len(sizes))]+1)
	if rand.N(3) == 0 {
		fmt.Fprintf(nc, "POST / HTTP/1.1\r\nHost: a\r\nX-Id: %s\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n", id, len(body), body)
	} else {
		fmt.Fprintf(nc, "POST / HTTP/1.1\r\nHost: a\r\nX-Id: %s\r\nContent-Length: %d\r\n\r\n%s", id, len(body), body)
	}
	got := n.read(t, nc, in, id)
	switch {
	case got.err != nil:
		n.broken.Add(1)
	case got.status >= 500:
		n.refused.Add(1)
	case got.status != 200 || l.count(id) != 1:
		t.Errorf("POST %s was answered %d, and acted on %d times", id, got.status, l.count(id))
	}
	return got.err == nil && !got.last
}

// got is what came back: an answer, or how far it came.
type got struct {
	status int
	last   bool // of its connection
	began  bool
	err    error
}

// read reads an answer and checks whose it is, as far as it came.
func (n *tally) read(t *testing.T, nc net.Conn, in *bufio.Reader, id string) (g got) {
	nc.SetReadDeadline(time.Now().Add(patience))
	if _, g.err = in.Peek(1); g.err != nil {
		return g
	}
	g.began = true
	res, err := http.ReadResponse(in, nil)
	if err != nil {
		g.err = err
		return g
	}
	defer res.Body.Close()
	var body []byte
	body, g.err = io.ReadAll(res.Body)
	g.status, g.last = res.StatusCode, res.Close
	whole := body[:len(body)/len(id)*len(id)]
	if g.status == 200 && (res.Header.Get("X-Id") != id || !consists(whole, id)) {
		t.Errorf("%s got the answer to %s", id, res.Header.Get("X-Id"))
	}
	if g.err == nil {
		n.answers.Add(1)
	}
	return g
}
