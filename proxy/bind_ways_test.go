package proxy_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"multiserver/pool"
	"multiserver/pool/balance"
	"multiserver/proxy"
	"multiserver/sync/session"
)

// newSessionSocket is a WebSocket server that sets a session by its handshake's
// answer, as X-Do says, and says what it was told of one.
func newSessionSocket(t *testing.T) (addr string) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for _, line := range r.Header["X-Do"] {
			name, value, _ := strings.Cut(line, ": ")
			w.Header().Add(name, value)
		}
		c, err := websocket.Accept(w, r, nil)
		if err != nil {
			return
		}
		defer c.CloseNow()
		said := fmt.Sprintf("%s %q", r.Header.Get("X-Session-Data"), r.Header["Cookie"])
		_ = c.Write(context.Background(), websocket.MessageText, []byte(said))
		_ = c.Close(websocket.StatusNormalClosure, "")
	}))
	t.Cleanup(s.Close)
	return s.Listener.Addr().String()
}

// A WebSocket's handshake knows the session and may change it, before the client
// hears that it has one.
func TestHandshakesHaveSessions(t *testing.T) {
	addr, p := startProxyWith(t, withSessions(t, func(o *session.Options) { o.Strict = true }), newSessionSocket(t))
	j := &jar{t: t, addr: addr}
	f := func(want string, lines ...string) {
		t.Helper()
		header := http.Header{"X-Do": lines}
		if j.cookie != "" {
			header.Set("Cookie", j.cookie+"; a=b")
		}
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		c, res, err := websocket.Dial(ctx, "ws://"+addr+"/", &websocket.DialOptions{HTTPHeader: header})
		got := ""
		if err != nil {
			got = res.Status
		} else {
			defer c.CloseNow()
			_, message, err := c.Read(ctx)
			if got = string(message); err != nil {
				t.Error(err)
			}
		}
		if j.keep(res); got != want {
			t.Errorf("%q: %s, want %s", lines, got, want)
		}
	}
	f(` []`, `X-Session-Set: {"user":"ann"}`)
	f(`{"user":"ann"} ["a=b"]`, `X-Session-Set: {"n":1}`)
	f(`409 Conflict`, `X-Session-Set: {"n":2}`, `X-Session-If-Version: 1`)
	f(`{"n":1,"user":"ann"} ["a=b"]`)
	await(t, "all tunnels to end", func() bool { return p.Stats.Upgraded.Load() == 0 })
}

// What an upstream says before its final answer, or in place of it, changes
// nothing, and clients hear none of it.
func TestInterimAnswersChangeNoSession(t *testing.T) {
	addr, _ := startProxyWith(t, withSessions(t), startOrigin(t, 0,
		"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\nX-Session-Set: {\"a\":1}\r\nX_Session_Set: 1\r\n\r\n"+
			"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX-Session-Foo: 1\r\n\r\n"))
	nc := dial(t, addr)
	io.WriteString(nc, request("/", "Connection: close"))
	all, err := io.ReadAll(nc)
	if got := string(all); err != nil || !strings.Contains(got, "103 Early") || strings.Contains(got, "ession") || strings.Contains(got, "Cookie") {
		t.Errorf("%q, %v", all, err)
	}
}

// What is fetched behind the answer that a client has got already is asked for
// by nobody: neither its session goes along, nor the token that is in its
// cookies, nor what it makes up.
func TestRefreshesAreNobodys(t *testing.T) {
	asked := make(chan http.Header, 10)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked <- r.Header
		w.Header().Set("Cache-Control", "public, max-age=0, stale-while-revalidate=60")
		w.Header().Set("X-Session-Set", `{"a":1}`)
	}))
	t.Cleanup(s.Close)
	_, with := withCache(t)
	sessions := withSessions(t)
	addr, _ := startProxyWith(t, func(o *proxy.Options) { with(o); sessions(o) }, s.Listener.Addr().String())
	j := &jar{t: t, addr: addr}
	if j.ask(); j.cookie == "" {
		t.Fatal("no session")
	}
	<-asked
	first := j.cookie
	j.ask(`X_Session_Data: {"admin":true}`)
	select {
	case h := <-asked:
		if got := h.Get("Cookie"); got != "a=b; c=d" || h.Get("X-Session-Id") != "" || h["X_Session_Data"] != nil {
			t.Errorf("asked with %v", h)
		}
	case <-time.After(patience):
		t.Fatal("nobody asks again")
	}
	if j.cookie != first {
		t.Error("another token")
	}
}

// A route without sessions gets no tokens: who has one is the client.
func TestTokensGoToNoUpstream(t *testing.T) {
	with := withSessions(t)
	addr, p := startProxyWith(t, with, newTeller(t))
	j := &jar{t: t, addr: addr}
	j.ask(`X-Do: X-Session-Set: {"user":42}`)
	var plain proxy.Route
	startProxyWith(t, func(o *proxy.Options) { plain = o.Route }, newTeller(t))
	var o proxy.Options
	with(&o)
	other := plain
	other.Sessions = o.Sessions
	p.SetRoutes(&proxy.Routes{All: []*proxy.Route{&plain, &other}})
	if _, body := j.ask(); body != `  ["a=b; c=d"]` {
		t.Errorf("%s", body)
	}
}

// Clients that are no browsers bear the token in a field of their own.
func TestTokensInAField(t *testing.T) {
	addr, _ := startProxyWith(t, withSessions(t, func(o *session.Options) { o.Header = "Session-Token" }), newTeller(t))
	res, _ := fetch(t, addr, request("/", `X-Do: X-Session-Set: {"user":42}`))
	token := res.Header.Get("Session-Token")
	if token == "" || res.Header.Get("Set-Cookie") != "" {
		t.Fatalf("%v", res.Header)
	}
	if _, body := fetch(t, addr, request("/", "SESSION-token: "+token)); body != `1 {"user":42} []` {
		t.Errorf("%s", body)
	}
	res, _ = fetch(t, addr, request("/", "Session-Token: "+token, "X-Do: X-Session-Destroy: 1"))
	if v, told := res.Header["Session-Token"]; !told || v[0] != "" {
		t.Errorf("%v", res.Header)
	}
}

// A refusal takes the answer's place, also while the body is on its way up.
func TestConflictsAndLostStoresTakeTheAnswersPlace(t *testing.T) {
	store := &lost{}
	with := withSessions(t, func(o *session.Options) {
		store.Store = o.Store
		o.Store, o.Strict, o.Fail = store, true, true
	})
	addr, _ := startProxyWith(t, with, newTeller(t))
	j := &jar{t: t, addr: addr}
	f := func(want int, lines ...string) {
		t.Helper()
		if res, _ := j.ask(lines...); res.StatusCode != want {
			t.Errorf("%q: %d, want %d", lines, res.StatusCode, want)
		}
	}
	f(200, `X-Do: X-Session-Set: {"n":1}`)
	f(200, `X-Do: X-Session-Set: {"n":2}`, `X-Do: X-Session-If-Version: 1`)
	f(409, `X-Do: X-Session-Set: {"n":3}`, `X-Do: X-Session-If-Version: 1`)

	hasty := startOrigin(t, 0, "HTTP/1.1 200 OK\r\nX-Session-If-Version: 1\r\nContent-Length: 0\r\n\r\n")
	early, _ := startProxyWith(t, with, hasty)
	nc := dial(t, early)
	fmt.Fprintf(nc, "POST / HTTP/1.1\r\nHost: a\r\nCookie: %s\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n", j.cookie)
	nc.SetReadDeadline(time.Now().Add(patience))
	if res, err := http.ReadResponse(bufio.NewReader(nc), nil); err != nil || res.StatusCode != 409 || !res.Close {
		t.Errorf("in mid-body: %v, %v", res, err)
	}
	store.away.Store(true)
	f(503, `X-Do: X-Session-Set: {"n":3}`)
	f(503)
	anyone := &jar{t: t, addr: addr}
	if res, _ := anyone.ask(); res.StatusCode != 200 {
		t.Errorf("without a session: %d", res.StatusCode)
	}
}

// Sessions keep to an upstream: all that have one, by its id, or by what the
// session itself says.
func TestSessionsKeepToAnUpstream(t *testing.T) {
	for what, c := range map[string]struct {
		build balance.Build
		by    proxy.By
	}{
		"by id":  {balance.Hash, proxy.BySession},
		"by pin": {balance.Sticky, proxy.ByPin},
	} {
		t.Run(what, func(t *testing.T) {
			origins := map[string]string{}
			for _, name := range []string{"a", "b", "c"} {
				origins[name] = startNamed(t, name, "X-Session-Set: {\"seen\":1}\r\n")
			}
			with := withSessions(t)
			addr, _, ups := startPool(t, func(o *pool.Options) { o.Balance = c.build }, func(o *proxy.Options) {
				with(o)
				o.Pool.Affinity.By = c.by
			}, origins["a"], origins["b"], origins["c"])
			met := map[string]bool{}
			for range 30 {
				j := &jar{t: t, addr: addr}
				_, first := j.ask()
				if c.by == proxy.BySession {
					_, first = j.ask() // before, it was nobody's
				}
				met[first] = true
				for range 3 {
					if _, again := j.ask(); again != first {
						t.Errorf("at %s, and at %s before", again, first)
					}
				}
			}
			if len(met) != 3 {
				t.Errorf("all at %v", met)
			}
			if c.by != proxy.ByPin {
				return
			}
			j := &jar{t: t, addr: addr}
			_, first := j.ask()
			var left []string
			for name, origin := range origins {
				if name != first {
					left = append(left, origin)
				}
			}
			ups.Set(targetsOf(left...))
			_, second := j.ask()
			ups.Set(targetsOf(origins["a"], origins["b"], origins["c"]))
			if _, third := j.ask(); second == first || third != second {
				t.Errorf("at %s, then %s, then %s", first, second, third)
			}
		})
	}
}
