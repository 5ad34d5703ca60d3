package bridge

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"

	"multiserver/sync/hub"
)

// chat is an instance of a plain app, by another library: what one says is said
// to all of its own.
type chat struct {
	*httptest.Server
	mu     sync.Mutex
	conns  []*websocket.Conn // guarded by mu
	silent int               // guarded by mu
	said   []string          // guarded by mu; what any connection said to it
}

func newChat(t *testing.T) *chat {
	c := new(chat)
	c.Server = httptest.NewServer(http.HandlerFunc(c.serve))
	t.Cleanup(c.end)
	return c
}

func (c *chat) serve(w http.ResponseWriter, r *http.Request) {
	conn, err := websocket.Accept(w, r, nil)
	if err != nil {
		return
	}
	defer conn.CloseNow()
	c.mu.Lock()
	c.conns = append(c.conns, conn)
	if r.Header.Get("X-WS-Bridge") == "1" && r.URL.Path == "/chat" {
		c.silent++
	}
	c.mu.Unlock()
	for {
		_, data, err := conn.Read(context.Background())
		c.mu.Lock()
		if err != nil {
			c.conns = slices.DeleteFunc(c.conns, func(one *websocket.Conn) bool { return one == conn })
			c.mu.Unlock()
			return
		}
		c.said = append(c.said, string(data))
		c.mu.Unlock()
	}
}

func (c *chat) say(kind websocket.MessageType, text string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, conn := range c.conns {
		_ = conn.Write(context.Background(), kind, []byte(text))
	}
}

// cut ends all connections without a word.
func (c *chat) cut() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, conn := range c.conns {
		_ = conn.CloseNow()
	}
}

func (c *chat) end() { c.cut(); c.Close() }

func (c *chat) listeners() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.conns)
}

func (c *chat) addr() string { return strings.TrimPrefix(c.URL, "http://") }

// client writes down what it is shown.
type client struct {
	mu  sync.Mutex
	got []string // guarded by mu
}

func (c *client) Post(m *hub.Message) hub.Verdict {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.got = append(c.got, string(m.Data))
	return hub.Written
}

func (c *client) Close(uint16, string) {}

func (c *client) words() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.got)
}

// node is a hub and its bridge.
type node struct {
	*testing.T
	hub *hub.Hub
	*Bridge
}

func newNode(t *testing.T, room *hub.Memory, o Options, chats ...*chat) *node {
	h, err := hub.New(hub.Options{Broker: room.Node(), Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	o.Hub, o.Log = h, slog.New(slog.DiscardHandler)
	o.Dial = func(ctx context.Context, instance string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "tcp", instance)
	}
	n := &node{t, h, New(o)}
	t.Cleanup(func() { n.Bridge.Close(); _ = h.Close() })
	n.know(chats...)
	return n
}

func (n *node) know(chats ...*chat) {
	var all []string
	for _, c := range chats {
		all = append(all, c.addr())
	}
	n.Instances(all)
}

func (n *node) enter(on *chat, path string) (*client, func()) {
	n.Helper()
	c := new(client)
	conn, why := n.hub.Enter(c, hub.Who{ID: hub.NewID(), Path: path, Origin: on.addr()})
	if why != hub.OK {
		n.Fatal(why)
	}
	leave, why := n.Bridge.Enter(conn)
	if why != hub.OK {
		n.Fatal(why)
	}
	return c, leave
}

func until(t *testing.T, what string, f func() bool) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); !f(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("did not come about: %s", what)
		}
	}
}

func hears(t *testing.T, c *client, want ...string) {
	t.Helper()
	until(t, fmt.Sprintf("%q is heard", want), func() bool { return len(c.words()) >= len(want) })
	if got := c.words(); !slices.Equal(got, want) {
		t.Errorf("heard %q, want %q", got, want)
	}
}
