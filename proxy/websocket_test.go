package proxy_test

import (
	"bytes"
	"context"
	"errors"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"

	"multiserver/proxy"
)

// echoServer is a WebSocket server of somebody else's making. It answers each
// message with the same, and tells how each connection closed.
func echoServer(t *testing.T, mode websocket.CompressionMode) (addr string, closed chan error) {
	closed = make(chan error, 100)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := websocket.Accept(w, r, &websocket.AcceptOptions{
			Subprotocols: []string{"chat.v2"}, CompressionMode: mode, CompressionThreshold: 1, InsecureSkipVerify: true})
		if err != nil {
			return
		}
		defer c.CloseNow()
		c.SetReadLimit(-1)
		for {
			kind, b, err := c.Read(context.Background())
			if err != nil {
				closed <- err
				return
			}
			if err := c.Write(context.Background(), kind, b); err != nil {
				closed <- err
				return
			}
		}
	}))
	t.Cleanup(s.Close)
	return strings.TrimPrefix(s.URL, "http://"), closed
}

func join(t *testing.T, addr string, mode websocket.CompressionMode) *websocket.Conn {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	c, res, err := websocket.Dial(ctx, "ws://"+addr+"/chat?room=1", &websocket.DialOptions{
		Subprotocols: []string{"chat.v1", "chat.v2"}, CompressionMode: mode, CompressionThreshold: 1})
	if err != nil {
		t.Fatal(err)
	}
	if c.Subprotocol() != "chat.v2" {
		t.Errorf("subprotocol %q", c.Subprotocol())
	}
	if got := res.Header.Get("Sec-WebSocket-Extensions"); (mode == websocket.CompressionDisabled) != (got == "") {
		t.Errorf("extensions %q", got)
	}
	c.SetReadLimit(-1)
	t.Cleanup(func() { c.CloseNow() })
	return c
}

// talk sends a message and wants it back.
func talk(t *testing.T, c *websocket.Conn, kind websocket.MessageType, b []byte) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	sent := make(chan error, 1)
	go func() { sent <- c.Write(ctx, kind, b) }()
	k, got, err := c.Read(ctx)
	if err == nil {
		err = <-sent
	}
	if err != nil || k != kind || !bytes.Equal(got, b) {
		t.Fatalf("%d bytes: %v, %d came back", len(b), err, len(got))
	}
}

func TestWebSocketTalks(t *testing.T) {
	for what, mode := range map[string]websocket.CompressionMode{
		"plain": websocket.CompressionDisabled, "deflate": websocket.CompressionNoContextTakeover, "deflate with context": websocket.CompressionContextTakeover,
	} {
		t.Run(what, func(t *testing.T) {
			addr, closed := echoServer(t, mode)
			c := join(t, startProxy(t, addr), mode)
			noise := make([]byte, 3<<20)
			for i := range noise {
				noise[i] = byte(rand.Uint32())
			}
			for _, n := range []int{0, 1, 125, 126, 65535, 65536, 16 << 10, splicedBody - 1, splicedBody, splicedBody + 1, len(noise), 5} {
				talk(t, c, websocket.MessageText, []byte(strings.Repeat("a", n)))
				talk(t, c, websocket.MessageBinary, noise[:n])
			}
			ctx, cancel := context.WithTimeout(context.Background(), patience)
			defer cancel()
			ping := c.CloseRead(ctx)
			if err := c.Ping(ctx); err != nil {
				t.Error(err)
			}
			c.Close(4321, "enough")
			<-ping.Done()
			var ce websocket.CloseError
			if err := <-closed; !errors.As(err, &ce) || ce.Code != 4321 || ce.Reason != "enough" {
				t.Errorf("the server saw %v", err)
			}
		})
	}
}

const splicedBody = 256 << 10

func TestWebSocketsAreToldToGo(t *testing.T) {
	addr, closed := echoServer(t, websocket.CompressionDisabled)
	front, p := startProxyWith(t, nil, addr)
	const n = 20
	var left sync.WaitGroup
	for range n {
		c := join(t, front, websocket.CompressionDisabled)
		talk(t, c, websocket.MessageText, []byte("hello"))
		left.Go(func() {
			_, _, err := c.Read(context.Background())
			if websocket.CloseStatus(err) != websocket.StatusGoingAway {
				t.Errorf("a client saw %v", err)
			}
		})
	}
	for parts := 4; parts > 0; parts-- {
		p.EndTunnels(parts)
		if told, want := p.Stats.TunnelsTold.Load(), uint64(n-n*(parts-1)/4); told != want {
			t.Errorf("%d parts left, %d told, want %d", parts-1, told, want)
		}
	}
	left.Wait()
	for range n {
		if err := <-closed; websocket.CloseStatus(err) != websocket.StatusGoingAway {
			t.Errorf("a server saw %v", err)
		}
	}
	await(t, "all tunnels to end", func() bool { return p.Stats.Upgraded.Load() == 0 })
}

func TestSilentWebSocketIsEnded(t *testing.T) {
	t.Parallel()
	addr, closed := echoServer(t, websocket.CompressionDisabled)
	front, p := startProxyWith(t, func(o *proxy.Options) { o.TunnelIdle = 2 * time.Second }, addr)
	c := join(t, front, websocket.CompressionDisabled)
	begun := time.Now()
	for time.Since(begun) < 2500*time.Millisecond { // its limit is on silence, not on its life
		talk(t, c, websocket.MessageText, []byte("hello"))
		time.Sleep(50 * time.Millisecond)
	}
	_, _, err := c.Read(context.Background())
	if websocket.CloseStatus(err) != websocket.StatusGoingAway {
		t.Errorf("the client saw %v", err)
	}
	if err := <-closed; websocket.CloseStatus(err) != websocket.StatusGoingAway {
		t.Errorf("the server saw %v", err)
	}
	await(t, "the tunnel to end", func() bool { return p.Stats.Upgraded.Load() == 0 })
	if n := p.Stats.TunnelsIdle.Load(); n != 1 {
		t.Errorf("%d counted", n)
	}
}
