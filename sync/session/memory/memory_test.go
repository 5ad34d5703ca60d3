package memory

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"multiserver/sync/session"
	"multiserver/sync/session/sessiontest"
)

func TestContract(t *testing.T) {
	sessiontest.Run(t, func(t *testing.T) session.Store {
		m := Open(0)
		t.Cleanup(func() { m.Close() })
		return m
	}, sessiontest.Faults{})
}

func begin(list ...string) *session.Patch {
	return &session.Patch{Create: true, Life: time.Hour, Changes: sessiontest.Changes(list...)}
}

func TestBytesAreBounded(t *testing.T) {
	m := Open(1) // as little as there is
	defer m.Close()
	limit := m.Table.each * shards
	long := `a="` + strings.Repeat("x", 8000) + `"`
	for i := range 4000 {
		if _, err := m.Patch(context.Background(), sessiontest.NewID(), begin(long)); err != nil {
			t.Fatal(err)
		}
		if n := m.Table.Stats.Bytes.Load(); n > limit {
			t.Fatalf("%d sessions: %d bytes of %d", i+1, n, limit)
		}
	}
	kept, evicted := m.Table.Stats.Records.Load(), m.Table.Stats.Evicted.Load()
	if kept < 500 || kept+int64(evicted) != 4000 {
		t.Errorf("%d kept, %d evicted", kept, evicted)
	}
}

func TestRoomIsMadeByWhatEndsFirst(t *testing.T) {
	m := Open(1)
	defer m.Close()
	var id session.ID
	add := func(last byte, life time.Duration) {
		id[15] = last
		p := begin(`a="` + strings.Repeat("x", 60000) + `"`)
		p.Life = life
		if _, err := m.Patch(context.Background(), id, p); err != nil {
			t.Fatal(err)
		}
	}
	add(1, 2*time.Hour)
	add(2, time.Hour)
	add(3, 3*time.Hour)
	var r session.Record
	for last, want := range map[byte]error{1: nil, 2: session.ErrNone, 3: nil} {
		id[15] = last
		if err := m.Load(context.Background(), id, &r); !errors.Is(err, want) {
			t.Errorf("%d: %v, want %v", last, err, want)
		}
	}
}

func TestWhatHasEndedIsSwept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := Open(0)
		defer m.Close()
		for range 100 {
			m.Patch(context.Background(), sessiontest.NewID(), begin("a=1"))
		}
		time.Sleep(time.Hour + 2*time.Minute)
		s := &m.Table.Stats
		if s.Records.Load() != 0 || s.Bytes.Load() != 0 || s.Swept.Load() != 100 {
			t.Errorf("%d records, %d bytes, %d swept", s.Records.Load(), s.Bytes.Load(), s.Swept.Load())
		}
	})
}

func TestWhatWasForgottenMeanwhileIsNotKept(t *testing.T) {
	table := NewTable(0)
	defer table.Close()
	id, r := sessiontest.NewID(), session.Record{Version: 1, Idle: 2, End: 2}
	f := func(want bool, meanwhile func()) {
		t.Helper()
		pulse := table.Pulse(id)
		meanwhile()
		table.Keep(id, &r, pulse)
		if got := table.Load(id, new(session.Record), 1); got != want {
			t.Errorf("kept: %v, want %v", got, want)
		}
		table.Forget(id)
	}
	f(true, func() {})
	f(false, func() { table.Forget(id) })
	f(false, table.Clear)
	f(true, func() {})
}

func TestRotationsBothWaysDoNotWaitForEachOther(t *testing.T) {
	m := Open(0)
	defer m.Close()
	var wg sync.WaitGroup
	for w := range 4 {
		wg.Go(func() {
			for range 200 {
				from, to := sessiontest.NewID(), sessiontest.NewID()
				from[0], to[0] = byte(w), byte(3-w)
				m.Patch(context.Background(), from, begin("a=1"))
				if err := m.Rotate(context.Background(), from, to, time.Second); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
}

func TestClosedIsAway(t *testing.T) {
	m := Open(0)
	m.Close()
	id := sessiontest.NewID()
	_, patch := m.Patch(context.Background(), id, begin())
	for _, err := range []error{
		m.Load(context.Background(), id, new(session.Record)), patch, m.Close(),
		m.Touch(context.Background(), id, 1), m.Rotate(context.Background(), id, id, 1), m.Drop(context.Background(), id),
	} {
		if !errors.Is(err, session.ErrAway) && err != patch && err != nil {
			t.Errorf("%v", err)
		}
	}
	if !errors.Is(patch, session.ErrAway) {
		t.Error(patch)
	}
}
