package app

import (
	"cmp"
	"context"
	"errors"
	"strconv"
	"time"

	"multiserver/sync/session"
)

// Proxy is the proxy in front. The zero value believes every X-Session field:
// it is for an application that nobody reaches but the proxy.
type Proxy struct {
	// Key, if not empty, is what the proxy signs with. What is not signed by it
	// then is no session.
	Key []byte
	// Within is how old a signature may be; a minute if 0.
	Within time.Duration
	// Fetch, if not nil, gets the data of a session that is too large for a field:
	// what GET /api/sessions/ID on the proxy's admin listener answers.
	Fetch func(ctx context.Context, id string) ([]byte, error)
}

// Behind is for an application behind a proxy that holds the sessions.
func Behind(p Proxy) *App {
	if p.Within == 0 {
		p.Within = time.Minute
	}
	return &App{behind{p}}
}

type behind struct{ Proxy }

func (b behind) open(in incoming) (*Session, session.Outcome) {
	s := new(Session)
	if in.field("X-Session-Error") != "" {
		s.err = ErrAway
	}
	id, version, data := in.field("X-Session-Id"), in.field("X-Session-Version"), in.field("X-Session-Data")
	if id == "" {
		return s, session.Go
	}
	if len(b.Key) > 0 && session.CheckSignature(b.Key, id, version, data, in.field("X-Session-Signature"), b.Within, time.Now()) != nil {
		return s, session.Go
	}
	s.id = id
	s.version, _ = strconv.ParseUint(version, 10, 64)
	s.read(b.whole(in, s, data))
	return s, session.Go
}

// whole is the data, from where it is.
func (b behind) whole(in incoming, s *Session, data string) []byte {
	if in.field("X-Session-Omitted") == "" {
		return []byte(data)
	}
	if b.Fetch == nil {
		s.err = ErrOmitted
		return nil
	}
	whole, err := b.Fetch(in.ctx, s.id)
	s.err = err
	return whole
}

var errData = errors.New("session: the data is no JSON object")

func (s *Session) read(data []byte) {
	values, _, ok := session.Changes(nil, nil, data)
	if !ok {
		s.err = cmp.Or(s.err, errData)
		return
	}
	for _, v := range values {
		raw := v.Value
		if raw == nil {
			raw = []byte("null")
		}
		s.record.Put(v.Key, raw)
	}
}

func (b behind) close(s *Session, add func(name, value string)) session.Outcome {
	s.fields(add)
	return session.Go
}
