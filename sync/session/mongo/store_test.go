package mongo

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"multiserver/sync/session"
	"multiserver/sync/session/mongo/mongodbtest"
	"multiserver/sync/session/sessiontest"
)

// patience is for what has to come about, on a busy machine.
const patience = 30 * time.Second

func open(t testing.TB, o Options) *Store {
	t.Helper()
	if o.Timeout == 0 {
		o.Timeout = patience
	}
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func TestContract(t *testing.T) {
	server := mongodbtest.Start(t)
	sessiontest.Run(t, func(t *testing.T) session.Store { return open(t, Options{URL: server.URL()}) }, sessiontest.Faults{
		Kill:   server.Kill,
		Pause:  server.Pause,
		Resume: server.Resume,
		Restart: func() {
			if err := server.Restart(); err != nil {
				t.Fatal(err)
			}
		},
	})
}

// TestServerThatIsDownAtFirst: the store is there, and works when the server does.
func TestServerThatIsDownAtFirst(t *testing.T) {
	server := mongodbtest.Start(t)
	server.Kill()
	s := open(t, Options{URL: server.URL()})
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	var r session.Record
	if err := s.Load(ctx, sessiontest.NewID(), &r); !errors.Is(err, session.ErrAway) {
		t.Errorf("load: %v", err)
	}
	if err := server.Restart(); err != nil {
		t.Fatal(err)
	}
	begun(t, s, "a=1")
}

// TestFullSessions: bounds that are too high are counted anew, also by many
// at once, and hold.
func TestFullSessions(t *testing.T) {
	s := open(t, Options{URL: mongodbtest.Start(t).URL()})
	id := begun(t, s, "a=1")
	half := strings.Repeat("x", session.MaxBytes/2)
	var writers sync.WaitGroup
	for range 4 {
		writers.Go(func() {
			for range 5 { // each alone fits, and the next only in its place
				if _, err := s.Patch(t.Context(), id, &session.Patch{Changes: sessiontest.Changes("half=" + half)}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	writers.Wait()
	if _, err := s.Patch(t.Context(), id, &session.Patch{Changes: sessiontest.Changes("more=" + half)}); !errors.Is(err, session.ErrLimit) {
		t.Errorf("twice: %v", err)
	}
	for i := range 3 * session.MaxKeys { // names that come and go
		p := session.Patch{Changes: sessiontest.Changes(fmt.Sprint("k", i, "=1"), fmt.Sprint("k", i-1))}
		if _, err := s.Patch(t.Context(), id, &p); err != nil {
			t.Fatal(err)
		}
	}
	var r session.Record
	if err := s.Load(t.Context(), id, &r); err != nil || len(r.Values) != 3 || r.Version != 21+3*session.MaxKeys {
		t.Errorf("%d values, version %d, %v", len(r.Values), r.Version, err)
	}
}

// TestSweep: what has ended goes, by either end, and what has not stays.
func TestSweep(t *testing.T) {
	s := open(t, Options{URL: mongodbtest.Start(t).URL(), Sweep: 20 * time.Millisecond})
	stays := begun(t, s, "a=1")
	for _, p := range []session.Patch{
		{Create: true, Life: time.Millisecond, Idle: time.Hour},
		{Create: true, Life: time.Hour, Idle: time.Millisecond},
	} {
		if _, err := s.Patch(t.Context(), sessiontest.NewID(), &p); err != nil {
			t.Fatal(err)
		}
	}
	old := begun(t, s, "b=1")
	if err := s.Rotate(t.Context(), old, sessiontest.NewID(), time.Millisecond); err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(patience); s.Swept() < 3; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%d are removed", s.Swept())
		}
	}
	left, err := s.sessions.CountDocuments(t.Context(), bson.D{})
	if err != nil || left != 2 {
		t.Errorf("%d are left, %v", left, err)
	}
	var r session.Record
	if err := s.Load(t.Context(), stays, &r); err != nil {
		t.Error(err)
	}
}

// TestForeignDocument: what is no session, or that of a later version of ours,
// is left alone.
func TestForeignDocument(t *testing.T) {
	s := open(t, Options{URL: mongodbtest.Start(t).URL()})
	for _, fields := range []bson.D{nil, {{Key: "e", Value: "soon"}}, {{Key: "e", Value: time.Now()}, {Key: "d", Value: 7}}} {
		id := sessiontest.NewID()
		if _, err := s.sessions.InsertOne(t.Context(), append(bson.D{{Key: "_id", Value: id.String()}}, fields...)); err != nil {
			t.Fatal(err)
		}
		var r session.Record
		if err := s.Load(t.Context(), id, &r); !errors.Is(err, session.ErrAway) || !errors.Is(err, errForm) {
			t.Errorf("%v: load: %v", fields, err)
		}
		p := session.Patch{Create: true, Life: time.Hour, Changes: sessiontest.Changes("a=1")}
		if _, err := s.Patch(t.Context(), id, &p); !errors.Is(err, session.ErrAway) || !errors.Is(err, errForm) {
			t.Errorf("%v: patch: %v", fields, err)
		}
	}
}

func TestOptions(t *testing.T) {
	f := func(url, database string) {
		t.Helper()
		s, err := New(Options{URL: url})
		if (err == nil) != (database != "") {
			t.Errorf("%s: %v", url, err)
		}
		if err != nil {
			return
		}
		defer s.Close()
		if got := s.sessions.Database().Name(); got != database {
			t.Errorf("%s: database %s, want %s", url, got, database)
		}
	}
	f("mongodb://127.0.0.1:1", "multiserver")
	f("mongodb://a:1,b:2/app?replicaSet=r", "app")
	f("mongodb://user:password@a:1/?authSource=admin", "multiserver")
	f("", "")
	f("127.0.0.1:27017", "")
	f("redis://127.0.0.1", "")
}

func begun(t *testing.T, s *Store, list ...string) session.ID {
	t.Helper()
	id := sessiontest.NewID()
	p := session.Patch{Create: true, Life: time.Hour, Changes: sessiontest.Changes(list...)}
	if _, err := s.Patch(t.Context(), id, &p); err != nil {
		t.Fatal(err)
	}
	return id
}
