package session_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"multiserver/sync/session"
	"multiserver/sync/session/memory"
)

// site is Sessions over a store that can be made to fail, and counts.
type site struct {
	*session.Sessions
	t     testing.TB
	store *frail
}

// frail is a store that counts what is asked of it, and can be away.
type frail struct {
	session.Store
	away   atomic.Bool
	reads  atomic.Int64
	writes atomic.Int64
	stale  atomic.Pointer[session.Record] // a copy that is out of date
}

func (f *frail) Load(ctx context.Context, id session.ID, into *session.Record) error {
	f.reads.Add(1)
	if f.away.Load() {
		into.Reset()
		return session.ErrAway
	}
	if r := f.stale.Load(); r != nil {
		into.Copy(r)
		return nil
	}
	return f.Store.Load(ctx, id, into)
}

func (f *frail) Refresh(ctx context.Context, id session.ID, into *session.Record) error {
	f.reads.Add(1)
	return f.Store.Load(ctx, id, into)
}

func (f *frail) Patch(ctx context.Context, id session.ID, p *session.Patch) (uint64, error) {
	f.writes.Add(1)
	if f.away.Load() {
		return 0, session.ErrAway
	}
	return f.Store.Patch(ctx, id, p)
}

func (f *frail) Touch(ctx context.Context, id session.ID, idle time.Duration) error {
	f.writes.Add(1)
	return f.Store.Touch(ctx, id, idle)
}

func newSite(t testing.TB, set ...func(*session.Options)) *site {
	t.Helper()
	store := &frail{Store: memory.Open(0)}
	t.Cleanup(func() { store.Close() })
	opt := session.Options{Store: store, Keys: session.NewRing([]byte("a secret of many bytes"))}
	for _, f := range set {
		f(&opt)
	}
	s, err := session.New(opt)
	if err != nil {
		t.Fatal(err)
	}
	return &site{s, t, store}
}

// browser keeps one cookie.
type browser struct {
	*site
	cookie string // name=value
	said   string // the field it was last set by
}

func (s *site) browser() *browser { return &browser{site: s} }

// request gives what the backend is told.
func (b *browser) request(v *session.Visit) (string, session.Outcome) {
	v.Reset()
	b.Offer(v, []byte(b.cookie))
	out, o := b.Begin(v, nil)
	return string(out), o
}

// answer is the backend's, with fields as "Set: {}"; it gives what the client is
// told.
func (b *browser) answer(v *session.Visit, fields ...string) session.Outcome {
	b.t.Helper()
	for _, f := range fields {
		name, value, _ := strings.Cut(f, ": ")
		if !b.Take(v, []byte("X-Session-"+name), []byte(value)) {
			b.t.Errorf("%s is not taken", f)
		}
	}
	out, o := b.Finish(v, nil)
	b.said = string(out)
	if rest, ok := strings.CutPrefix(b.said, "Set-Cookie: "); ok {
		b.cookie, _, _ = strings.Cut(rest, ";")
	}
	return o
}

// sees is a request and an answer; it gives the data that the backend saw.
func (b *browser) sees(fields ...string) string {
	b.t.Helper()
	var v session.Visit
	told, _ := b.request(&v)
	b.answer(&v, fields...)
	return data(told)
}

func data(told string) string {
	_, rest, found := strings.Cut(told, "X-Session-Data: ")
	if !found {
		return strings.TrimSpace(told)
	}
	line, _, _ := strings.Cut(rest, "\r\n")
	return line
}

func TestASessionBeginsWhenTheBackendSetsSomething(t *testing.T) {
	b := newSite(t).browser()
	f := func(want string, fields ...string) {
		t.Helper()
		if got := b.sees(fields...); got != want {
			t.Errorf("the backend saw %q, want %q", got, want)
		}
	}
	f("")
	f("", `Set: {"a":null}`, "Rotate: 1", "Max-Age: 5", "Destroy: 1")
	if b.said != "" || b.store.reads.Load()+b.store.writes.Load() != 0 {
		t.Errorf("said %q, store asked %d+%d times", b.said, b.store.reads.Load(), b.store.writes.Load())
	}
	f("", `Set: {"user":42,"name":"ü"}`)
	if !strings.HasSuffix(b.said, "; Path=/; HttpOnly; SameSite=Lax\r\n") {
		t.Errorf("said %q", b.said)
	}
	f(`{"name":"\u00fc","user":42}`)
	f(`{"name":"\u00fc","user":42}`, `Set: {"user":null,"cart":[1]}`)
	writes := b.store.writes.Load()
	f(`{"cart":[1],"name":"\u00fc"}`, `Set: {"cart":[1],"x":null}`)
	if b.said != "" || b.store.writes.Load() != writes {
		t.Errorf("nothing has changed, but %d writes, said %q", b.store.writes.Load()-writes, b.said)
	}
	f(`{"cart":[1],"name":"\u00fc"}`, "Destroy: 1")
	if b.cookie != "sync_sess=" || !strings.Contains(b.said, "Max-Age=0") {
		t.Errorf("said %q", b.said)
	}
	f("")
}

func TestWhatTheBackendIsTold(t *testing.T) {
	b := newSite(t).browser()
	b.sees(`Set: {"user":42}`)
	var v session.Visit
	told, _ := b.request(&v)
	want := "X-Session-Id: " + v.ID.String() + "\r\nX-Session-Version: 1\r\nX-Session-Data: {\"user\":42}\r\n"
	if told != want || !v.Used() || strings.Contains(b.cookie, v.ID.String()) {
		t.Errorf("told %q, want %q; cookie %q", told, want, b.cookie)
	}
	b.sees(`Set: {"long":"` + strings.Repeat("x", 5000) + `"}`)
	if told, _ := b.request(&v); !strings.Contains(told, "X-Session-Omitted: 5021\r\n") || strings.Contains(told, "Data") {
		t.Errorf("told %q", told)
	}
	var r session.Record
	if err := b.Find(context.Background(), []byte(v.ID.String()), &r); err != nil || len(r.AppendJSON(nil)) != 5021 {
		t.Errorf("found %d bytes, %v", len(r.AppendJSON(nil)), err)
	}
}

// check reads the fields that a backend was told, and their signature.
func check(told string, now time.Time) error {
	value := func(name string) string {
		_, rest, _ := strings.Cut(told, "X-Session-"+name+": ")
		line, _, _ := strings.Cut(rest, "\r\n")
		return line
	}
	return session.CheckSignature([]byte("key"), value("Id"), value("Version"), value("Data"), value("Signature"), time.Minute, now)
}

func TestTheTellingIsSigned(t *testing.T) {
	b := newSite(t, func(o *session.Options) { o.Sign = []byte("key") }).browser()
	b.sees(`Set: {"user":42}`)
	var v session.Visit
	told, _ := b.request(&v)
	if err := check(told, time.Now()); err != nil {
		t.Errorf("%q: %v", told, err)
	}
	for _, other := range []string{strings.Replace(told, "42", "43", 1), strings.Replace(told, "Version: 1", "Version: 2", 1)} {
		if check(other, time.Now()) == nil {
			t.Errorf("believed: %q", other)
		}
	}
	if check(told, time.Now().Add(time.Hour)) == nil {
		t.Error("believed an hour later")
	}
}

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

func TestRotationLetsParallelRequestsLive(t *testing.T) {
	s := newSite(t)
	b := s.browser()
	b.sees(`Set: {"cart":1}`)
	parallel := &browser{site: s, cookie: b.cookie}
	var v session.Visit
	parallel.request(&v) // begun before, answered after
	old := b.cookie
	b.sees(`Set: {"user":42}`, "Rotate: 1")
	if b.cookie[:30] == old[:30] {
		t.Fatal("the id is the old one")
	}
	parallel.answer(&v, `Set: {"seen":1}`)
	if parallel.said != "" {
		t.Errorf("who has the old id was told %q", parallel.said)
	}
	if got := parallel.sees(`Set: {"x":1}`, "Rotate: 1"); got != `{"cart":1,"seen":1,"user":42}` || parallel.said != "" {
		t.Errorf("through the pointer: saw %q, was told %q", got, parallel.said)
	}
	if got := b.sees(); got != `{"cart":1,"seen":1,"user":42,"x":1}` {
		t.Errorf("saw %q", got)
	}
	if got := parallel.sees("Destroy: 1"); got == "" {
		t.Error("the pointer has gone")
	}
	if got := b.sees() + parallel.sees(); got != "" {
		t.Errorf("after the end: %q", got)
	}
}

func TestWhoNamesAVersion(t *testing.T) {
	f := func(strict bool, version string, want session.Outcome, sees string) {
		t.Helper()
		b := newSite(t, func(o *session.Options) { o.Strict = strict }).browser()
		b.sees(`Set: {"a":1}`)
		b.sees(`Set: {"a":2}`)
		var v session.Visit
		b.request(&v)
		got := b.answer(&v, `Set: {"a":3}`, "If-Version: "+version)
		if saw := b.sees(); got != want || saw != sees {
			t.Errorf("%s: %v, then %s; want %v, %s", version, got, saw, want, sees)
		}
	}
	f(true, "2", session.Go, `{"a":3}`)
	f(true, "1", session.Conflict, `{"a":2}`)
	f(true, "0", session.Conflict, `{"a":2}`)
	f(false, "1", session.Go, `{"a":2}`)
	f(true, "x", session.Go, `{"a":2}`)
}

func TestRefusalsLeaveTheAnswerAlone(t *testing.T) {
	b := newSite(t).browser()
	b.sees(`Set: {"a":1}`)
	f := func(why session.Reason, fields ...string) {
		t.Helper()
		before := b.Stats.Refused(why)
		if saw := b.sees(fields...); saw != `{"a":1}` || b.said != "" || b.Stats.Refused(why) != before+1 {
			t.Errorf("%.60v: saw %.60s, said %q, counted %d", fields, saw, b.said, b.Stats.Refused(why)-before)
		}
	}
	f(session.BadPatch, `Set: {"a":2`)
	f(session.BadPatch, `Set: {"a":2}`, `Set: [1]`)
	f(session.BadField, `Set: {"a":2}`, "Max-Age: -1")
	f(session.BadField, `Set: {"a":2}`, "Rotate: yes")
	f(session.LargePatch, `Set: {"b":"`+strings.Repeat("x", session.MaxPatch)+`"}`)
	f(session.LargeSession, `Set: {"`+strings.Repeat("k", session.MaxKey+1)+`":1}`)
	b.sees()
	if got := b.sees("Destroy: 1", "Set: nonsense"); got != `{"a":1}` || b.sees() != "" {
		t.Error("who wants to go may go")
	}
}

func TestAStoreThatIsAway(t *testing.T) {
	for _, fail := range []bool{false, true} {
		s := newSite(t, func(o *session.Options) { o.Fail = fail })
		b := s.browser()
		b.sees(`Set: {"a":1}`)
		s.store.away.Store(true)
		s.store.reads.Store(0)
		var v session.Visit
		for range 100 {
			told, outcome := b.request(&v)
			switch {
			case fail && (outcome != session.Away || told != ""):
				t.Fatalf("fail: %v, %q", outcome, told)
			case !fail && (outcome != session.Go || told != "X-Session-Error: away\r\n"):
				t.Fatalf("pass: %v, %q", outcome, told)
			}
		}
		if n := s.store.reads.Load(); n > 50 {
			t.Errorf("the store was asked %d times", n)
		}
		cookie := b.cookie
		outcome := b.answer(&v, `Set: {"b":1}`)
		if b.cookie != cookie || (outcome == session.Away) != fail {
			t.Errorf("fail %v: %v, said %q", fail, outcome, b.said)
		}
		if told, outcome := s.browser().request(&v); told != "" || outcome != session.Go {
			t.Errorf("without a cookie: %q, %v", told, outcome)
		}
		s.store.away.Store(false)
		for end := time.Now().Add(30 * time.Second); b.sees() != `{"a":1}`; time.Sleep(5 * time.Millisecond) {
			if time.Now().After(end) {
				t.Fatal("not asked again")
			}
		}
	}
}

func TestTouchingIsRare(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newSite(t, func(o *session.Options) { o.Idle = 10 * time.Minute }).browser()
		b.sees(`Set: {"a":1}`)
		writes := b.store.writes.Load()
		for range 120 { // two hours, each minute twice at once
			var requests sync.WaitGroup
			for range 2 {
				requests.Go(func() {
					if got := (&browser{site: b.site, cookie: b.cookie}).sees(); got != `{"a":1}` {
						t.Errorf("saw %q", got)
					}
				})
			}
			requests.Wait()
			time.Sleep(time.Minute)
		}
		if n := b.store.writes.Load() - writes; n < 20 || n > 121 {
			t.Errorf("%d touches", n)
		}
		time.Sleep(10 * time.Minute)
		if got := b.sees(); got != "" {
			t.Errorf("after ten minutes: %q", got)
		}
	})
}

func TestMaxAgeReachesCookieAndStore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newSite(t, func(o *session.Options) { o.Max = time.Hour }).browser()
		b.sees(`Set: {"a":1}`, "Max-Age: 10800")
		if !strings.Contains(b.said, "; Max-Age=10800") {
			t.Errorf("said %q", b.said)
		}
		time.Sleep(2 * time.Hour)
		if got := b.sees(`Set: {"a":2}`); got != `{"a":1}` || !strings.Contains(b.said, "; Max-Age=3600") {
			t.Errorf("saw %q, said %q", got, b.said)
		}
		b.sees("Max-Age: 60")
		time.Sleep(time.Minute)
		if got := b.sees(); got != "" {
			t.Errorf("saw %q", got)
		}
	})
}

func TestACopyThatIsTooOldIsNotShown(t *testing.T) {
	b := newSite(t).browser()
	b.sees(`Set: {"a":1}`)
	var v session.Visit
	b.request(&v)
	old := new(session.Record)
	old.Copy(&v.Record)
	b.sees(`Set: {"a":2}`)
	b.store.stale.Store(old)
	if got := b.sees(); got != `{"a":2}` {
		t.Errorf("saw %q", got)
	}
}

func TestASessionThatEndedMeanwhileIsNotBroughtBack(t *testing.T) {
	s := newSite(t)
	b := s.browser()
	b.sees(`Set: {"user":1}`)
	slow := &browser{site: s, cookie: b.cookie}
	var v session.Visit
	slow.request(&v)
	b.sees("Destroy: 1")
	slow.answer(&v, `Set: {"user":2}`)
	if slow.said != "" || s.Stats.Refused(session.EndedMeanwhile) != 1 || slow.sees() != "" {
		t.Errorf("said %q, counted %d", slow.said, s.Stats.Refused(session.EndedMeanwhile))
	}
}

func TestASessionRemembersItsUpstream(t *testing.T) {
	b := newSite(t).browser()
	visit := func(upstream uint64, fields ...string) (pinned uint64, told string) {
		var v session.Visit
		told, _ = b.request(&v)
		pinned = v.Pinned()
		v.Pin(upstream)
		b.answer(&v, fields...)
		return pinned, data(told)
	}
	f := func(upstream, want uint64, sees string, fields ...string) {
		t.Helper()
		if pinned, told := visit(upstream, fields...); pinned != want || told != sees {
			t.Errorf("pinned to %d, saw %s; want %d, %s", pinned, told, want, sees)
		}
	}
	f(7, 0, "")
	f(7, 0, "", `Set: {"a":1}`)
	f(7, 7, `{"a":1}`)
	writes := b.store.writes.Load()
	f(7, 7, `{"a":1}`)
	if n := b.store.writes.Load() - writes; n != 0 {
		t.Errorf("%d writes for what was so already", n)
	}
	f(9, 7, `{"a":1}`, `Set: {"b":2}`)
	f(9, 9, `{"a":1,"b":2}`, `Set: {"\u0000up":"1"}`)
	f(9, 9, `{"a":1,"b":2}`, "Destroy: 1")
	f(9, 0, "")
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

func TestWritersOfOneSessionMerge(t *testing.T) {
	s := newSite(t)
	b := s.browser()
	b.sees(`Set: {"a":1}`)
	var writers sync.WaitGroup
	for w := range 8 {
		writers.Go(func() {
			for i := range 50 {
				one := &browser{site: s, cookie: b.cookie}
				one.sees(`Set: {"w` + string(rune('0'+w)) + `":` + string(rune('0'+i%10)) + `}`)
			}
		})
	}
	writers.Wait()
	if got := b.sees(); got != `{"a":1,"w0":9,"w1":9,"w2":9,"w3":9,"w4":9,"w5":9,"w6":9,"w7":9}` {
		t.Errorf("saw %s", got)
	}
}

func TestTheKeysCannotBeRead(t *testing.T) {
	store := memory.Open(0)
	defer store.Close()
	k := session.Keep(store, nil)
	defer k.Close()
	s, err := session.New(session.Options{Store: store, Keys: k})
	if err != nil {
		t.Fatal(err)
	}
	var r session.Record
	for _, text := range []string{session.RingID.String(), "", "x"} {
		if err := s.Find(context.Background(), []byte(text), &r); !errors.Is(err, session.ErrNone) {
			t.Errorf("%s: %v", text, err)
		}
		if err := s.End(context.Background(), []byte(text)); !errors.Is(err, session.ErrNone) {
			t.Errorf("%s: %v", text, err)
		}
	}
}
