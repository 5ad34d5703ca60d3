package redis

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"

	"multiserver/cache/redis/redistest"
	"multiserver/sync/session"
	"multiserver/sync/session/sessiontest"
)

func open(t testing.TB, opt Options) *Store {
	t.Helper()
	opt.Log = slog.New(slog.DiscardHandler)
	s, err := Open(context.Background(), opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	until(t, "up", s.Link.Up)
	return s
}

func until(t testing.TB, what string, f func() bool) {
	t.Helper()
	for end := time.Now().Add(2 * time.Minute); !f(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("did not come about: %s", what)
		}
	}
}

func TestContract(t *testing.T) {
	for name, local := range map[string]int64{"with copies": 0, "without copies": -1} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := redistest.Single(t)
			sessiontest.Run(t, func(t *testing.T) session.Store {
				return open(t, Options{URL: s.URL(), LocalBytes: local, Timeout: 5 * time.Second})
			}, faults(t, s))
		})
	}
}

func faults(t *testing.T, s *redistest.Server) sessiontest.Faults {
	return sessiontest.Faults{Kill: s.Kill, Pause: s.Pause, Resume: s.Resume, Restart: func() {
		if err := s.Restart(); err != nil {
			t.Error(err)
		}
	}}
}

func TestContractInACluster(t *testing.T) {
	t.Parallel()
	set := redistest.Cluster(t)
	sessiontest.Run(t, func(t *testing.T) session.Store {
		return open(t, Options{URL: set.URL, Timeout: 5 * time.Second})
	}, sessiontest.Faults{})
}

func TestContractBehindSentinel(t *testing.T) {
	t.Parallel()
	set := redistest.Sentinel(t)
	sessiontest.Run(t, func(t *testing.T) session.Store {
		return open(t, Options{URL: set.URL, Timeout: 5 * time.Second})
	}, sessiontest.Faults{Kill: set.Masters[0].Kill, Restart: func() {}, Spare: true})
}

func begin(list ...string) *session.Patch {
	return &session.Patch{Create: true, Life: time.Hour, Changes: sessiontest.Changes(list...)}
}

func TestCopiesSpareRedis(t *testing.T) {
	t.Parallel()
	server := redistest.Single(t)
	s := open(t, Options{URL: server.URL()})
	id, ctx := sessiontest.NewID(), context.Background()
	if _, err := s.Patch(ctx, id, begin("a=1")); err != nil {
		t.Fatal(err)
	}
	var r session.Record
	until(t, "a copy is used", func() bool { return s.Load(ctx, id, &r) == nil && s.Stats.LocalHits.Load() > 0 })
	server.Kill()
	until(t, "no copy is used without the link", func() bool { return errors.Is(s.Load(ctx, id, &r), session.ErrAway) })
	if n := s.Local.Stats.Records.Load(); n != 0 {
		t.Errorf("%d copies", n)
	}
}

func TestWhatIsNoSession(t *testing.T) {
	t.Parallel()
	server := redistest.Single(t)
	s := open(t, Options{URL: server.URL()})
	f := func(want error, command ...string) {
		t.Helper()
		id := sessiontest.NewID()
		for i := range command {
			if command[i] == "KEY" {
				command[i] = s.key(id)
			}
		}
		if _, err := server.Do(command...); err != nil {
			t.Fatal(err)
		}
		var r session.Record
		if err := s.Load(context.Background(), id, &r); !errors.Is(err, want) || r.Version != 0 || len(r.Values) != 0 {
			t.Errorf("%v: %v, %+v", command, err, r)
		}
	}
	f(session.ErrAway, "SET", "KEY", "x")
	f(session.ErrNone, "HSET", "KEY", "x", "1")
	f(session.ErrNone, "HSET", "KEY", "v", "x", "c", "1", "i", "1", "e", "1")
	f(session.ErrNone, "HSET", "KEY", "m", "x", "e", "1")
}

func TestOpenRefusesOnlyWhatIsWrong(t *testing.T) {
	if s, err := Open(context.Background(), Options{URL: "nonsense"}); err == nil {
		s.Close()
		t.Error("opened")
	}
}
