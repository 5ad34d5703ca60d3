package proxy_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"multiserver/proxy"
	"multiserver/sync/session"
	"multiserver/sync/session/memory"
)

// withSessions gives the proxy sessions in a store of its own.
func withSessions(t testing.TB, set ...func(*session.Options)) func(*proxy.Options) {
	t.Helper()
	store := memory.Open(memory.Bytes)
	t.Cleanup(func() { _ = store.Close() })
	opt := session.Options{Store: store, Keys: session.NewRing([]byte("0123456789abcdef"))}
	for _, f := range set {
		f(&opt)
	}
	s, err := session.New(opt)
	if err != nil {
		t.Fatal(err)
	}
	return func(o *proxy.Options) { o.Sessions = s }
}

// lost is a store that can be away.
type lost struct {
	session.Store
	away atomic.Bool
}

func (l *lost) Load(ctx context.Context, id session.ID, into *session.Record) error {
	if into.Reset(); l.away.Load() {
		return session.ErrAway
	}
	return l.Store.Load(ctx, id, into)
}

// newTeller is an app that says what it is told of sessions, and answers with
// what the client wants of it in X-Do: lines.
func newTeller(t testing.TB) (addr string) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for _, line := range r.Header["X-Do"] {
			name, value, _ := strings.Cut(line, ": ")
			w.Header().Add(name, value)
		}
		for name := range r.Header {
			if strings.HasPrefix(strings.ReplaceAll(name, "_", "-"), "X-Session-") && name != "X-Session-Data" && name != "X-Session-Version" && name != "X-Session-Id" || name == "Session-Token" {
				fmt.Fprintf(w, "%s! ", name)
			}
		}
		fmt.Fprintf(w, "%s %s %q", r.Header.Get("X-Session-Version"), r.Header.Get("X-Session-Data"), r.Header["Cookie"])
	}))
	t.Cleanup(s.Close)
	return s.Listener.Addr().String()
}

// jar is a client that keeps the session's cookie.
type jar struct {
	t      testing.TB
	addr   string
	cookie string
}

func (j *jar) ask(lines ...string) (res *http.Response, body string) {
	j.t.Helper()
	if j.cookie != "" {
		lines = append(lines, "Cookie: a=b; "+j.cookie+"; c=d")
	}
	res, body = fetch(j.t, j.addr, request("/x", lines...))
	j.keep(res)
	return res, body
}

// keep takes the token that an answer has.
func (j *jar) keep(res *http.Response) {
	j.t.Helper()
	for name := range res.Header {
		if strings.HasPrefix(name, "X-Session") {
			j.t.Errorf("the client is told %s", name)
		}
	}
	for _, c := range res.Cookies() {
		if c.Name == "sync_sess" {
			j.cookie = c.Name + "=" + c.Value
		}
	}
}

func TestSessionsGoFromBackendToBackend(t *testing.T) {
	addr, _ := startProxyWith(t, withSessions(t), newTeller(t))
	j := &jar{t: t, addr: addr}
	f := func(want string, lines ...string) {
		t.Helper()
		if _, body := j.ask(lines...); body != want {
			t.Errorf("%q: %s, want %s", lines, body, want)
		}
	}
	f(`  []`)
	if j.cookie != "" {
		t.Errorf("a session from nothing: %s", j.cookie)
	}
	f(`  []`, `X-Do: X-Session-Set: {"user":42}`)
	f(`1 {"user":42} ["a=b; c=d"]`)
	f(`1 {"user":42} ["a=b; c=d"]`, `X-Do: X-Session-Set: {"cart":["é"]}`)
	f(`2 {"cart":["\u00e9"],"user":42} ["a=b; c=d"]`)
	old := j.cookie
	f(`2 {"cart":["\u00e9"],"user":42} ["a=b; c=d"]`, `X-Do: X-Session-Rotate: 1`)
	if j.cookie == old {
		t.Error("the same token after a rotation")
	}
	f(`2 {"cart":["\u00e9"],"user":42} ["a=b; c=d"]`, `X-Do: X-Session-Destroy: 1`)
	f(`  ["a=b; c=d"]`)
}

// What a client says in the backend's or our place is heard by nobody, however
// it is spelled, where there are sessions at all.
func TestClientsDoNotSpeakForUs(t *testing.T) {
	with := withSessions(t)
	addr, p := startProxyWith(t, with, newTeller(t))
	forged := []string{`X-Session-Data: {"admin":true}`, `X_Session_Data: 1`, `x-session_id: 1`, `X-Session-Signature: 1`, "X-Session-: 1"}
	_, body := fetch(t, addr, request("/", forged...))
	if body != `  []` {
		t.Errorf("%s", body)
	}
	var plain proxy.Route
	startProxyWith(t, func(o *proxy.Options) { plain = o.Route }, newTeller(t))
	var o proxy.Options
	with(&o)
	other := plain
	other.Sessions = o.Sessions
	p.SetRoutes(&proxy.Routes{All: []*proxy.Route{&plain, &other}})
	if _, body := fetch(t, addr, request("/", forged...)); body != `  []` {
		t.Errorf("on a route without sessions: %s", body)
	}
	p.SetRoutes(&proxy.Routes{All: []*proxy.Route{&plain}})
	if _, body := fetch(t, addr, request("/", "X-Session-Own: 1")); body != `X-Session-Own!   []` {
		t.Errorf("without any sessions: %s", body)
	}
}

// An answer in which somebody's session may be is nobody else's, unless the
// backend says that it is.
func TestAnswersOfSessionsAreNotShared(t *testing.T) {
	_, with := withCache(t)
	sessions := withSessions(t)
	addr, _ := startProxyWith(t, func(o *proxy.Options) { with(o); sessions(o) }, newTeller(t))
	ann, eve := &jar{t: t, addr: addr}, &jar{t: t, addr: addr}
	f := func(of *jar, want string, lines ...string) {
		t.Helper()
		res, body := of.ask(lines...)
		_, status, _ := strings.Cut(res.Header.Get("Cache-Status"), "; ")
		if got := status + " " + body; !strings.HasPrefix(got, want) {
			t.Errorf("%q: %s, want %s", lines, got, want)
		}
	}
	const keep, share = "X-Do: Cache-Control: max-age=60", "X-Do: Cache-Control: public, max-age=60"
	f(ann, `fwd=uri-miss   []`, keep, `X-Do: X-Session-Set: {"user":"ann"}`) // it sets one
	f(ann, `fwd=uri-miss 1 {"user":"ann"}`, keep)                            // it knows one
	f(eve, `fwd=uri-miss; stored   []`, keep)
	f(ann, `hit; `, keep)

	addr, _ = startProxyWith(t, func(o *proxy.Options) { _, with := withCache(t); with(o); sessions(o) }, newTeller(t))
	ann.addr, eve.addr = addr, addr
	f(ann, `fwd=uri-miss; stored 1 {"user":"ann"}`, share, `X-Do: X-Session-Set: {"seen":1}`)
	f(eve, `hit; `, share)
	if eve.cookie != "" {
		t.Errorf("eve has %s", eve.cookie)
	}
}
