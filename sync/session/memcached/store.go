package memcached

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"multiserver/sync/session"
	"multiserver/sync/session/memcached/meta"
)

const (
	defaultPrefix  = "session:"
	defaultTimeout = 250 * time.Millisecond
	// tries bound a change that others are always ahead of. Of those who try at
	// once one gets through, so that only a session with as many writers as
	// this at every moment meets the bound.
	tries    = 64
	pauseMax = 16 * time.Millisecond
)

// Options of a store. Zero values are the defaults.
type Options struct {
	Servers  []string // host:port, or unix:/path
	User     string   // with Password, where memcached runs with -Y
	Password string
	Prefix   string        // of its keys; session:
	Timeout  time.Duration // for a method whose context has no deadline; 250 ms
	Conns    int           // to each server at once; 64
}

// Store is a session.Store.
type Store struct {
	client  *meta.Client
	prefix  string
	timeout time.Duration
}

var _ session.Store = (*Store)(nil)

// New opens nothing: servers may be down, and are used when they are up.
func New(o Options) (*Store, error) {
	if o.Prefix == "" {
		o.Prefix = defaultPrefix
	}
	if o.Timeout <= 0 {
		o.Timeout = defaultTimeout
	}
	if len(o.Prefix)+session.IDText > meta.MaxKey {
		return nil, fmt.Errorf("memcached: the prefix is %d bytes, at most %d fit", len(o.Prefix), meta.MaxKey-session.IDText)
	}
	c, err := meta.New(meta.Options{Servers: o.Servers, User: o.User, Password: o.Password, Timeout: o.Timeout, Conns: o.Conns})
	if err != nil {
		return nil, err
	}
	return &Store{client: c, prefix: o.Prefix, timeout: o.Timeout}, nil
}

// Stats counts what its servers could not do.
func (s *Store) Stats() meta.Stats { return s.client.Stats() }

// Close is session.Store's.
func (s *Store) Close() error {
	s.client.Close()
	return nil
}

// Load is session.Store's.
func (s *Store) Load(ctx context.Context, id session.ID, into *session.Record) error {
	h := s.begin(id)
	defer h.done()
	if err := h.load(ctx, into); err != nil {
		into.Reset()
		return err
	}
	if !into.Moved.Zero() {
		*into = session.Record{Values: into.Values[:0], Moved: into.Moved, End: into.End}
	}
	return nil
}

// Patch is session.Store's.
func (s *Store) Patch(ctx context.Context, id session.ID, p *session.Patch) (version uint64, err error) {
	err = s.change(ctx, id, func(r *session.Record, now int64) error {
		err := r.Apply(p, now)
		version = r.Version
		return err
	})
	if err != nil {
		return 0, err
	}
	return version, nil
}

// Touch is session.Store's.
func (s *Store) Touch(ctx context.Context, id session.ID, idle time.Duration) error {
	return s.change(ctx, id, func(r *session.Record, now int64) error {
		switch {
		case r.Version == 0 && r.Moved.Zero():
			return session.ErrNone
		case !r.Moved.Zero():
			return session.ErrMoved
		}
		r.Extend(idle, now)
		return nil
	})
}

// Drop is session.Store's.
func (s *Store) Drop(ctx context.Context, id session.ID) error {
	h := s.begin(id)
	defer h.done()
	if err := s.client.Delete(ctx, h.key, 0); err != nil && !errors.Is(err, meta.ErrMiss) {
		return away(err)
	}
	return nil
}

// Rotate is session.Store's. The copy is there before the pointer leads to it,
// and until then nobody knows of it; if the session changes in between, the
// copy is made anew.
func (s *Store) Rotate(ctx context.Context, from, to session.ID, grace time.Duration) error {
	ctx, cancel := s.within(ctx)
	defer cancel()
	next := s.begin(to)
	defer next.done()
	err := s.change(ctx, from, func(r *session.Record, now int64) error {
		switch {
		case r.Version == 0 && r.Moved.Zero():
			return session.ErrNone
		case !r.Moved.Zero():
			return session.ErrMoved
		}
		if err := next.set(ctx, r, now); err != nil {
			return err
		}
		*r = session.Record{Values: r.Values[:0], Moved: to, End: now + max(grace.Milliseconds(), 1)}
		return nil
	})
	if err != nil && !errors.Is(err, session.ErrAway) { // away: the pointer may be there
		_ = s.client.Delete(ctx, next.key, 0) // if that fails: its end comes
	}
	return err
}

// change reads a Record, empty if there is none alive, lets f change it and
// puts it back, as often as it takes.
func (s *Store) change(ctx context.Context, id session.ID, f func(r *session.Record, now int64) error) error {
	ctx, cancel := s.within(ctx)
	defer cancel()
	h := s.begin(id)
	defer h.done()
	for try := range tries {
		if err := h.load(ctx, &h.record); err != nil && !errors.Is(err, session.ErrNone) {
			return err
		}
		now := time.Now().UnixMilli()
		if err := f(&h.record, now); err != nil {
			return err
		}
		err := h.swap(ctx, &h.record, now)
		if !errors.Is(err, errOvertaken) {
			return err
		}
		if err := pause(ctx, try); err != nil {
			return err
		}
	}
	return away(errOvertaken)
}

func (s *Store) within(ctx context.Context) (context.Context, context.CancelFunc) {
	if _, ok := ctx.Deadline(); ok {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, s.timeout)
}

// pause is longer the more have been ahead, or they meet again.
func pause(ctx context.Context, try int) error {
	wait := time.NewTimer(rand.N(min(pauseMax, 100*time.Microsecond<<min(try, 10))))
	defer wait.Stop()
	select {
	case <-wait.C:
		return nil
	case <-ctx.Done():
		return away(ctx.Err())
	}
}

// errOvertaken: somebody else was first.
var errOvertaken = errors.New("others were first again and again")

// away says that it is the store's fault.
func away(err error) error { return fmt.Errorf("%w: %w", session.ErrAway, err) }

// handle is one key on its way, with the buffers for that.
type handle struct {
	store  *Store
	key    []byte
	buf    []byte
	cas    uint64 // of what load has found; 0: nothing
	record session.Record
}

var handles = sync.Pool{New: func() any { return new(handle) }}

func (s *Store) begin(id session.ID) *handle {
	h := handles.Get().(*handle)
	h.store = s
	h.key, _ = id.AppendText(append(h.key[:0], s.prefix...))
	return h
}

func (h *handle) done() {
	h.store = nil
	handles.Put(h)
}

// load fills into, or leaves it empty with ErrNone or ErrAway. What is no
// session is none, and may be written over.
func (h *handle) load(ctx context.Context, into *session.Record) (err error) {
	into.Reset()
	h.buf, h.cas, err = h.store.client.Get(ctx, h.buf[:0], h.key)
	if errors.Is(err, meta.ErrMiss) {
		return session.ErrNone
	}
	if err != nil {
		return away(err)
	}
	if into.UnmarshalBinary(h.buf) != nil || !into.Alive(time.Now().UnixMilli()) {
		into.Reset()
		return session.ErrNone
	}
	return nil
}

// swap puts r in the place of what load has found, or gives errOvertaken.
func (h *handle) swap(ctx context.Context, r *session.Record, now int64) (err error) {
	h.buf, _ = r.AppendBinary(h.buf[:0])
	if h.cas == 0 {
		_, err = h.store.client.Add(ctx, h.key, h.buf, left(r, now))
	} else {
		_, err = h.store.client.Swap(ctx, h.key, h.buf, h.cas, left(r, now))
	}
	switch err {
	case nil:
		return nil
	case meta.ErrConflict, meta.ErrExists, meta.ErrMiss:
		return errOvertaken
	}
	return away(err)
}

func (h *handle) set(ctx context.Context, r *session.Record, now int64) (err error) {
	h.buf, _ = r.AppendBinary(h.buf[:0])
	if _, err = h.store.client.Set(ctx, h.key, h.buf, left(r, now)); err != nil {
		return away(err)
	}
	return nil
}

// left is how long r has to live, at least a moment: 0 would be for ever.
func left(r *session.Record, now int64) time.Duration {
	end := r.End
	if r.Moved.Zero() {
		end = min(end, r.Idle)
	}
	return max(time.Duration(end-now)*time.Millisecond, time.Millisecond)
}
