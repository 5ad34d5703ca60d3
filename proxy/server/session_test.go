package server

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"runtime"
	"strings"
	"testing"
	"time"

	"multiserver/cache/redis/redistest"
	"multiserver/sync/session/memcached/memcachedtest"
	"multiserver/sync/session/mongo/mongodbtest"
	"multiserver/sync/session/redis"
)

// newCounter is an app that has the number of requests in the session, and says
// it, with what it was told of whom it serves. To /login it makes them a user.
func newCounter(t *testing.T) *httptest.Server {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var data struct {
			User  string
			Count int
		}
		_ = json.Unmarshal([]byte(r.Header.Get("X-Session-Data")), &data)
		data.Count++
		set := fmt.Sprintf(`{"count":%d}`, data.Count)
		if user := r.URL.Query().Get("user"); user != "" {
			set = fmt.Sprintf(`{"count":%d,"user":%q}`, data.Count, user)
			w.Header().Set("X-Session-Rotate", "1")
		}
		if r.URL.Path == "/logout" {
			w.Header().Set("X-Session-Destroy", "1")
		} else {
			w.Header().Set("X-Session-Set", set)
		}
		w.Header().Set("X-Told", r.Header.Get("X-Session-Id")+r.Header.Get("X-Session-Error"))
		fmt.Fprintf(w, "%s %d", data.User, data.Count)
	}))
	t.Cleanup(s.Close)
	return s
}

// visitor is a browser that asks now one node, now the other.
type visitor struct {
	t *testing.T
	http.Client
	cookies map[string]string
	told    string // the id that the app was told
	status  int
}

func newVisitor(t *testing.T) *visitor {
	return &visitor{t: t, Client: http.Client{Timeout: patience, Transport: &http.Transport{DisableKeepAlives: true}}, cookies: map[string]string{}}
}

func (v *visitor) get(node *running, path string) string {
	v.t.Helper()
	req, _ := http.NewRequest("GET", "http://"+node.Addrs()[0].String()+path, nil)
	for name, value := range v.cookies {
		req.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	res, err := v.Do(req)
	if err != nil {
		v.t.Fatal(err)
	}
	defer res.Body.Close()
	for _, c := range res.Cookies() {
		if v.cookies[c.Name] = c.Value; c.MaxAge < 0 {
			delete(v.cookies, c.Name)
		}
	}
	body, _ := io.ReadAll(res.Body)
	v.told, v.status = res.Header.Get("X-Told"), res.StatusCode
	return string(body)
}

// until asks until the store is reached and a session begins.
func (v *visitor) until(node *running) {
	v.t.Helper()
	for end := time.Now().Add(patience); len(v.cookies) == 0; time.Sleep(10 * time.Millisecond) {
		if v.get(node, "/"); time.Now().After(end) {
			v.t.Fatal("no session begins")
		}
	}
}

func TestASessionIsTheSameAtEveryNode(t *testing.T) {
	for name, settings := range map[string]func() []string{
		"redis":     func() []string { return []string{"--session redis", "--redis " + redistest.Single(t).URL()} },
		"memcached": func() []string { return []string{"--session memcached", "--memcached " + memcachedtest.Start(t).Addr} },
		"mongo":     func() []string { return []string{"--session mongo", "--mongo " + mongodbtest.Start(t).URL() + "/app"} },
	} {
		t.Run(name, func(t *testing.T) {
			all := append(settings(), "--session-timeout 10s", "--upstream "+newCounter(t).URL)
			one, two := start(t, all...), start(t, all...)
			v := newVisitor(t)
			v.until(one)
			f := func(node *running, path, want string) {
				t.Helper()
				if got := v.get(node, path); got != want {
					t.Errorf("%s: %s, want %s", path, got, want)
				}
			}
			for end := time.Now().Add(patience); v.get(two, "/") == " 1"; time.Sleep(10 * time.Millisecond) { // until it has keys and store, too
				if time.Now().After(end) {
					t.Fatal("the other node does not see the session")
				}
			}
			v.get(one, "/logout")
			if len(v.cookies) != 0 {
				t.Errorf("still %v", v.cookies)
			}
			f(one, "/", " 1")
			f(two, "/", " 2")
			before := v.cookies["sync_sess"]
			f(two, "/?user=ann", " 3")
			if v.cookies["sync_sess"] == before {
				t.Error("the same token after the login")
			}
			for range 20 {
				v.get(one, "/")
				v.get(two, "/")
			}
			f(one, "/", "ann 44")
			v.cookies["sync_sess"] = before // a request that was on its way
			if got := v.get(two, "/"); !strings.HasPrefix(got, "ann ") {
				t.Errorf("the old token shows %s", got)
			}
		})
	}
}

// A node that has no copy of a session asks Redis once, and then not again.
func TestAReadIsOneRoundTrip(t *testing.T) {
	r := redistest.Single(t)
	all := []string{"--session redis", "--redis " + r.URL(), "--session-key sixteen-bytes-or-more", "--session-timeout 10s", "--upstream " + newReader(t).URL}
	one, two := start(t, all...), start(t, all...)
	v := newVisitor(t)
	v.until(one)
	store := two.sessions.store.(*redis.Store)
	for end := time.Now().Add(patience); !store.Link.Tracking(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("Redis is not reached")
		}
	}
	asked := func(times int) uint64 {
		before := store.Link.Stats.Asks.Load()
		for range times {
			if got := v.get(two, "/"); got != `{"seen":1}` {
				t.Fatalf("%s", got)
			}
		}
		return store.Link.Stats.Asks.Load() - before
	}
	if n := asked(1); n != 1 {
		t.Errorf("Redis was asked %d times", n)
	}
	for end := time.Now().Add(patience); asked(10) > 0; { // news of the session's begin may come behind the first
		if time.Now().After(end) {
			t.Fatal("Redis is asked again and again")
		}
	}
}

// newReader is an app that sets the same each time, and answers what was there.
func newReader(t *testing.T) *httptest.Server {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Session-Set", `{"seen":1}`)
		io.WriteString(w, r.Header.Get("X-Session-Data"))
	}))
	t.Cleanup(s.Close)
	return s
}

// What is too large for a field is on the admin listener, under the id that the
// app was told, and can be ended there.
func TestSessionsOnTheAdminListener(t *testing.T) {
	node := start(t, "--session memory", "--upstream "+newCounter(t).URL, "--admin 127.0.0.1:0")
	v := newVisitor(t)
	v.until(node)
	v.get(node, "/?user=ann")
	v.get(node, "/")
	id := v.told
	f := func(method, id string, status int, want string) {
		t.Helper()
		req, _ := http.NewRequest(method, (&url.URL{Scheme: "http", Host: node.admin.Addr().String(), Path: "/api/sessions/" + id}).String(), nil)
		res, err := v.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		if body, _ := io.ReadAll(res.Body); res.StatusCode != status || !strings.Contains(string(body), want) {
			t.Errorf("%s %s: %d %s", method, id, res.StatusCode, body)
		}
	}
	f("GET", id, 200, `{"count":3,"user":"ann"}`)
	f("POST", id, 405, "DELETE")
	f("GET", "nothing", 404, "no session has that id")
	f("GET", v.cookies["sync_sess"], 404, "no session has that id")
	f("DELETE", id, 204, "")
	f("GET", id, 404, "no session has that id")
	if got := v.get(node, "/"); got != " 1" {
		t.Errorf("the app still sees %s", got)
	}
}

// A store that is away costs the session and not the request, unless the route
// says so.
func TestRoutesSayWhatAStoreThatIsAwayCosts(t *testing.T) {
	r := redistest.Single(t)
	for _, c := range []struct {
		word, told string
		status     int
	}{{"pass", "away", 200}, {"refuse", "", 503}} {
		node := start(t, "--session redis", "--redis "+r.URL(), "--session-key sixteen-bytes-or-more", "--session-on-error "+c.word, "--upstream "+newCounter(t).URL)
		v := newVisitor(t)
		v.until(node)
		v.get(node, "/")
		r.Kill()
		for end := time.Now().Add(patience); v.told != c.told || v.status != c.status; v.get(node, "/") { // a copy may serve for a moment
			if time.Now().After(end) {
				t.Fatalf("%s: %d, told %q", c.word, v.status, v.told)
			}
		}
		if err := r.Restart(); err != nil {
			t.Fatal(err)
		}
	}
}

// The first client of all has a session, too.
func TestSessionsInMemoryHaveKeysFromTheStart(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1)) // who does not wait goes on before the keys are made
	s := &Server{conf: parse(t, "--upstream http://127.0.0.1:1", "--session memory"), log: slog.New(slog.DiscardHandler)}
	if err := s.makeSessions(); err != nil {
		t.Fatal(err)
	}
	defer s.sessions.Close()
	if s.sessions.keeper.Ring() == nil {
		t.Error("there are none yet")
	}
}
