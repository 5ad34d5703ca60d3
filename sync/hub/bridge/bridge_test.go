package bridge

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"multiserver/sync/hub"
)

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
