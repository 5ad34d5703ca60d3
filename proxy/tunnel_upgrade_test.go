package proxy_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"testing"

	"multiserver/proxy"
)

// Another protocol passes where it is allowed, and only if both agree on it;
// else the request is one like any other.
func TestOtherProtocolsAreSwitchedToIfAllowed(t *testing.T) {
	addr := listen(t, func(nc net.Conn) {
		defer nc.Close()
		in := bufio.NewReader(nc)
		req, err := http.ReadRequest(in)
		if err != nil {
			return
		}
		switch req.Header.Get("Upgrade") {
		case "":
			io.WriteString(nc, "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")
			return
		case "other":
			io.WriteString(nc, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: chat/2\r\n\r\n")
		default:
			fmt.Fprintf(nc, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: %s\r\n\r\n", req.Header.Get("Upgrade"))
		}
		io.Copy(nc, in)
	})
	front, _ := startProxyWith(t, func(o *proxy.Options) { o.Upgrade = []string{"chat/2", "other"} }, addr)
	for name, want := range map[string]int{"chat/2": 101, "Chat/2": 101, "other": 502, "tcp": 204, "h2c": 204} {
		nc := dial(t, front)
		fmt.Fprintf(nc, "POST / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: %s\r\n\r\n", name)
		in := bufio.NewReader(nc)
		res, err := http.ReadResponse(in, nil)
		if err != nil || res.StatusCode != want {
			t.Errorf("%s: %v, %v, want %d", name, res, err, want)
			continue
		}
		if want != 101 {
			continue
		}
		if got := res.Header.Get("Upgrade"); got != name {
			t.Errorf("%s: switched to %q", name, got)
		}
		io.WriteString(nc, "raw bytes")
		b := make([]byte, 9)
		if _, err := io.ReadFull(in, b); err != nil || string(b) != "raw bytes" {
			t.Errorf("%s: %q, %v", name, b, err)
		}
		nc.Close()
	}
}
