package session_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"

	"multiserver/sync/session"
	"multiserver/sync/session/memory"
)

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
