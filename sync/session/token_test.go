package session_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"multiserver/sync/session"
	"multiserver/sync/session/memory"
)

func TestForgedAndForeignIdsReachNoStoreAndAreNotAdopted(t *testing.T) {
	s := newSite(t)
	other := newSite(t, func(o *session.Options) { o.Keys = session.NewRing([]byte("another secret of theirs")) }).browser()
	other.sees(`Set: {"user":1}`)
	good := s.browser()
	good.sees(`Set: {"user":1}`)
	s.store.reads.Store(0)
	f := func(cookie string, why session.Reason) {
		t.Helper()
		before := s.Stats.Refused(why)
		b := s.browser()
		b.cookie = cookie
		if got := b.sees(`Set: {"user":2}`); got != "" || s.store.reads.Load() != 0 || s.Stats.Refused(why) == before {
			t.Errorf("%s: told %q, %d reads", cookie, got, s.store.reads.Load())
		}
		if b.cookie == cookie {
			t.Errorf("%s was adopted", cookie)
		}
	}
	f(other.cookie, session.UnknownKey)
	f("sync_sess=chosen", session.MalformedToken)
	at := len("sync_sess=") + 3
	flipped := byte('A')
	if good.cookie[at] == 'A' {
		flipped = 'B'
	}
	f(good.cookie[:at]+string(flipped)+good.cookie[at+1:], session.ForgedToken)
	planted := s.browser()
	planted.cookie = "a=b; sync_sess=planted; " + good.cookie
	if got := planted.sees(); got != `{"user":1}` {
		t.Errorf("behind a planted cookie: %q", got)
	}
}

func TestAnIdThatTheStoreForgotGetsANewOne(t *testing.T) {
	b := newSite(t).browser()
	b.sees(`Set: {"user":1}`)
	var v session.Visit
	b.request(&v)
	if err := b.End(context.Background(), []byte(v.ID.String())); err != nil {
		t.Fatal(err)
	}
	old := b.cookie
	if got := b.sees(`Set: {"user":2}`); got != "" || b.cookie == old || b.cookie[:20] == old[:20] {
		t.Errorf("saw %q; %s, then %s", got, old, b.cookie)
	}
	if got := b.sees(); got != `{"user":2}` {
		t.Errorf("saw %q", got)
	}
}

func TestCookies(t *testing.T) {
	f := func(c session.Cookie, secure bool, want string) {
		t.Helper()
		s, err := session.New(session.Options{Store: memory.Open(0), Keys: session.NewRing([]byte("x")), Cookie: c})
		if err != nil {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%v, want %s", err, want)
			}
			return
		}
		v := session.Visit{Secure: secure}
		s.Take(&v, []byte("x-session-set"), []byte(`{"a":1}`))
		out, _ := s.Finish(&v, nil)
		name, rest, _ := strings.Cut(string(out), ";")
		name, _, _ = strings.Cut(name, "=")
		if c.Header != "" {
			name, rest, _ = strings.Cut(string(out), ":")
		}
		if got := name + rest; !strings.HasPrefix(got, want) {
			t.Errorf("%s, want %s", got, want)
		}
	}
	f(session.Cookie{}, false, "Set-Cookie: sync_sess Path=/; HttpOnly; SameSite=Lax\r\n")
	f(session.Cookie{}, true, "Set-Cookie: sync_sess Path=/; HttpOnly; SameSite=Lax; Secure\r\n")
	f(session.Cookie{Name: "s", Path: "/a", Domain: "e.org", Life: time.Hour, SameSite: "Strict"}, false,
		"Set-Cookie: s Path=/a; Domain=e.org; HttpOnly; SameSite=Strict; Max-Age=3600\r\n")
	f(session.Cookie{Host: true}, false, "Set-Cookie: __Host-sync_sess Path=/; HttpOnly; SameSite=Lax; Secure\r\n")
	f(session.Cookie{Header: "Session-Token"}, true, "Session-Token ")
	f(session.Cookie{Host: true, Domain: "e.org"}, false, "must not have a path or a domain")
	f(session.Cookie{Name: "a b"}, false, `session cookie "a b"`)
	f(session.Cookie{Path: "/;"}, false, "path")
	f(session.Cookie{SameSite: "lax"}, false, "want Lax, Strict or None")
	f(session.Cookie{Header: "X-Session-Token"}, false, "between us and the backend")
}

func TestOnlyOurCookieIsStripped(t *testing.T) {
	s := newSite(t)
	f := func(cookies, want string) {
		t.Helper()
		if got := string(s.Strip(nil, []byte(cookies))); got != want {
			t.Errorf("%s: %q, want %q", cookies, got, want)
		}
	}
	f("a=1", "a=1")
	f("a=1; sync_sess=x; b=2", "a=1; b=2")
	f("sync_sess=x", "")
	f("xsync_sess=x;sync_sess2=y", "xsync_sess=x; sync_sess2=y")
}
