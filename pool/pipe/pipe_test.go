package pipe

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"strings"
	"sync"
	"testing"
	"time"
)

// Whoever asks what, of whatever form and length the answers are: each has his
// own.
func TestEachHasItsOwnAnswer(t *testing.T) {
	s := newStage(t, 8, func(in *bufio.Reader, nc net.Conn) {
		out := bufio.NewWriterSize(nc, 1+rand.N(20000))
		for u := target(in); u != ""; u = target(in) {
			body := u + strings.Repeat("x", rand.N(30)*rand.N(1000))
			switch rand.N(3) {
			case 0:
				fmt.Fprintf(out, "HTTP/1.1 103 Early Hints\r\n\r\n%s", answer(body))
			case 1:
				io.WriteString(out, answer(body))
			case 2:
				n := rand.N(len(body) + 1)
				fmt.Fprintf(out, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
				for _, part := range []string{body[:n], body[n:]} {
					if part != "" {
						fmt.Fprintf(out, "%x\r\n%s\r\n", len(part), part)
					}
				}
				io.WriteString(out, "0\r\n\r\n")
			}
			if in.Buffered() == 0 && out.Flush() != nil {
				return
			}
		}
	})
	var wg sync.WaitGroup
	for i := range 20 {
		wg.Go(func() {
			seat := s.Seat()
			for j := range 150 {
				u := fmt.Sprintf("/%d/%d/", i, j)
				err := seat.again(u)
				for ; errors.Is(err, ErrFull); err = seat.again(u) {
					time.Sleep(time.Millisecond)
				}
				if err != nil {
					t.Error(err)
					return
				}
				b := seat.body()
				for b == ErrBlocked.Error() { // the machine is busy: who stays is answered all the same
					b = seat.body()
				}
				if strings.TrimRight(b, "x") != u {
					t.Errorf("%s: %.50q…%s", u, b, b[max(0, len(b)-50):])
					return
				}
				if !seat.Free() {
					seat.Close()
					seat = s.Seat()
				}
			}
			seat.Close()
		})
	}
	wg.Wait()
}

func TestRequestsThatGatheredLeaveByOneWrite(t *testing.T) {
	got := make(chan string, 1)
	s := newStage(t, 8, func(in *bufio.Reader, nc net.Conn) {
		b := make([]byte, 4096)
		n, _ := nc.Read(b)
		got <- string(b[:n])
		io.WriteString(nc, strings.Repeat(answer("ok"), 5))
		in.Peek(1)
	})
	hold := s.Seat()
	_, err := hold.Take()
	s.must(err)
	c := hold.conn
	c.mu.Lock()
	c.writing = true // somebody is about to
	c.mu.Unlock()
	seats := s.asks(5)
	c.send()
	hold.Close()
	if n := strings.Count(<-got, "HTTP/1.1\r\n"); n != 5 {
		t.Errorf("%d requests came at once, want 5", n)
	}
	for _, seat := range seats {
		if b := seat.body(); b != "ok" {
			t.Error(b)
		}
	}
}

// What has gone wrong for one: those before have their answers, it has what came
// of its own, and those behind have no byte.
func TestConnectionsThatEnd(t *testing.T) {
	const none = "unexpected EOF" // as net/http says if there was no byte
	two := answer("0") + answer("1")
	f := func(name, text string, want ...string) {
		t.Run(name, func(t *testing.T) {
			s := newStage(t, 8, says(len(want), text, gone))
			seats := s.asks(len(want))
			for i, seat := range seats {
				if b := seat.body(); b != want[i] {
					t.Errorf("%d: %q, want %q", i, b, want[i])
				}
				if i > 0 && want[i] == none && seat.began {
					t.Errorf("%d has had a byte", i)
				}
				seat.Close()
			}
			s.await("the connection to end", func() bool { return len(*s.list.Load()) == 0 })
			again := s.ask("/again")
			if b := again.body(); b != "/again" {
				t.Errorf("after it: %q", b)
			}
		})
	}
	f("before all", "", none, none)
	f("after two", two, "0", "1", none, none)
	f("within a head", two+"HTTP/1.1 200 OK\r\nContent-", "0", "1", `malformed MIME header: missing colon: "Content-"`, none)
	f("within a body", two+"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc", "0", "1", "abc|"+none, none)
	f("within a chunk", two+"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nabc", "0", "1", "abc|"+none, none)
	f("no HTTP", two+"SSH-2.0-OpenSSH_9.9\r\n\r\n", "0", "1", `malformed HTTP response "SSH-2.0-OpenSSH_9.9"`, none)
	f("two lengths", two+"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nabHTTP/1.1 200 OK\r\n\r\n", "0", "1", "http: message cannot contain multiple Content-Length headers; got [\"1\" \"2\"]", none)
	f("a bad chunk", two+"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nz\r\nabc"+two, "0", "1", "|invalid byte in chunk length", none)
	f("by its end", two+"HTTP/1.1 200 OK\r\n\r\nall of this"+two, "0", "1", "all of this"+two, none)
	f("the last", two+"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 1\r\n\r\nx"+two, "0", "1", "x", none)
	f("of HTTP/1.0", two+"HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\nx"+two, "0", "1", "x", none)
	f("304 that tells a length", two+"HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n"+two, "0", "1", "", none)
	f("204 that tells a length", two+"HTTP/1.1 204 No Content\r\nContent-Length: 9\r\n\r\n"+two, "0", "1", "", none)
	f("304 that tells chunks", two+"HTTP/1.1 304 Not Modified\r\nTransfer-Encoding: chunked\r\n\r\n"+two, "0", "1", "", none)
	f("more than asked for", two+two, "0", "1")
	f("101", "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n"+two, "", none)
}

func TestAnswersWithoutABodyHoldNobodyUp(t *testing.T) {
	leave := make(chan struct{})
	defer close(leave)
	s := newStage(t, 8, says(4, "HTTP/1.1 204 No Content\r\n\r\nHTTP/1.1 304 Not Modified\r\nETag: \"a\"\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"+answer("last"), leave))
	for i, seat := range s.asks(4) {
		want := ""
		if i == 3 {
			want = "last"
		}
		if b := seat.body(); b != want || !seat.Free() {
			t.Errorf("%d: %q, free %t", i, b, seat.Free())
		}
		seat.Close()
	}
}

// Bytes that came while nobody asked are no answer to the next one.
func TestUnaskedBytesReachNobody(t *testing.T) {
	poison := make(chan struct{})
	s := newStage(t, 8, func(in *bufio.Reader, nc net.Conn) {
		for u := target(in); u != ""; u = target(in) {
			io.WriteString(nc, answer(u))
			if u == "/1" {
				<-poison
				io.WriteString(nc, answer("poison"))
				poison <- struct{}{}
			}
		}
	})
	seat := s.ask("/1")
	if b := seat.body(); b != "/1" {
		t.Fatal(b)
	}
	poison <- struct{}{}
	<-poison
	var e ear
	e.begin(seat.conn.NetConn())
	s.await("it to arrive", func() bool { return !e.silent() })
	s.must(seat.again("/2"))
	if b := seat.body(); b != io.ErrUnexpectedEOF.Error() {
		t.Errorf("%q", b)
	}
	seat.Close()
	if b := s.ask("/3").body(); b != "/3" {
		t.Errorf("on the next one: %q", b)
	}
	if s.dialed() != 2 {
		t.Errorf("%d connections, want 2", s.dialed())
	}
}
