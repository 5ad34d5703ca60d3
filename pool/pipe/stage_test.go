package pipe

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"

	"multiserver/proxy/wire"
	"multiserver/proxy/wire/leak"
)

func TestMain(m *testing.M) { leak.Main(m) }

// patience is how long anything that must happen may take.
const patience = 30 * time.Second

// stage is an upstream, and Conns to it. Each of its connections is served by
// the origin, a goroutine of its own, and closed when that returns.
type stage struct {
	*Conns
	t testing.TB

	mu    sync.Mutex
	conns []net.Conn // guarded by mu; that the upstream has had
	wg    sync.WaitGroup
}

type origin func(in *bufio.Reader, nc net.Conn)

func newStage(t testing.TB, depth int, serve origin) *stage {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	g := wire.NewGuard()
	s := &stage{t: t}
	s.Conns = New(Options{Guard: g, Depth: depth, MaxHead: 64 << 10, Dial: func() (net.Conn, error) { return net.Dial("tcp", ln.Addr().String()) }})
	s.wg.Go(func() {
		for {
			nc, err := ln.Accept()
			if err != nil {
				return
			}
			s.mu.Lock()
			s.conns = append(s.conns, nc)
			s.mu.Unlock()
			s.wg.Go(func() {
				defer nc.Close()
				serve(bufio.NewReader(nc), nc)
			})
		}
	})
	t.Cleanup(func() {
		s.Close()
		_ = ln.Close()
		s.mu.Lock()
		for _, nc := range s.conns {
			_ = nc.Close()
		}
		s.mu.Unlock()
		s.wg.Wait()
		s.await("all connections to end", func() bool { return len(*s.list.Load()) == 0 })
		g.Close()
	})
	return s
}

// dialed is how many connections the upstream has had.
func (s *stage) dialed() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.conns)
}

func (s *stage) await(what string, ok func() bool) {
	s.t.Helper()
	for end := time.Now().Add(patience); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			s.t.Fatalf("in vain: %s", what)
		}
	}
}

// ask asks on a seat of its own, and leaves the answer to be read.
func (s *stage) ask(target string) *Seat {
	s.t.Helper()
	seat := s.Seat()
	s.must(seat.again(target))
	return seat
}

// asks are n at once, of /0, /1, …, on one connection.
func (s *stage) asks(n int) (seats []*Seat) {
	s.t.Helper()
	for range n {
		seat := s.Seat()
		_, err := seat.Take()
		s.must(err)
		seats = append(seats, seat)
	}
	for i, seat := range seats {
		s.must(seat.get(fmt.Sprintf("/%d", i)))
		if seat.conn != seats[0].conn {
			s.t.Fatal("on several connections")
		}
	}
	return seats
}

func (s *Seat) again(target string) error {
	if _, err := s.Take(); err != nil {
		return err
	}
	return s.get(target)
}

// get asks at a place that was taken.
func (s *Seat) get(target string) error {
	_, err := io.WriteString(s, "GET "+target+" HTTP/1.1\r\nHost: a\r\n\r\n")
	return err
}

func (s *stage) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

// body is that of the answer, or why there is none.
func (s *Seat) body() string {
	in := bufio.NewReader(s)
	res, err := http.ReadResponse(in, nil)
	for err == nil && res.StatusCode < 200 && res.StatusCode != 101 {
		res, err = http.ReadResponse(in, nil)
	}
	if err != nil {
		return err.Error()
	}
	b, err := io.ReadAll(res.Body)
	if err != nil {
		return string(b) + "|" + err.Error()
	}
	return string(b)
}

// target reads one request; "": there is none.
func target(in *bufio.Reader) string {
	req, err := http.ReadRequest(in)
	if err != nil {
		return ""
	}
	return req.RequestURI
}

func answer(body string) string {
	return fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
}

// echo answers each target by itself.
func echo(in *bufio.Reader, nc net.Conn) {
	for u := target(in); u != ""; u = target(in) {
		if _, err := io.WriteString(nc, answer(u)); err != nil {
			return
		}
	}
}

// says answers n requests by that text as it is, waits for leave, and closes. On
// further connections it is echo.
func says(n int, text string, leave <-chan struct{}) origin {
	var once sync.Once
	return func(in *bufio.Reader, nc net.Conn) {
		first := false
		once.Do(func() { first = true })
		if !first {
			echo(in, nc)
			return
		}
		for range n {
			if target(in) == "" {
				return
			}
		}
		io.WriteString(nc, text)
		<-leave
	}
}

var gone = func() <-chan struct{} {
	c := make(chan struct{})
	close(c)
	return c
}()
