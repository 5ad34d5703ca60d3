package memory

import (
	"context"
	"sync/atomic"
	"time"

	"multiserver/sync/session"
)

// Store is a session.Store of this process alone.
type Store struct {
	Table  *Table // for its Stats
	closed atomic.Bool
}

// Bytes is how much a Store holds where nothing else is said: 100,000 sessions
// of half a kilobyte.
const Bytes = 64 << 20

// Open makes a store for so many bytes; Bytes if 0.
func Open(bytes int64) *Store {
	if bytes <= 0 {
		bytes = Bytes
	}
	return &Store{Table: NewTable(bytes)}
}

// Close ends it; what it held is gone.
func (m *Store) Close() error {
	m.closed.Store(true)
	m.Table.Close()
	return nil
}

// Load is session.Store's.
func (m *Store) Load(_ context.Context, id session.ID, into *session.Record) error {
	if m.closed.Load() {
		into.Reset()
		return session.ErrAway
	}
	if !m.Table.Load(id, into, time.Now().UnixMilli()) {
		into.Reset()
		return session.ErrNone
	}
	return nil
}

// Patch is session.Store's. It writes a copy: a record whose values come and go
// would keep all their buffers, which nobody counts.
func (m *Store) Patch(_ context.Context, id session.ID, p *session.Patch) (version uint64, err error) {
	err = m.change(id, func(s *shard, r *session.Record, now int64) error {
		next := new(session.Record)
		if r != nil {
			next.Copy(r)
		}
		if err := next.Apply(p, now); err != nil {
			return err
		}
		version = next.Version
		m.Table.put(s, id, next)
		return nil
	})
	return version, err
}

// Touch is session.Store's.
func (m *Store) Touch(_ context.Context, id session.ID, idle time.Duration) error {
	return m.change(id, func(_ *shard, r *session.Record, now int64) error {
		if err := there(r); err != nil {
			return err
		}
		r.Extend(idle, now)
		return nil
	})
}

func there(r *session.Record) error {
	switch {
	case r == nil:
		return session.ErrNone
	case !r.Moved.Zero():
		return session.ErrMoved
	}
	return nil
}

// change runs f with the shard locked; r is nil if nothing is there, or it has
// ended.
func (m *Store) change(id session.ID, f func(s *shard, r *session.Record, now int64) error) error {
	if m.closed.Load() {
		return session.ErrAway
	}
	now := time.Now().UnixMilli()
	s := m.Table.shard(id)
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.by[id]
	if r != nil && !r.Alive(now) {
		m.Table.remove(s, id)
		r = nil
	}
	return f(s, r, now)
}

// Rotate is session.Store's.
func (m *Store) Rotate(_ context.Context, from, to session.ID, grace time.Duration) error {
	if m.closed.Load() {
		return session.ErrAway
	}
	a, b := m.Table.shard(from), m.Table.shard(to)
	defer m.Table.lock(from, to)()
	now := time.Now().UnixMilli()
	r := a.by[from]
	if r != nil && !r.Alive(now) {
		r = nil
	}
	if err := there(r); err != nil {
		return err
	}
	m.Table.remove(a, from)
	m.Table.put(b, to, r)
	m.Table.put(a, from, &session.Record{Moved: to, End: now + grace.Milliseconds()})
	return nil
}

// Drop is session.Store's.
func (m *Store) Drop(_ context.Context, id session.ID) error {
	if m.closed.Load() {
		return session.ErrAway
	}
	m.Table.Forget(id)
	return nil
}
