package session_test

import (
	"context"
	"strings"
	"sync/atomic"
	"testing"
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
