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

func TestInstancesBecomeOneRoom(t *testing.T) {
	chats := []*chat{newChat(t), newChat(t), newChat(t)}
	room := hub.NewMemory()
	nodes := []*node{newNode(t, room, Options{}, chats...), newNode(t, room, Options{}, chats...)}
	var clients [2][3]*client
	for i, n := range nodes {
		for k, c := range chats {
			clients[i][k], _ = n.enter(c, "/chat")
		}
	}
	for _, c := range chats {
		until(t, "each node listens", func() bool { return c.listeners() == 2 })
	}
	const each = 20
	for i := range each {
		for k, c := range chats {
			kind := websocket.MessageText
			if i%2 == 1 {
				kind = websocket.MessageBinary
			}
			c.say(kind, fmt.Sprint(k, " ", i))
		}
	}
	for i := range nodes {
		for k := range chats {
			until(t, "all of the others is heard", func() bool { return len(clients[i][k].words()) >= 2*each })
			var next [3]int
			for _, w := range clients[i][k].words() {
				var who, what int
				fmt.Sscan(w, &who, &what)
				if who == k || what != next[who] {
					t.Errorf("a client of %d on node %d is shown %q when %d was next", k, i, w, next[who])
				}
				next[who]++
			}
		}
	}
	for _, c := range chats {
		if c.mu.Lock(); len(c.said) > 0 || c.silent != 2 {
			t.Errorf("bridges said %q; %d are marked", c.said, c.silent)
		}
		c.mu.Unlock()
	}
}

func TestABrokenEarIsMadeAgain(t *testing.T) {
	a, b := newChat(t), newChat(t)
	n := newNode(t, hub.NewMemory(), Options{}, a, b)
	c, _ := n.enter(a, "/chat")
	until(t, "it listens", func() bool { return b.listeners() == 1 })
	b.cut()
	until(t, "it is noticed", func() bool { return n.Stats.Lost.Load() > 0 })
	until(t, "it listens again", func() bool {
		b.say(websocket.MessageText, "again")
		return len(c.words()) > 0
	})
}

func TestInstancesComeAndGo(t *testing.T) {
	a, b := newChat(t), newChat(t)
	n := newNode(t, hub.NewMemory(), Options{Linger: time.Millisecond, MaxRooms: 1}, a)
	c, leave := n.enter(a, "/chat")
	n.know(a, b)
	until(t, "the new one is listened to", func() bool { return b.listeners() == 1 })
	b.say(websocket.MessageText, "new")
	hears(t, c, "new")
	n.know(a)
	until(t, "the old one is left", func() bool { return b.listeners() == 0 })
	n.enter(a, "/other")
	if n.Stats.RoomsFull.Load() != 1 {
		t.Error("there are more rooms than there may be")
	}
	leave()
	until(t, "an empty room is left", func() bool { return a.listeners() == 0 && n.Stats.Rooms.Load() == 0 })
}

func TestNodesHearFromInstancesThatTheyDoNotKnow(t *testing.T) {
	a, b, c := newChat(t), newChat(t), newChat(t)
	room := hub.NewMemory()
	share := Options{Share: true}
	one, two, three := newNode(t, room, share, a), newNode(t, room, share, b, c), newNode(t, room, share, b)
	onA, _ := one.enter(a, "/chat")
	onB, _ := two.enter(b, "/chat")
	other, _ := three.enter(b, "/chat")
	until(t, "all listen", func() bool { return a.listeners() == 1 && b.listeners() == 2 && c.listeners() == 1 })
	// A share channel is joined in the background: say until it is heard.
	begin := func(from *chat, who ...*client) {
		t.Helper()
		until(t, "it is heard over nodes", func() bool {
			from.say(websocket.MessageText, "begin")
			return !slices.ContainsFunc(who, func(c *client) bool { return !slices.Contains(c.words(), "begin") })
		})
	}
	begin(a, onB, other)
	begin(b, onA)
	begin(c, onA, onB, other)
	const n = 30
	for i := range n {
		a.say(websocket.MessageText, fmt.Sprint("a", i))
		b.say(websocket.MessageText, fmt.Sprint("b", i))
		c.say(websocket.MessageText, fmt.Sprint("c", i))
	}
	f := func(who *client, from string) {
		t.Helper()
		last := func() (all map[string][]string) {
			all = make(map[string][]string)
			for _, w := range who.words() {
				if w != "begin" {
					all[w[:1]] = append(all[w[:1]], w[1:])
				}
			}
			return all
		}
		until(t, "all is heard", func() bool {
			return !slices.ContainsFunc([]byte(from), func(x byte) bool { return len(last()[string(x)]) < n })
		})
		for x, words := range last() {
			if !strings.Contains(from, x) || len(words) != n {
				t.Errorf("of %s %d are heard", x, len(words))
			}
			for i, w := range words {
				if w != fmt.Sprint(i) {
					t.Fatalf("%s%s at %d", x, w, i)
				}
			}
		}
	}
	f(onA, "bc")
	f(onB, "ac")
	f(other, "ac")
}

func TestOneSourceIsBelieved(t *testing.T) {
	s := &share{from: make(map[string]source)}
	now := time.Now()
	live := map[uint64]bool{1: true, 2: true}
	f := func(node uint64, after time.Duration, want bool) {
		t.Helper()
		if got := s.believes("i", node, now.Add(after), func(n uint64) bool { return live[n] }); got != want {
			t.Errorf("node %d after %v: %v", node, after, got)
		}
	}
	f(1, 0, true)
	f(2, time.Second, false)
	f(1, 2*time.Second, true)
	f(2, 2*time.Second+stale, true)
	f(1, 3*time.Second+stale, false)
	live[2] = false
	f(1, 4*time.Second+stale, true)
	s.forget("i", 2)
	live[2] = true
	f(2, 5*time.Second+stale, false)
	s.forget("i", 1)
	f(2, 6*time.Second+stale, true)
}
