package server

import (
	"bufio"
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/coder/websocket"

	"multiserver/cache/redis/redistest"
	"multiserver/proxy/config"
	"multiserver/sync/hub"
)

// listening is an upstream of WebSockets that keeps what it was asked, and says
// what it is told to, on the newest.
type listening struct {
	*httptest.Server
	asked chan http.Header
	put   chan string
	heard chan string
	left  chan error
}

func newListening(t *testing.T, answer http.Header) *listening {
	l := &listening{asked: make(chan http.Header, 100), put: make(chan string), heard: make(chan string, 100), left: make(chan error, 100)}
	l.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for name, values := range answer {
			w.Header()[name] = values
		}
		if r.URL.Path == "/login" {
			return
		}
		c, err := websocket.Accept(w, r, &websocket.AcceptOptions{InsecureSkipVerify: true})
		if err != nil {
			return
		}
		defer c.CloseNow()
		l.asked <- r.Header
		ctx, end := context.WithCancel(context.Background())
		go func() {
			defer end()
			for {
				_, b, err := c.Read(ctx)
				if err != nil {
					l.left <- err
					return
				}
				l.heard <- string(b)
			}
		}()
		for {
			select {
			case <-ctx.Done():
				return
			case text := <-l.put:
				if c.Write(ctx, websocket.MessageText, []byte(text)) != nil {
					return
				}
			}
		}
	}))
	t.Cleanup(l.Close)
	return l
}

// socket is a member of a hub.
type socket struct {
	*websocket.Conn
	t   *testing.T
	res *http.Response
}

func (r *running) open(t *testing.T, path string, head http.Header) *socket {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	c, res, err := websocket.Dial(ctx, "ws://"+r.Addrs()[0].String()+path, &websocket.DialOptions{HTTPHeader: head})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.CloseNow() })
	return &socket{c, t, res}
}

func (s *socket) wants(want ...string) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	for _, w := range want {
		if _, b, err := s.Read(ctx); err != nil || string(b) != w {
			s.t.Fatalf("%q, %v, want %q", b, err, w)
		}
	}
}

func (s *socket) wantsClose(code websocket.StatusCode) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	_, b, err := s.Read(ctx)
	if websocket.CloseStatus(err) != code {
		s.t.Fatalf("%q, %v, want a Close of %d", b, err, code)
	}
}

func (r *running) publish(t *testing.T, channel, text string) hub.ID {
	t.Helper()
	id, err := r.hub.Load().Publish(t.Context(), hub.Post{Channel: channel, Data: []byte(text)})
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// members waits until a channel has so many, on all nodes.
func (r *running) members(t *testing.T, channel string, n int) {
	t.Helper()
	await(t, "members of "+channel, func() bool { return r.hub.Load().Channels(t.Context()).Channels[channel] == n })
}

func TestWebSocketsAreInTheChannelsOfTheirRouteAndUpstream(t *testing.T) {
	app := newListening(t, http.Header{"X-Ws-Channels": {"room:1, user:42", "more"}})
	r := start(t, "--upstream "+app.URL, "--hub /ws/*", "--hub-channels all,path:{path},q:{query.room}")
	s := r.open(t, "/ws/a?x=1&room=b%20c", http.Header{"X-WS-Connection-Id": {"forged"}, "X-WS-Bridge": {"1"}})
	if got := s.res.Header.Get("X-WS-Channels"); got != "" {
		t.Errorf("the client was told %q", got)
	}
	asked := <-app.asked
	id := asked.Get("X-WS-Connection-Id")
	if c := r.hub.Load().Conn(id); c == nil || len(asked["X-Ws-Connection-Id"]) != 1 || asked.Get("X-WS-Bridge") != "" {
		t.Fatalf("the upstream was told %q", asked)
	}
	for _, channel := range []string{"all", "path:/ws/a", "q:b c", "room:1", "user:42", "more"} {
		r.publish(t, channel, "to "+channel)
		s.wants("to " + channel)
	}
	if _, err := r.hub.Load().Publish(t.Context(), hub.Post{Channel: "all", Exclude: id, Data: []byte("not to all")}); err != nil {
		t.Fatal(err)
	}
	app.put <- "its own"
	s.wants("its own")
	if other := r.open(t, "/other", nil); other != nil {
		if asked := <-app.asked; asked.Get("X-WS-Connection-Id") != "" || r.hub.Load().Stats.Members.Load() != 1 {
			t.Error("what is no hub path has a place in the hub")
		}
	}
	s.CloseNow()
	await(t, "it to leave", func() bool { return r.hub.Load().Stats.Members.Load() == 0 })
}

func TestUpstreamsSpeakGRIP(t *testing.T) {
	app := newListening(t, http.Header{"Sec-Websocket-Extensions": {"grip"}})
	r := start(t, "--upstream "+app.URL, "--hub /ws", "--hub-channels none")
	s := r.open(t, "/ws", nil)
	if offer := (<-app.asked).Get("Sec-WebSocket-Extensions"); !strings.Contains(offer, "grip") {
		t.Errorf("offered: %q", offer)
	}
	if got := s.res.Header.Get("Sec-WebSocket-Extensions"); got != "" {
		t.Errorf("the client was told %q", got)
	}
	app.put <- "m:hello"
	app.put <- `c:{"type":"subscribe","channel":"a"}`
	app.put <- `c:{"type":"publish","channel":"a","content":"said"}`
	s.wants("hello", "said")
	app.put <- `c:{"type":"unsubscribe","channel":"a"}`
	app.put <- `c:{"type":"publish","channel":"a","content":"unheard"}`
	app.put <- "m:bye"
	s.wants("bye")
	app.put <- `c:{"type":"subscribe","channel":"a"}`
	app.put <- `c:{"type":"detach"}`
	if err := <-app.left; websocket.CloseStatus(err) != websocket.StatusNormalClosure {
		t.Errorf("the upstream was left by %v", err)
	}
	r.publish(t, "a", "without it")
	s.wants("without it")
	if err := s.Close(4000, ""); err != nil { // it is answered
		t.Error(err)
	}
	await(t, "it to leave", func() bool { return r.hub.Load().Stats.Members.Load() == 0 })
}

func TestAUserIsAChannelBySession(t *testing.T) {
	app := newListening(t, http.Header{"X-Session-Set": {`{"user":"ann"}`}})
	r := start(t, "--upstream "+app.URL, "--session memory", "--hub /ws", "--hub-channels user:{session.user}")
	res, err := http.Get("http://" + r.Addrs()[0].String() + "/login")
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	cookie := res.Cookies()[0]
	s := r.open(t, "/ws", http.Header{"Cookie": {cookie.Name + "=" + cookie.Value}})
	r.publish(t, "user:ann", "hello, ann")
	s.wants("hello, ann")
	h := r.hub.Load()
	who := h.Conn((<-app.asked).Get("X-WS-Connection-Id"))
	if err := h.Disconnect(t.Context(), hub.Target{Session: who.Session}, 4001, "logged out"); who.Session == "" || err != nil {
		t.Fatal(who.Session, err)
	}
	s.wantsClose(4001)
}

func TestOnlyPagesOfAllowedOriginsConnect(t *testing.T) {
	app := newListening(t, nil)
	f := func(origins, origin string, status int) {
		t.Helper()
		r := start(t, "--upstream "+app.URL, "--hub /ws", "--hub-origins "+origins)
		addr := r.Addrs()[0].String()
		head := http.Header{}
		if origin != "" {
			head.Set("Origin", strings.ReplaceAll(origin, "HERE", addr))
		}
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		c, res, err := websocket.Dial(ctx, "ws://"+addr+"/ws", &websocket.DialOptions{HTTPHeader: head})
		if res == nil || res.StatusCode != status {
			t.Errorf("%s from %q: %v", origins, origin, err)
		}
		if err == nil {
			c.CloseNow()
		}
		head.Set("Accept", "text/event-stream")
		if status == 101 {
			status = 200
		}
		req, _ := http.NewRequestWithContext(ctx, "GET", "http://"+addr+"/ws/events", nil)
		req.Header = head
		res, err = http.DefaultClient.Do(req)
		if err != nil || res.StatusCode != status {
			t.Errorf("%s from %q, events: %v %v", origins, origin, res, err)
		}
		if err == nil {
			res.Body.Close()
		}
	}
	f("same", "", 101)
	f("same", "http://HERE", 101)
	f("same", "https://evil.example", 403)
	f("same", "null", 403)
	f("https://*.example.org", "https://a.example.org", 101)
	f("https://*.example.org", "https://evil-example.org", 403)
	f("https://*.example.org", "http://a.example.org", 403)
	f("https://example.org", "https://example.org", 101)
	f("any", "https://evil.example", 101)
}

func TestAnAddressHasSoManyConnections(t *testing.T) {
	r := start(t, "--upstream "+newListening(t, nil).URL, "--hub /ws", "--hub-max-per-address 1")
	s := r.open(t, "/ws", nil)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if _, res, err := websocket.Dial(ctx, "ws://"+r.Addrs()[0].String()+"/ws", nil); res == nil || res.StatusCode != 429 {
		t.Error(err)
	}
	s.CloseNow()
	await(t, "it to leave", func() bool { return r.hub.Load().Stats.Members.Load() == 0 })
	r.open(t, "/ws", nil)
}

// events are those of a stream, as their data and last id.
type events struct {
	t    *testing.T
	in   *bufio.Reader
	last string
}

func (r *running) listen(t *testing.T, path, last string) *events {
	t.Helper()
	req, _ := http.NewRequestWithContext(t.Context(), "GET", "http://"+r.Addrs()[0].String()+path, nil)
	req.Header.Set("Accept", "text/event-stream")
	if last != "" {
		req.Header.Set("Last-Event-ID", last)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { res.Body.Close() })
	return &events{t: t, in: bufio.NewReader(res.Body)}
}

func (e *events) wants(want ...string) {
	e.t.Helper()
	for _, w := range want {
		e.wantsAny(w)
	}
}

// wantsAny wants all of these, in any order.
func (e *events) wantsAny(want ...string) {
	e.t.Helper()
	for len(want) > 0 {
		line, err := e.in.ReadString('\n')
		if err != nil {
			e.t.Fatal(err)
		}
		if id, ok := strings.CutPrefix(line, "id: "); ok {
			e.last = strings.TrimSpace(id)
		}
		if data, ok := strings.CutPrefix(line, "data: "); ok {
			i := slices.Index(want, strings.TrimSuffix(data, "\n"))
			if i < 0 {
				e.t.Fatalf("%q, want %q", data, want)
			}
			want = slices.Delete(want, i, i+1)
		}
	}
}

func TestEventsAndSocketsComeBackToWhereTheyWere(t *testing.T) {
	r := start(t, "--upstream "+newListening(t, nil).URL, "--hub /ws", "--hub-channels a,b", "--hub-history *;size=3")
	e, s := r.listen(t, "/ws/events", ""), r.open(t, "/ws", nil)
	r.members(t, "b", 2)
	first := r.publish(t, "a", "one")
	e.wants("one")
	s.wants("one")
	last := e.last
	r.publish(t, "b", "two")
	r.publish(t, "a", "three")
	r.listen(t, "/ws/events", last).wantsAny("three", "two") // each channel is in order, and no more
	r.open(t, "/ws?since="+first.String(), nil).wants("three")
	for range 3 {
		r.publish(t, "a", "more")
	}
	if _, b, err := r.open(t, "/ws?since="+first.String(), nil).Read(t.Context()); err != nil || !strings.Contains(string(b), `"reset"`) {
		t.Errorf("%s, %v", b, err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if _, res, err := websocket.Dial(ctx, "ws://"+r.Addrs()[0].String()+"/ws?since=x", nil); res == nil || res.StatusCode != 400 {
		t.Error(err)
	}
}

func TestADrainEndsMembersByGoingAway(t *testing.T) {
	r := start(t, "--upstream "+newListening(t, nil).URL, "--hub /ws", "--drain-timeout 1m")
	s, e := r.open(t, "/ws", nil), r.listen(t, "/ws/events", "")
	r.members(t, "all", 2)
	await(t, "the stream to flow", func() bool { return r.hub.Load().flows.count() == 1 })
	r.stop()
	await(t, "the tunnel to be told", func() bool {
		r.endTunnels(0) // as late in a drain; there is time to answer
		return r.proxy.Stats.TunnelsTold.Load() == 1
	})
	s.wantsClose(websocket.StatusGoingAway)
	for {
		if _, err := e.in.ReadString('\n'); err != nil {
			if err.Error() != "EOF" {
				t.Error("the stream was cut off: ", err)
			}
			break
		}
	}
	r.wait(t)
}

func TestMembersStayThroughReloads(t *testing.T) {
	app := newListening(t, nil)
	settings := []string{"--upstream " + app.URL, "--hub /ws"}
	r := start(t, settings...)
	s, e := r.open(t, "/ws", nil), r.listen(t, "/ws/events", "")
	r.members(t, "all", 2)
	r.Reread = func() (*config.Config, error) {
		return parse(t, append(settings, "--timeout 7s", "--hub-channels all,new")...), nil
	}
	await(t, "a reload", func() bool { _, err := r.Reload(); return !errors.Is(err, errNotServing) })
	r.publish(t, "all", "still there")
	s.wants("still there")
	e.wants("still there")
	later := r.open(t, "/ws", nil)
	r.publish(t, "new", "by the new terms")
	later.wants("by the new terms")
}

// chat is an app that knows nothing of other instances, nor of us: what one says
// it says to all.
type chat struct {
	*httptest.Server
	people atomic.Int64
}

func newChat(t *testing.T) *chat {
	app := new(chat)
	var mu sync.Mutex
	all := map[*websocket.Conn]bool{}
	app.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := websocket.Accept(w, r, &websocket.AcceptOptions{InsecureSkipVerify: true})
		if err != nil {
			return
		}
		defer c.CloseNow()
		mu.Lock()
		all[c] = true
		mu.Unlock()
		app.people.Add(1)
		for {
			kind, b, err := c.Read(context.Background())
			mu.Lock()
			if err != nil {
				delete(all, c)
				mu.Unlock()
				return
			}
			for other := range all {
				_ = other.Write(context.Background(), kind, b)
			}
			mu.Unlock()
		}
	}))
	t.Cleanup(app.Close)
	return app
}

func TestABridgeMakesOneRoomOfInstancesAndNodes(t *testing.T) {
	redis := redistest.Single(t)
	chats := []*chat{newChat(t), newChat(t), newChat(t)}
	node := func(upstreams ...string) *running {
		return start(t, "--hub /room", "--hub-mode bridge", "--hub-channels none", "--redis redis://"+redis.Addr, "--upstream "+strings.Join(upstreams, ","))
	}
	a, b := node(chats[0].URL, chats[1].URL), node(chats[2].URL)
	people := []*socket{a.open(t, "/room", nil), a.open(t, "/room", nil), b.open(t, "/room", nil)}
	for _, c := range chats {
		await(t, "somebody and a silent one everywhere", func() bool { return c.people.Load() == 2 })
	}
	for _, r := range []*running{a, b} { // the room, what nodes share of it, and the nodes' own
		await(t, "subscriptions", func() bool { return r.hub.Load().redis.Stats.Subscribed.Load() >= 3 })
	}
	ctx, cancel := context.WithTimeout(t.Context(), 3*patience)
	defer cancel()
	for round := range 5 {
		for i, p := range people {
			text := string(rune('a'+round)) + string(rune('0'+i))
			if err := p.Write(ctx, websocket.MessageText, []byte(text)); err != nil {
				t.Fatal(err)
			}
			for _, other := range people {
				other.wants(text)
			}
		}
	}
}

func TestTwoNodesOnOneRedisAreOneHub(t *testing.T) {
	redis := redistest.Single(t)
	app := newListening(t, http.Header{"X-Ws-Channels": {"room:1"}})
	node := func() *running {
		return start(t, "--upstream "+app.URL, "--hub /ws", "--hub-history kept", "--hub-channels kept,path:{path}", "--redis redis://"+redis.Addr)
	}
	a, b := node(), node()
	onA, onB, events := a.open(t, "/ws", nil), b.open(t, "/ws", nil), b.listen(t, "/ws/events", "")
	a.members(t, "room:1", 2)
	b.members(t, "kept", 3)
	for _, r := range []*running{a, b} { // those, and the nodes' own
		await(t, "subscriptions", func() bool { return r.hub.Load().redis.Stats.Subscribed.Load() >= 4 })
	}
	for _, r := range []*running{a, b} {
		for _, channel := range []string{"room:1", "path:/ws", "kept"} {
			text := channel + " from one"
			await(t, "the other to listen", r.hub.Load().Up)
			r.publish(t, channel, text)
			onA.wants(text)
			onB.wants(text)
			if channel != "room:1" {
				events.wants(text)
			}
		}
	}
	id := a.publish(t, "kept", "newest")
	b.open(t, "/ws?since=0", nil).wants("kept from one", "kept from one", "newest")
	if id.Offset != 3 {
		t.Error(id)
	}
	if err := a.hub.Load().Disconnect(t.Context(), hub.Target{Channel: "room:1"}, 4000, "over"); err != nil {
		t.Fatal(err)
	}
	onA.wants("newest")
	onB.wants("newest")
	onA.wantsClose(4000)
	onB.wantsClose(4000)
}
