package memcached

import (
	"fmt"
	"testing"
	"time"

	"multiserver/sync/session"
	"multiserver/sync/session/memcached/memcachedtest"
	"multiserver/sync/session/sessiontest"
)

// patience is for what has to come about, on a busy machine.
const patience = 30 * time.Second

func open(t testing.TB, servers ...string) *Store {
	t.Helper()
	s, err := New(Options{Servers: servers, Timeout: patience})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func TestContract(t *testing.T) {
	server := memcachedtest.Start(t)
	sessiontest.Run(t, func(t *testing.T) session.Store { return open(t, server.Addr) }, sessiontest.Faults{
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

func TestContractOverSeveral(t *testing.T) {
	a, b, c := memcachedtest.Start(t), memcachedtest.StartUnix(t), memcachedtest.Start(t)
	sessiontest.Run(t, func(t *testing.T) session.Store { return open(t, a.Addr, b.Addr, c.Addr) }, sessiontest.Faults{})
}

// TestForeignValue: what is no session is none, and is written over.
func TestForeignValue(t *testing.T) {
	s := open(t, memcachedtest.Start(t).Addr)
	id := sessiontest.NewID()
	key := fmt.Append(nil, defaultPrefix, id)
	if _, err := s.client.Set(t.Context(), key, []byte("something else"), time.Hour); err != nil {
		t.Fatal(err)
	}
	var r session.Record
	if err := s.Load(t.Context(), id, &r); err != session.ErrNone {
		t.Errorf("load: %v", err)
	}
	p := session.Patch{Create: true, Life: time.Hour, Changes: sessiontest.Changes("a=1")}
	if v, err := s.Patch(t.Context(), id, &p); err != nil || v != 1 {
		t.Errorf("patch: %d, %v", v, err)
	}
	if err := s.Load(t.Context(), id, &r); err != nil || sessiontest.Text(&r) != "a=1" {
		t.Errorf("load: %v, %v", sessiontest.Text(&r), err)
	}
}

func TestOptions(t *testing.T) {
	f := func(ok bool, o Options) {
		t.Helper()
		if _, err := New(o); (err == nil) != ok {
			t.Errorf("%+v: %v", o, err)
		}
	}
	f(true, Options{Servers: []string{"a:1", "unix:/b"}})
	f(false, Options{})
	f(false, Options{Servers: []string{"a"}})
	f(false, Options{Servers: []string{"a:1"}, Prefix: string(make([]byte, 240))})
}
