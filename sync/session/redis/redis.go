package redis

import (
	"context"
	"log/slog"
	"strings"
	"sync/atomic"
	"time"

	"multiserver/sync/link"
	"multiserver/sync/session"
	"multiserver/sync/session/memory"
)

// Options of Open. Only URL must be given.
type Options struct {
	URL    string // as link.Options has it
	CAFile string // PEM of who signs Redis' certificate; the system's if empty

	Prefix  string        // of all keys in Redis; "multiserver:session:" if empty; no braces in it
	Timeout time.Duration // how long one operation waits for Redis; 250 ms if 0

	// LocalBytes is how much this node keeps copies of; 32 MiB if 0, none if
	// negative.
	LocalBytes int64

	Log *slog.Logger // slog.Default if nil
}

// Store is a session.Store in Redis; see the package's comment.
type Store struct {
	Link  *link.Link    // for its Stats, and whether Redis is up
	Local *memory.Table // for its Stats; nil if there is none
	Stats Stats

	prefix string
	closed atomic.Bool
}

// Stats are counters of a Store.
type Stats struct {
	LocalHits atomic.Uint64 // Loads that asked nobody
	Loads     atomic.Uint64 // that asked Redis
	Damaged   atomic.Uint64 // that found something that is no session
	Errors    atomic.Uint64 // scripts that Redis refused
}

// Open makes the store. Whether Redis answers does not matter: it is reached in
// the background. Only what is wrong with the options is an error. When ctx
// ends all is ErrAway, but Close it all the same.
func Open(ctx context.Context, opt Options) (*Store, error) {
	if opt.Prefix == "" {
		opt.Prefix = "multiserver:session:"
	}
	if opt.LocalBytes == 0 {
		opt.LocalBytes = 32 << 20
	}
	s := &Store{prefix: opt.Prefix}
	o := link.Options{URL: opt.URL, CAFile: opt.CAFile, Timeout: opt.Timeout, Name: "sessions", Log: opt.Log}
	if opt.LocalBytes > 0 {
		s.Local = memory.NewTable(opt.LocalBytes)
		o.Prefixes, o.Changed = []string{opt.Prefix}, s.changed
	}
	var err error
	if s.Link, err = link.Open(ctx, o); err != nil && s.Local != nil {
		s.Local.Close()
	}
	if err != nil {
		return nil, err
	}
	return s, nil
}

// Close ends the connections and what is kept here.
func (s *Store) Close() error {
	s.closed.Store(true)
	s.Link.Close()
	if s.Local != nil {
		s.Local.Close()
	}
	return nil
}

// changed is called for keys that anybody has changed, us too.
func (s *Store) changed(key string) {
	if key == "" {
		s.Local.Clear()
		return
	}
	if id, ok := session.ParseID([]byte(strings.TrimPrefix(key, s.prefix))); ok {
		s.Local.Forget(id)
	}
}

// forget is for what we have changed ourselves: the push may come after our
// caller's answer, and its client's next request before it.
func (s *Store) forget(id session.ID) {
	if s.Local != nil {
		s.Local.Forget(id)
	}
}

func (s *Store) key(id session.ID) string {
	key := make([]byte, 0, 64)
	key = append(key, s.prefix...)
	key, _ = id.AppendText(key)
	return string(key)
}

// Load is session.Store's.
func (s *Store) Load(ctx context.Context, id session.ID, into *session.Record) error {
	if s.closed.Load() {
		into.Reset()
		return session.ErrAway
	}
	if s.Local != nil && s.Local.Load(id, into, time.Now().UnixMilli()) { // fast path
		s.Stats.LocalHits.Add(1)
		return nil
	}
	return s.Refresh(ctx, id, into)
}

// Refresh is session.Refresher's: Load, but never of a copy.
func (s *Store) Refresh(ctx context.Context, id session.ID, into *session.Record) error {
	s.Stats.Loads.Add(1)
	into.Reset()
	pulse, keep := uint64(0), s.Local != nil && s.Link.Tracking()
	if keep {
		pulse = s.Local.Pulse(id)
	}
	if err := s.read(ctx, id, into); err != nil {
		return err
	}
	if keep {
		s.Local.Keep(id, into, pulse)
	}
	return nil
}
