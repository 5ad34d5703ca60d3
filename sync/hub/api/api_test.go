package api

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/valyala/fasthttp"
	"github.com/valyala/fasthttp/fasthttputil"

	"multiserver/sync/hub"
)

// ear writes down what a member is given.
type ear struct {
	mu   sync.Mutex
	got  []string // guarded by mu
	kind hub.Kind // guarded by mu; of the last
	code uint16   // guarded by mu
}

func (e *ear) Post(m *hub.Message) hub.Verdict {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.got, e.kind = append(e.got, string(m.Data)), m.Kind
	return hub.Written
}

func (e *ear) Close(code uint16, _ string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.code = code
}

// words are without those that begin. Called with mu held.
func (e *ear) words() (all []string) {
	for _, w := range e.got {
		if w != "begin" {
			all = append(all, w)
		}
	}
	return all
}

type stage struct {
	*testing.T
	hub  *hub.Hub
	http *http.Client
}

func newStage(t *testing.T, broker hub.Broker) *stage {
	h, err := hub.New(hub.Options{
		Broker:  broker,
		History: func(c string) hub.History { return map[bool]hub.History{true: {Size: 9, TTL: time.Hour}}[c == "kept"] },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = h.Close() })
	a := New(h)
	ln := fasthttputil.NewInmemoryListener()
	server := &fasthttp.Server{Handler: func(ctx *fasthttp.RequestCtx) {
		if !a.Serve(ctx) {
			ctx.Error("elsewhere", 404)
		}
	}}
	go func() { _ = server.Serve(ln) }()
	t.Cleanup(func() { _ = ln.Close() })
	dial := func(context.Context, string, string) (net.Conn, error) { return ln.Dial() }
	return &stage{t, h, &http.Client{Transport: &http.Transport{DialContext: dial, DisableKeepAlives: true}}}
}

func (s *stage) enter(who hub.Who, channels ...string) *ear {
	s.Helper()
	e := new(ear)
	c, why := s.hub.Enter(e, who)
	if why != hub.OK {
		s.Fatal(why)
	}
	for _, name := range channels {
		c.Subscribe(name)
		s.begin(e, name)
	}
	return e
}

// begin waits until what is kept in a channel is shown to its newest member: that
// is when the broker has told where the history ends.
func (s *stage) begin(e *ear, channel string) {
	s.Helper()
	if channel != "kept" {
		return
	}
	s.until(func() bool {
		_, _ = s.hub.Publish(context.Background(), hub.Post{Channel: channel, Data: []byte("begin")})
		time.Sleep(time.Millisecond)
		e.mu.Lock()
		defer e.mu.Unlock()
		return len(e.got) > 0
	}, new(ear))
}

// ask wants a status, and an answer with some text in it.
func (s *stage) ask(method, path, contentType, body string, status int, has string) {
	s.Helper()
	req, _ := http.NewRequest(method, "http://hub"+path, strings.NewReader(body))
	req.Header.Set("Content-Type", contentType)
	res, err := s.http.Do(req)
	if err != nil {
		s.Fatal(err)
	}
	defer res.Body.Close()
	text, _ := io.ReadAll(res.Body)
	if res.StatusCode != status || !bytes.Contains(text, []byte(has)) {
		s.Errorf("%s %s: %d %s, want %d and %s", method, path, res.StatusCode, text, status, has)
	}
}

func (s *stage) hears(e *ear, want ...string) {
	s.Helper()
	s.until(func() bool { return len(e.words()) >= len(want) }, e)
	e.mu.Lock()
	defer e.mu.Unlock()
	if got := e.words(); !slices.Equal(got, want) {
		s.Errorf("heard %q, want %q", got, want)
	}
}

func (s *stage) until(f func() bool, e *ear) {
	s.Helper()
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(time.Millisecond) {
		e.mu.Lock()
		ok := f()
		e.mu.Unlock()
		if ok {
			return
		}
	}
	s.Fatal("it did not come about")
}

func TestPublish(t *testing.T) {
	s := newStage(t, nil)
	e := s.enter(hub.Who{ID: "me"}, "a", "kept")
	other := s.enter(hub.Who{ID: "other"}, "a")
	s.ask("POST", "/api/publish?channel=a", "text/plain", "1", 200, "{}")
	s.ask("POST", "/api/publish?channel=a&exclude=other", "application/octet-stream", "\xff", 200, "{}")
	s.hears(e, "1", "\xff")
	if e.kind != hub.Binary {
		t.Error("bytes became text")
	}
	s.ask("POST", "/publish", "application/json", `{"items":[{"channel":"a","formats":{"ws-message":{"content":"2"}}},{"channel":"kept","ws-message":{"content":"3"}}]}`, 200, `"items":2`)
	s.until(func() bool { return len(e.words()) == 4 }, e)
	s.hears(other, "1", "2")
	s.ask("POST", "/api/publish?channel=kept", "", "4", 200, `"id":"`)
	s.ask("POST", "/api/publish?channel=%0A", "", "x", 400, "channel")
	s.ask("POST", "/api/publish", "", "x", 400, "?channel=")
	s.ask("POST", "/api/publish?channel=a", "", strings.Repeat("x", hub.MaxMessage+1), 413, "1 MiB")
	s.ask("GET", "/api/publish", "", "", 405, "POST")
	s.ask("GET", "/api/nothing", "", "", 404, "elsewhere")
	s.ask("GET", "/other", "", "", 404, "elsewhere")
	s.ask("POST", "/publish", "", `{"items":[{"channel":"a","ws-message":{"action":"close","code":4001}}]}`, 200, `"items":1`)
	s.until(func() bool { return e.code == 4001 }, e)
}

func TestPresenceAndConnections(t *testing.T) {
	s := newStage(t, nil)
	e := s.enter(hub.Who{ID: "me", Session: "s", Path: "/chat"}, "a/b", "c")
	s.ask("GET", "/api/channels", "", "", 200, `"channels":{"a/b":1,"c":1}`)
	s.ask("GET", "/api/channels/a%2Fb", "", "", 200, `"id":"me"`)
	s.ask("GET", "/api/channels/none", "", "", 200, `{"nodes":1}`)
	s.ask("GET", "/api/connections/me", "", "", 200, `"session":"s","path":"/chat"`)
	s.ask("GET", "/api/connections/you", "", "", 404, "no such")
	s.ask("POST", "/api/connections/me", "", "psst", 200, "{}")
	s.hears(e, "psst")
	s.ask("PUT", "/api/connections/me/channels/d", "", "", 200, "{}")
	s.ask("DELETE", "/api/connections/me/channels/c", "", "", 200, "{}")
	s.ask("GET", "/api/channels", "", "", 200, `"channels":{"a/b":1,"d":1}`)
	s.ask("DELETE", "/api/connections/me?code=1005", "", "", 400, "code")
	s.ask("DELETE", "/api/connections/me?code=4000&reason=bye", "", "", 200, "{}")
	s.until(func() bool { return e.code == 4000 }, e)
	s.ask("DELETE", "/api/connections?session=s", "", "", 200, "{}")
	s.ask("DELETE", "/api/connections", "", "", 400, `{"error":"want ?session=ID, or /api/connections/ID for one connection"}`)
	s.until(func() bool { return e.code == hub.PolicyBroken }, e)
	s.ask("DELETE", "/api/channels/d?code=4002", "", "", 200, "{}")
	s.until(func() bool { return e.code == 4002 }, e)
}

func TestPagesOfOtherSitesCannotPublish(t *testing.T) {
	s := newStage(t, nil)
	f := func(origin string, status int) {
		t.Helper()
		req, _ := http.NewRequest("POST", "http://hub/api/publish?channel=a", strings.NewReader("x"))
		req.Header.Set("Origin", origin)
		res, err := s.http.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if res.StatusCode != status {
			t.Errorf("%s: %d", origin, res.StatusCode)
		}
	}
	f("http://evil.example", 403)
	f("null", 403)
	f("http://hub", 200)
}

// lame is a broker that cannot reach anybody.
type lame struct{ hub.Broker }

func (lame) Publish(context.Context, string, []byte, hub.History) (hub.ID, error) {
	return hub.ID{}, errors.New("redis: away")
}

func TestTheAnswerSaysIfOtherNodesMayNotKnow(t *testing.T) {
	s := newStage(t, lame{hub.NewMemory().Node()})
	e := s.enter(hub.Who{ID: "me"}, "a")
	s.ask("POST", "/api/publish?channel=a", "", "1", 202, "redis: away")
	s.hears(e, "1")
}

func TestTheClientPublishes(t *testing.T) {
	s := newStage(t, nil)
	e := s.enter(hub.Who{ID: "me"}, "kept")
	c := &Client{URL: "http://hub", Token: "t", HTTP: s.http}
	id, warning, err := c.Publish(t.Context(), hub.Post{Channel: "kept", Kind: hub.Binary, Data: []byte("\x00")})
	if _, ok := hub.ParseID(id); !ok || warning != "" || err != nil {
		t.Errorf("%q %q %v", id, warning, err)
	}
	s.hears(e, "\x00")
	if _, _, err = c.Publish(t.Context(), hub.Post{Channel: "\n"}); err == nil || !strings.Contains(err.Error(), "255 bytes") {
		t.Error(err)
	}
}
