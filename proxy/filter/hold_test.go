package filter

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"multiserver/proxy"
)

// startHolding is buffer-request before an app that tells how it was asked, and
// counts who it was asked by.
func startHolding(t *testing.T, words string) (addr string, asked *atomic.Int64) {
	asked = new(atomic.Int64)
	return startBefore(t, func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		b, err := io.ReadAll(r.Body)
		fmt.Fprint(w, r.ContentLength, " ", r.TransferEncoding, " ", r.Header["Expect"], " ", len(b), " ", string(b) == text(len(b)), " ", err)
	}, nil, made(t, "buffer-request", words)), asked
}

// upload sends a request's beginning, and the rest when ready.
func upload(t *testing.T, addr, head, before string, ready func(in *bufio.Reader), rest string) string {
	t.Helper()
	nc, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	_ = nc.SetDeadline(time.Now().Add(30 * time.Second))
	fmt.Fprintf(nc, "POST / HTTP/1.1\r\nHost: a\r\n%s\r\n\r\n%s", head, before)
	in := bufio.NewReader(nc)
	ready(in)
	_, _ = io.WriteString(nc, rest)
	res, err := http.ReadResponse(in, nil)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprint(res.StatusCode, " ", string(body))
}

func chunked(s string) string { return fmt.Sprintf("%x\r\n%s\r\n", len(s), s) }

func TestHeldRequests(t *testing.T) {
	addr, asked := startHolding(t, "size: 200KiB")
	none := func(*bufio.Reader) {}
	unasked := func(*bufio.Reader) {
		if n := asked.Load(); n != 0 {
			t.Errorf("%d were asked before the body was there", n)
		}
	}
	f := func(head, before string, ready func(*bufio.Reader), rest, want string) {
		t.Helper()
		asked.Store(0)
		if got := upload(t, addr, head, before, ready, rest); got != want {
			t.Errorf("%s: %s, want %s", head, got, want)
		}
	}
	sized := func(n int) string { return fmt.Sprint("Content-Length: ", n) }
	const te = "Transfer-Encoding: chunked"
	f(sized(0), "", none, "", "200 0 [] [] 0 true <nil>")
	for _, n := range []int{10, 60_000, 150_000} { // sent again if need be, or not; read in pieces
		s := text(n)
		f(sized(n), s, none, "", fmt.Sprintf("200 %d [] [] %d true <nil>", n, n))
		f(sized(n), s[:n/2], unasked, s[n/2:], fmt.Sprintf("200 %d [] [] %d true <nil>", n, n))
		f(te, chunked(s[:n/2]), unasked, chunked(s[n/2:])+"0\r\n\r\n", fmt.Sprintf("200 %d [] [] %d true <nil>", n, n))
	}
	f(te, "", unasked, "0\r\n\r\n", "200 0 [] [] 0 true <nil>")
	large := text(900_000)
	f(sized(900_000), large, none, "", "200 900000 [] [] 900000 true <nil>")
	f(te, chunked(large[:500_000]), none, chunked(large[500_000:])+"0\r\n\r\n", "200 -1 [chunked] [] 900000 true <nil>")
	f(sized(10)+"\r\nExpect: 100-continue", "", func(in *bufio.Reader) {
		line, err := in.ReadString('\n')
		if _, _ = in.ReadString('\n'); line != "HTTP/1.1 100 Continue\r\n" || err != nil {
			t.Errorf("%q, %v", line, err)
		}
		unasked(nil)
	}, text(10), "200 10 [] [] 10 true <nil>")
	f(te, "zz\r\n", unasked, "", "400 400 Bad Request: malformed chunk\n")
}

// Where there is no room bodies flow, whole; and what they held comes back.
func TestHeldRequestsShareRoom(t *testing.T) {
	before := holding
	defer func() { holding = before }()
	holding = proxy.NewRoom(100_000)
	addr, _ := startHolding(t, "size: 1MiB")
	s := text(300_000)
	for range 10 {
		for _, c := range []struct{ head, body, want string }{
			{"Content-Length: 300000", s, "200 300000 [] [] 300000 true <nil>"},
			{"Transfer-Encoding: chunked", chunked(s) + "0\r\n\r\n", "200 -1 [chunked] [] 300000 true <nil>"},
			{"Content-Length: 20000", s[:20000], "200 20000 [] [] 20000 true <nil>"},
		} {
			if got := upload(t, addr, c.head, c.body, func(*bufio.Reader) {}, ""); got != c.want {
				t.Errorf("%s: %s, want %s", c.head, got, c.want)
			}
		}
	}
	for end := time.Now().Add(30 * time.Second); holding.Left() != 100_000; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%d are left of 100000", holding.Left())
		}
	}
}
