package server

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"multiserver/proxy/config"
	"multiserver/sync/session"
	"multiserver/sync/session/memcached"
	"multiserver/sync/session/memory"
	"multiserver/sync/session/mongo"
	"multiserver/sync/session/redis"
)

// sessions are those of all routes: in one store, under one ring of keys, and
// Sessions for each of the terms that routes have. Zero: there are none.
type sessions struct {
	kind   string // of store
	store  session.Store
	keeper *session.Keeper      // of keys in the store; nil: the operator has given some
	by     [4]*session.Sessions // on all terms, for a reload can ask for any
}

// terms are what is decided for each route.
type terms struct{ refuse, strict bool }

// index is its place among all.
func (t terms) index() (i int) {
	if t.refuse {
		i = 1
	}
	if t.strict {
		i += 2
	}
	return i
}

// makeSessions opens the store if any route has sessions. It need not answer
// yet: what is wrong here is wrong for ever.
func (s *Server) makeSessions() (err error) {
	kind := s.conf.SessionStore()
	if kind == "" {
		return nil
	}
	m := &s.sessions
	if m.store, err = s.openStore(kind); err != nil {
		return fmt.Errorf("--session %s: %w", kind, err)
	}
	s.opened = append(s.opened, m)
	m.kind = kind
	keys := m.keys(s.conf.Session.Keys, s.log)
	for _, on := range []terms{{}, {refuse: true}, {strict: true}, {true, true}} {
		if m.by[on.index()], err = session.New(sessionOptions(&s.conf.Session, on, m.store, keys)); err != nil {
			return fmt.Errorf("--session: %w", err)
		}
	}
	return nil
}

func (s *Server) openStore(kind string) (session.Store, error) {
	c := &s.conf.Session
	switch kind {
	case "redis":
		r := &s.conf.Cache.Redis
		return redis.Open(context.Background(), redis.Options{
			URL:        redisURL(r),
			Prefix:     r.Prefix + ":session:",
			Timeout:    c.Timeout,
			LocalBytes: c.Memory,
			Log:        s.log,
		})
	case "memcached":
		prefix := cmp.Or(s.conf.Cache.Redis.Prefix, "multiserver") + ":session:"
		return memcached.New(memcached.Options{Servers: c.Memcached, Prefix: prefix, Timeout: c.Timeout})
	case "mongo":
		return mongo.New(mongo.Options{URL: c.Mongo, Timeout: c.Timeout})
	}
	return memory.Open(c.Memory), nil
}

// keys are the operator's, or such as all nodes find in the store. Our own
// memory has them at once: no client is to come before its keys. A store that
// is elsewhere may be away.
func (m *sessions) keys(given []string, log *slog.Logger) session.Keys {
	if len(given) == 0 {
		m.keeper = session.Keep(m.store, log)
		if m.kind == "memory" {
			ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
			defer cancel()
			_ = m.keeper.Wait(ctx)
		}
		return m.keeper
	}
	secrets := make([][]byte, len(given))
	for i, word := range given {
		secrets[i] = []byte(word)
	}
	return session.NewRing(secrets...)
}

func sessionOptions(c *config.Session, on terms, store session.Store, keys session.Keys) session.Options {
	name, host := strings.CutPrefix(c.Cookie, "__Host-")
	return session.Options{
		Store: store,
		Keys:  keys,
		Cookie: session.Cookie{
			Name:     name,
			Host:     host,
			Path:     c.Path,
			Domain:   c.Domain,
			Life:     c.Life,
			SameSite: map[string]string{"lax": "Lax", "strict": "Strict", "none": "None"}[c.SameSite],
			Header:   c.Header,
		},
		Idle:    c.TTL,
		Max:     c.MaxAge,
		Timeout: c.Timeout,
		Fail:    on.refuse,
		Strict:  on.strict,
		Sign:    []byte(c.Sign),
	}
}

// of are a route's; nil: it has none, or asks for a store that was not opened.
func (m *sessions) of(c *config.Config) *session.Sessions {
	if c.Session.Store == "" || c.Session.Store != m.kind {
		return nil
	}
	return m.by[terms{c.Session.Refuse, c.Session.Strict}.index()]
}

// Close ends them, when no exchange is under way any more.
func (m *sessions) Close() error {
	if m.keeper != nil {
		m.keeper.Close()
	}
	return m.store.Close()
}
