package cli

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/coder/websocket"

	"multiserver/cache/redis/redistest"
	"multiserver/sync/daemon"
)

// listener is a client of a hub, and what it has heard.
type listener struct {
	name string
	end  func()

	mu    sync.Mutex
	words []string // guarded by mu
	over  error    // guarded by mu; why it hears no more
}

func (l *listener) hears(word string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.words = append(l.words, word)
}

func (l *listener) ended(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.over = err
}

func (l *listener) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return fmt.Sprintf("%s heard %q (its end: %v)", l.name, l.words, l.over)
}

func (l *listener) heard() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.words)
}

// socket is a WebSocket client.
func (s *service) socket(name, query string) *listener {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), patience)
	defer cancel()
	c, _, err := websocket.Dial(ctx, "ws://"+s.addr()+"/ws"+query, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	l := &listener{name: name, end: func() { c.CloseNow() }}
	s.t.Cleanup(l.end)
	go func() {
		for {
			_, b, err := c.Read(context.Background())
			if err != nil {
				l.ended(err)
				return
			}
			l.hears(string(b))
		}
	}()
	return l
}

// events is a client that reads an event stream.
func (s *service) events(name string) *listener {
	s.t.Helper()
	req, _ := http.NewRequest("GET", "http://"+s.addr()+"/ws/events", nil)
	req.Header.Set("Accept", "text/event-stream")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	l := &listener{name: name, end: func() { res.Body.Close() }}
	s.t.Cleanup(l.end)
	go func() {
		in := bufio.NewScanner(res.Body)
		for in.Scan() {
			if word, ok := strings.CutPrefix(in.Text(), "data: "); ok {
				l.hears(word)
			}
		}
		l.ended(in.Err())
	}()
	return l
}

// room is a channel with history to which one node publishes.
type room struct {
	*testing.T
	at   *service
	n    int
	said []string // what everyone is to hear, once and in this order
	last string   // the id of the last of it
}

// say publishes one more word; whole tells that all nodes are told. Otherwise
// who hangs on others may hear it, or not.
func (r *room) say() (word string, whole bool) {
	r.Helper()
	r.n++
	word = fmt.Sprint("word ", r.n)
	res, err := http.Post("http://"+r.at.adminAddr()+"/api/publish?channel=kept", "text/plain", strings.NewReader(word))
	if err != nil {
		r.Fatal(err)
	}
	defer res.Body.Close()
	if b, _ := io.ReadAll(res.Body); res.StatusCode == 200 {
		r.said = append(r.said, word)
		_, id, _ := strings.Cut(string(b), `"id":"`)
		r.last, _, _ = strings.Cut(id, `"`)
		return word, true
	}
	return word, false
}

func (r *room) says(n int) {
	r.Helper()
	for range n {
		until(r.T, func() bool { _, whole := r.say(); return whole }, func() string { return "nothing can be published" })
	}
}

// waits until a client's node hears the channel: what went to all nodes has come
// to it, and not only what its own could tell nobody else.
func (r *room) waits(l *listener) {
	r.Helper()
	whole := func(word string) bool { return slices.Contains(r.said, word) }
	until(r.T, func() bool { r.say(); return slices.ContainsFunc(l.heard(), whole) }, func() string { return l.String() })
}

// all waits until everyone has heard what was said behind since, each word once
// and in order.
func (r *room) all(since int, who ...*listener) {
	r.Helper()
	want := r.said[since:]
	for _, l := range who {
		kept := func() []string {
			return slices.DeleteFunc(l.heard(), func(word string) bool { return !slices.Contains(want, word) })
		}
		until(r.T, func() bool { return len(kept()) >= len(want) }, func() string {
			return fmt.Sprintf("%s, want %q; at the publisher:\n%s", l, want, lines(get(r.T, "http://"+r.at.adminAddr()+"/metrics"), "hub_"))
		})
		if got := kept(); !slices.Equal(got, want) {
			r.Errorf("%s, want %q", l, want)
		}
	}
}

// lines are those of a text that have a word in them.
func lines(text, word string) (some string) {
	for line := range strings.Lines(text) {
		if strings.Contains(line, word) && line[0] != '#' {
			some += line
		}
	}
	return some
}

// Two nodes over one Redis, as an operator runs them: what is published at one
// is heard at the other, also behind a time in which Redis did not answer, and
// by who comes back.
func TestTwoNodesAreOneHub(t *testing.T) {
	t.Parallel()
	daemon.Need(t, "redis-server")
	redis, err := redistest.Start(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(redis.Stop)
	args := []string{"--redis", redis.URL(), "--hub-channels", "kept", "--hub-history", "kept;size=1000"}
	a, b := startHub(t, args...), startHub(t, args...)
	r := &room{T: t, at: a}
	near, socket, events := a.socket("a WebSocket at A", ""), b.socket("a WebSocket at B", ""), b.events("an event stream at B")
	for _, l := range []*listener{near, socket, events} {
		r.waits(l)
	}
	began := len(r.said)
	r.says(3)
	r.all(began, near, socket, events)
	left, since := len(r.said), r.last
	socket.end()

	redis.Pause()
	alone, whole := r.say()
	if whole {
		t.Error("it says that all nodes are told, without Redis")
	}
	until(t, func() bool { return slices.Contains(near.heard(), alone) }, func() string { return "nodes do not hear themselves" })
	redis.Resume()
	r.says(3)
	r.all(began, near, events)

	if _, err := redis.Do("CLIENT", "KILL", "TYPE", "pubsub"); err != nil {
		t.Fatal(err)
	}
	r.says(3) // also while B does not hear
	r.all(began, near, events)

	back := b.socket("a WebSocket that came back to B", "?since="+since)
	r.says(3)
	r.all(left, back)
	r.all(began, near, events)
	for _, l := range []*listener{near, events, back} {
		if words := l.heard(); len(words) != len(slices.Compact(slices.Sorted(slices.Values(words)))) {
			t.Errorf("%s heard something twice: %q", l.name, words)
		}
	}
}
