package proxy_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"

	"multiserver/proxy"
)

const (
	handshake = "GET %s HTTP/1.1\r\nHost: a.test\r\nReferer: http://a.test/page\r\n" +
		"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
	switching = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
		"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"
)

// echoing is an origin that switches protocols and sends back what it gets;
// requests that ask for no switch it answers 204.
func echoing(t *testing.T) (addr string) {
	return listen(t, func(nc net.Conn) {
		defer nc.Close()
		in := bufio.NewReader(nc)
		for {
			req, err := http.ReadRequest(in)
			if err != nil {
				return
			}
			if req.Header.Get("Upgrade") == "" {
				io.WriteString(nc, "HTTP/1.1 204 No Content\r\n\r\n")
				continue
			}
			io.WriteString(nc, switching)
			io.Copy(nc, in)
			return
		}
	})
}

// open makes a tunnel to path.
func open(t *testing.T, addr, path string) (net.Conn, *bufio.Reader) {
	t.Helper()
	nc := dial(t, addr)
	fmt.Fprintf(nc, handshake, path)
	in := bufio.NewReader(nc)
	res, err := http.ReadResponse(in, nil)
	if err != nil || res.StatusCode != 101 {
		t.Fatalf("%v, %v", res, err)
	}
	return nc, in
}

func TestTunnelPassesBytesBothWays(t *testing.T) {
	nc, in := open(t, startProxy(t, echoing(t)), "/")
	data := strings.Repeat("0123456789abcdef", 1<<14)
	go func() {
		for piece := range strings.SplitSeq(data, "7") {
			io.WriteString(nc, piece+"7")
		}
		nc.(*net.TCPConn).CloseWrite()
	}()
	got, err := io.ReadAll(in)
	if err != nil || string(got) != data+"7" {
		t.Errorf("%d of %d bytes came back, %v", len(got), len(data), err)
	}
}

// A tunnel lives long, and its line is written when it ends: of its own
// request, not of whatever uses that memory by then.
func TestTunnelIsLoggedAsWhatItWas(t *testing.T) {
	var out lockedBuffer
	log := proxy.NewLog(&out, proxy.LogForm{})
	addr, p := startProxyWith(t, func(o *proxy.Options) { o.Lines = log }, echoing(t))
	nc, in := open(t, addr, "/tunnel")
	io.WriteString(nc, "x")
	if c, err := in.ReadByte(); c != 'x' || err != nil {
		t.Fatal(c, err)
	}
	var others sync.WaitGroup
	for range 8 {
		others.Go(func() {
			nc := dial(t, addr)
			in := bufio.NewReader(nc)
			for i := range 100 {
				fmt.Fprintf(nc, "GET /other/%d HTTP/1.1\r\nHost: b.test\r\nReferer: http://b.test/secret\r\n\r\n", i)
				if _, err := http.ReadResponse(in, nil); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	others.Wait()
	nc.Close()
	await(t, "the tunnel to end", func() bool { return p.Stats.Classes[1].Load() == 1 && p.Stats.Clients.Load() <= 8 })
	if err := log.Close(); err != nil {
		t.Fatal(err)
	}
	want := `"GET /tunnel HTTP/1.1" 101 1 "http://a.test/page"`
	for line := range strings.Lines(out.String()) {
		if strings.Contains(line, " 101 ") {
			if !strings.Contains(line, want) {
				t.Errorf("%s has not %s", line, want)
			}
			return
		}
	}
	t.Errorf("no line for the tunnel")
}
