package app

import (
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"multiserver/sync/session"
)

// Session is a request's: empty if the client has none. One begins when a value
// is first set.
type Session struct {
	id      string
	version uint64
	record  session.Record // as it was read, and then changed here
	err     error
	visit   *session.Visit // Direct's

	changes   []session.Change
	rotate    bool
	destroy   bool
	maxAge    time.Duration
	ifVersion bool
	closed    bool
	save      func() // by Save; set by the middleware
}

// ID is what the session is known by, which is not what the client bears: it
// may be logged. "": there is none yet.
func (s *Session) ID() string { return s.id }

// Version grows with each change. 0: there is none yet.
func (s *Session) Version() uint64 { return s.version }

// Err tells why there is no data though the client has a session: ErrAway or
// ErrOmitted.
func (s *Session) Err() error { return s.err }

// Raw is the JSON under key, or nil. It is the Session's.
func (s *Session) Raw(key string) json.RawMessage { return s.record.Find([]byte(key)) }

// Get reads what is under key into v, a pointer, as json.Unmarshal does. Where
// nothing is there it leaves v alone and gives false.
func (s *Session) Get(key string, v any) (there bool, err error) {
	raw := s.Raw(key)
	if raw == nil {
		return false, nil
	}
	if err := json.Unmarshal(raw, v); err != nil {
		return true, fmt.Errorf("session key %q: %w", key, err)
	}
	return true, nil
}

// Set puts v under key, as json.Marshal writes it; a v that becomes null
// deletes. Other keys are left alone, also those that another request changes
// at the same time.
func (s *Session) Set(key string, v any) error {
	raw, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("session key %q: %w", key, err)
	}
	if string(raw) == "null" {
		s.Delete(key)
		return nil
	}
	s.change(session.Change{Key: []byte(key), Value: raw})
	s.record.Put([]byte(key), raw)
	return nil
}

// Delete removes what is under key.
func (s *Session) Delete(key string) {
	s.change(session.Change{Key: []byte(key)})
	s.record.Remove([]byte(key))
}

func (s *Session) change(c session.Change) {
	for i := range s.changes {
		if string(s.changes[i].Key) == string(c.Key) {
			s.changes[i] = c
			return
		}
	}
	s.changes = append(s.changes, c)
}

// Rotate gives the client a new id. Do it at each login: who has got at the id
// before does not get at the session then.
func (s *Session) Rotate() { s.rotate = true }

// Destroy ends the session. What is set afterwards begins a new one.
func (s *Session) Destroy() {
	s.destroy, s.changes = true, nil
	s.record.Reset()
}

// MaxAge makes it last so long from now, used or not; whole seconds, one at
// least.
func (s *Session) MaxAge(d time.Duration) { s.maxAge = max(d, time.Second) }

// IfUnchanged lets the changes come about only if nobody else has changed the
// session since it was read. Whether the answer is then 409 is for the Sessions'
// Options, or the proxy's.
func (s *Session) IfUnchanged() { s.ifVersion = true }

// Save keeps the changes now, in place of when the answer begins. A handler
// calls it before it takes the connection over. Later changes are lost.
func (s *Session) Save() { s.save() }

// fields calls f for each X-Session field that the handler has asked for.
func (s *Session) fields(f func(name, value string)) {
	if s.destroy {
		f("X-Session-Destroy", "1")
	}
	if s.rotate {
		f("X-Session-Rotate", "1")
	}
	if len(s.changes) > 0 {
		f("X-Session-Set", string(session.AppendPatch(nil, s.changes)))
	}
	if s.maxAge > 0 {
		f("X-Session-Max-Age", strconv.FormatInt(int64(s.maxAge/time.Second), 10))
	}
	if s.ifVersion {
		f("X-Session-If-Version", strconv.FormatUint(s.version, 10))
	}
}
