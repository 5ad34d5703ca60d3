package proxy_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"multiserver/proxy"
)

// failing refuses by the last part of the path.
type failing struct{}

func (failing) Request(x *proxy.Exchange) bool {
	var status int
	fmt.Sscanf(string(x.Path()), "/status/%d", &status)
	return status == 0 || x.Answer(status, "as asked")
}

func (failing) Response(*proxy.Exchange) {}

func TestFailedCallsAreToldInTermsOfGRPC(t *testing.T) {
	addr, p := startProxyWith(t, func(o *proxy.Options) { o.Filters = []proxy.Filter{failing{}} }, "127.0.0.1:1")
	f := func(path, contentType, want string) {
		t.Helper()
		res, body := fetch(t, addr, "POST "+path+" HTTP/1.1\r\nHost: a\r\nContent-Type: "+contentType+"\r\nContent-Length: 1\r\n\r\nx")
		got := fmt.Sprint(res.StatusCode, " ", res.Header.Get("Grpc-Status"), " ", res.Header.Get("Grpc-Message"))
		if got != want || res.StatusCode == 200 && (body != "" || res.Header.Get("Content-Type") != contentType) {
			t.Errorf("%s %s: %s %v %q, want %s", path, contentType, got, res.Header, body, want)
		}
	}
	f("/status/400", "application/grpc", "200 13 Bad Request: as asked")
	f("/status/401", "application/grpc", "200 16 Unauthorized: as asked")
	f("/status/403", "application/grpc+proto", "200 7 Forbidden: as asked")
	f("/status/404", "application/grpc", "200 12 Not Found: as asked")
	f("/status/408", "application/grpc", "200 4 Request Timeout: as asked")
	f("/status/413", "application/grpc", "200 8 Request Entity Too Large: as asked")
	f("/status/429", "application/grpc", "200 14 Too Many Requests: as asked")
	f("/status/500", "application/grpc", "200 2 Internal Server Error: as asked")
	f("/status/504", "application/grpc-web+proto", "200 14 Gateway Timeout: as asked")
	f("/", "application/grpc", "200 14 Service Unavailable: refused")
	f("/status/404", "application/json", "404  ")
	f("/status/404", "text/plain", "404  ")
	await(t, "failures to be counted as such", func() bool { return p.Stats.Classes[4].Load() == 9 && p.Stats.Classes[5].Load() == 3 })
}

// A body in chunks that is here whole is sent again as one of known length is:
// where it was not taken.
func TestAStreamedBodyThatIsHereIsTriedElsewhere(t *testing.T) {
	got := make(chan string, 1)
	well := listen(t, func(nc net.Conn) {
		defer nc.Close()
		req, in := readRequest(nc)
		if req == nil {
			return
		}
		body, _ := io.ReadAll(req.Body)
		got <- fmt.Sprintf("%v %q %v", req.TransferEncoding, body, req.Trailer)
		io.WriteString(nc, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
		_, _ = in.ReadByte()
	})
	const head = " / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n"
	f := func(method, fields, body, want string) {
		t.Helper()
		addr := startProxy(t, hangingUp(t), well) // takes the request, and goes
		res, _ := fetch(t, addr, method+head+fields+"\r\n"+body)
		switch {
		case want == "":
			if res.StatusCode != 502 {
				t.Errorf("%s %q: %s", method, body, res.Status)
			}
		case res.StatusCode != 200:
			t.Errorf("%s %q: %s", method, body, res.Status)
		default:
			if g := <-got; g != want {
				t.Errorf("%s %q: %s, want %s", method, body, g, want)
			}
		}
	}
	f("PUT", "", "2\r\nab\r\n1\r\nc\r\n0\r\n\r\n", `[chunked] "abc" map[]`)
	f("PUT", "", "0\r\n\r\n", `[chunked] "" map[]`)
	f("PUT", "Trailer: X-T\r\n", "1\r\na\r\n0\r\nX-T: v\r\n\r\n", `[chunked] "a" map[X-T:[v]]`)
	f("POST", "", "1\r\na\r\n0\r\n\r\n", "") // it may have been acted on
}

// hangingUp takes a request's head and closes.
func hangingUp(t testing.TB) string {
	return listen(t, func(nc net.Conn) {
		req, _ := readRequest(nc)
		if req != nil {
			_, _ = io.Copy(io.Discard, req.Body)
		}
		nc.Close()
	})
}

func TestAStreamedBodyFlowsBehindWhatWasHere(t *testing.T) {
	got := make(chan string, 10)
	addr := startProxy(t, listen(t, func(nc net.Conn) {
		defer nc.Close()
		req, _ := readRequest(nc)
		if req == nil {
			return
		}
		buf := make([]byte, 4)
		for {
			n, err := io.ReadFull(req.Body, buf)
			got <- string(buf[:n])
			if err != nil {
				break
			}
		}
		io.WriteString(nc, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
	}))
	nc := dial(t, addr)
	io.WriteString(nc, "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n2\r\ncd\r\n4\r\nef")
	if g := <-got; g != "abcd" { // and nobody has waited for the rest
		t.Errorf("%q", g)
	}
	io.WriteString(nc, "gh\r\n0\r\n\r\n")
	if g := <-got + "|" + <-got; g != "efgh|" {
		t.Errorf("%q", g)
	}
}

func TestStreamedBodiesBeyondTheSmallFlow(t *testing.T) {
	big := strings.Repeat("0123456789abcdef", 16<<10) // 256 KiB, at once
	addr := startProxy(t, listen(t, func(nc net.Conn) {
		defer nc.Close()
		req, _ := readRequest(nc)
		if req == nil {
			return
		}
		body, err := io.ReadAll(req.Body)
		fmt.Fprintf(nc, "HTTP/1.1 200 OK\r\nX-Same: %v %v\r\nContent-Length: 0\r\n\r\n", string(body) == big, err)
	}))
	res, _ := fetch(t, addr, fmt.Sprintf("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n", len(big), big))
	if res.Header.Get("X-Same") != "true <nil>" {
		t.Error(res.Header)
	}
}

// readRequest gives a request's head with its body to be read, or nil.
func readRequest(nc net.Conn) (*http.Request, *bufio.Reader) {
	in := bufio.NewReader(nc)
	req, err := http.ReadRequest(in)
	if err != nil {
		return nil, nil
	}
	return req, in
}
