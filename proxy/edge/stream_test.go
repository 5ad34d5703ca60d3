package edge_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

func TestBodiesFlowBothWaysAtOnce(t *testing.T) {
	s := newStage(t, app(t, func(w http.ResponseWriter, r *http.Request) {
		http.NewResponseController(w).EnableFullDuplex()
		w.(http.Flusher).Flush()
		buf := make([]byte, 100)
		for {
			n, err := r.Body.Read(buf)
			w.Write(buf[:n])
			w.(http.Flusher).Flush()
			if err != nil {
				return
			}
		}
	}), nil)
	in, out := io.Pipe()
	res := s.do(s.client(), s.request("POST", "/", in))
	buf := make([]byte, 100)
	for i := range 20 {
		said := fmt.Sprintf("piece %d", i)
		io.WriteString(out, said)
		if n, err := io.ReadFull(res.Body, buf[:len(said)]); string(buf[:n]) != said {
			t.Fatalf("%q, %v, want %q", buf[:n], err, said)
		}
	}
	out.Close()
	if rest := all(t, res.Body); rest != "" {
		t.Errorf("%q behind the end", rest)
	}
}

func TestTrailersOfRequestsPass(t *testing.T) {
	s := newStage(t, app(t, func(w http.ResponseWriter, r *http.Request) {
		body := all(t, r.Body)
		fmt.Fprintf(w, "%s %v", body, r.Trailer)
	}), nil)
	r := s.request("POST", "/", struct{ io.Reader }{strings.NewReader("hello")})
	r.Trailer = http.Header{"X-Sum": {"42"}, "Content-Length": nil}
	delete(r.Trailer, "Content-Length")
	if got, want := all(t, s.do(s.client(), r).Body), "hello map[X-Sum:[42]]"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

// An event is with the client before the next one is made.
func TestPiecesOfAnAnswerAreNotKeptBack(t *testing.T) {
	next := make(chan struct{})
	s := newStage(t, app(t, func(w http.ResponseWriter, r *http.Request) {
		for i := range 5 {
			fmt.Fprintf(w, "event %d\n", i)
			w.(http.Flusher).Flush()
			select {
			case <-next:
			case <-r.Context().Done():
			}
		}
	}), nil)
	res := s.do(s.client(), s.request("GET", "/", nil))
	buf := make([]byte, len("event 0\n"))
	for i := range 5 {
		if n, err := io.ReadFull(res.Body, buf); string(buf[:n]) != fmt.Sprintf("event %d\n", i) {
			t.Fatalf("%q, %v", buf[:n], err)
		}
		next <- struct{}{}
	}
	all(t, res.Body)
}

// waiting is an origin that says when it is asked and when it is left.
func waiting(t testing.TB, first string) (addr string, asked, left chan struct{}) {
	asked, left = make(chan struct{}, 1000), make(chan struct{}, 1000)
	over := make(chan struct{})
	addr = app(t, func(w http.ResponseWriter, r *http.Request) {
		asked <- struct{}{}
		if io.WriteString(w, first); first != "" {
			w.(http.Flusher).Flush()
		}
		io.Copy(io.Discard, r.Body)
		select {
		case <-r.Context().Done():
			left <- struct{}{}
		case <-over:
		}
	})
	t.Cleanup(func() { close(over) })
	return addr, asked, left
}

func TestUpstreamIsLeftWhenTheClientResets(t *testing.T) {
	f := func(name, method, first string, body io.Reader) {
		t.Helper()
		origin, asked, left := waiting(t, first)
		s := newStage(t, origin, nil)
		r := s.request(method, "/", body)
		ctx, cancel := context.WithCancel(r.Context())
		go func() {
			<-asked
			cancel()
		}()
		if res, err := s.client().RoundTrip(r.WithContext(ctx)); err == nil {
			_, err = io.ReadAll(res.Body)
			res.Body.Close()
			if err == nil {
				t.Errorf("%s: the answer ended well", name)
			}
		}
		begin := time.Now()
		select {
		case <-left:
			if d := time.Since(begin); d > patience/2 {
				t.Errorf("%s: after %v", name, d)
			}
		case <-time.After(patience):
			t.Errorf("%s: the upstream is held", name)
		}
	}
	in, out := io.Pipe()
	f("while it sends", "POST", "", in)
	out.Close()
	f("before an answer", "GET", "", nil)
	f("within an answer", "GET", "some", nil)
}

// A client that does not read holds up the upstream, not our memory; one that
// goes on gets all.
func TestSlowReadersSlowTheUpstream(t *testing.T) {
	const size = 64 << 20
	var sent atomic.Int64
	s := newStage(t, app(t, func(w http.ResponseWriter, r *http.Request) {
		piece := make([]byte, 64<<10)
		for range size / len(piece) {
			n, err := w.Write(piece)
			if err != nil {
				return
			}
			sent.Add(int64(n))
		}
	}), nil)
	res := s.do(s.client(), s.request("GET", "/", nil))
	var before int64 = -1
	await(t, "the origin to be stopped", func() bool {
		time.Sleep(100 * time.Millisecond)
		n := sent.Load()
		defer func() { before = n }()
		return n == before
	})
	if before > size/2 {
		t.Errorf("%d bytes were taken that nobody wants", before)
	}
	if n, err := io.Copy(io.Discard, res.Body); n != size || err != nil {
		t.Errorf("%d bytes, %v", n, err)
	}
}

func TestWaitsEnd(t *testing.T) {
	const short = 300 * time.Millisecond
	origin, _, left := waiting(t, strings.Repeat("x", 8<<20))
	s := newStage(t, origin, func(l *limits) { l.proxy.Idle = short })
	tr := s.client()

	in, out := io.Pipe()
	defer out.Close()
	r := s.request("POST", "/", in)
	r.ContentLength = 100
	if res := s.do(tr, r); res.StatusCode != 408 {
		t.Errorf("a body that does not come: %s", res.Status)
	}
	res := s.do(tr, s.request("GET", "/", nil)) // whose body is not read
	select {
	case <-left:
	case <-time.After(patience):
		t.Error("a client that does not read holds the upstream")
	}
	if _, err := io.ReadAll(res.Body); err == nil {
		t.Error("its answer ended well")
	}
}

func TestLimitsOfTheCoreHold(t *testing.T) {
	s := newStage(t, app(t, func(w http.ResponseWriter, r *http.Request) { io.Copy(io.Discard, r.Body) }), func(l *limits) {
		l.proxy.MaxBody, l.proxy.MaxHead, l.edge.MaxHead = 1000, 4096, 4096 // 42 fields of 98 bytes
	})
	tr := s.client()
	f := func(want int, method string, body io.Reader, fields int) {
		t.Helper()
		r := s.request(method, "/", body)
		for i := range fields {
			r.Header.Set(fmt.Sprintf("X-%d", i), strings.Repeat("x", 90))
		}
		if res := s.do(tr, r); res.StatusCode != want {
			t.Errorf("%s of %v with %d fields: %s, want %d", method, body, fields, res.Status, want)
		}
	}
	f(200, "GET", nil, 0)
	f(200, "POST", strings.NewReader(strings.Repeat("x", 1000)), 0)
	f(413, "POST", strings.NewReader(strings.Repeat("x", 1001)), 0)
	f(413, "POST", struct{ io.Reader }{strings.NewReader(strings.Repeat("x", 1001))}, 0)
	f(431, "GET", nil, 42)
	f(200, "GET", nil, 0)
	f(405, "TRACE", nil, 0)
}

func TestConnectionsEndWithTheirLastStreamWhenDraining(t *testing.T) {
	finish := make(chan struct{})
	asked := make(chan struct{}, 1)
	s := newStage(t, app(t, func(w http.ResponseWriter, r *http.Request) {
		asked <- struct{}{}
		<-finish
		io.WriteString(w, "done")
	}), nil)
	clients := &s.p.Stats.Clients
	tr := s.client()
	var wg sync.WaitGroup
	wg.Go(func() {
		if got := all(t, s.do(tr, s.request("GET", "/", nil)).Body); got != "done" {
			t.Errorf("%q", got)
		}
	})
	<-asked
	late, err := net.Dial("tcp", s.addr) // known to nobody but the listener
	if err != nil {
		t.Fatal(err)
	}
	defer late.Close()
	s.p.Drain()
	s.edge.Drain()
	io.WriteString(late, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00")
	late.SetReadDeadline(time.Now().Add(patience))
	if _, err := io.ReadAll(late); err != nil {
		t.Errorf("the late one: %v", err)
	}
	await(t, "the late one to be gone", func() bool { return clients.Load() == 1 })
	close(finish)
	wg.Wait()
	await(t, "the connection to end", func() bool { return clients.Load() == 0 })
}
