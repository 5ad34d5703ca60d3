package session

import (
	"context"
	"errors"
	"time"
)

// Finish does what the backend asked for by the fields that were taken, and
// appends what the client is told, as a field: Set-Cookie, or that of the
// Options' Header. Call it before the head goes to the client: when it returns,
// any node sees what was done. A refusal is counted and leaves the answer alone.
// Whatever the outcome, the field is for the answer that goes out.
func (s *Sessions) Finish(v *Visit, dst []byte) ([]byte, Outcome) {
	c := &v.request
	if v.Record.Version == 0 && !c.asks() { // fast path
		return dst, Go
	}
	v.pin()
	now := time.Now().UnixMilli()
	if c.bad { // nothing of it is done, but who wants to go may go
		*c = change{destroy: c.destroy}
	}
	if !c.asks() {
		s.touch(v, now)
		return dst, Go
	}
	v.used = true
	dst, err := s.commit(v, dst, now)
	if errors.Is(err, ErrAway) && c.destroy && v.offers > 0 {
		dst = s.jar.clear(dst, v.Secure) // the store will not forget it: the client shall
	}
	return dst, s.outcome(err)
}

// outcome counts what went wrong.
func (s *Sessions) outcome(err error) Outcome {
	switch {
	case err == nil:
	case errors.Is(err, ErrConflict):
		s.refuse(Conflicting)
		if s.opt.Strict {
			return Conflict
		}
	case errors.Is(err, ErrLimit):
		s.refuse(LargeSession)
	case errors.Is(err, ErrNone), errors.Is(err, ErrMoved):
		s.refuse(EndedMeanwhile)
	default:
		s.refuse(AwayOnSave)
		if s.opt.Fail {
			return Away
		}
	}
	return Go
}

// commit does all of it within one Timeout.
func (s *Sessions) commit(v *Visit, dst []byte, now int64) ([]byte, error) {
	if v.away { // who has not seen the session cannot change it, and a new one would hide it
		return dst, ErrAway
	}
	if !s.breaker.pass(now) {
		s.refuse(BreakerShut)
		return dst, ErrAway
	}
	ctx, cancel := context.WithTimeout(context.Background(), s.opt.Timeout)
	defer cancel()
	dst, err := s.does(ctx, v, dst, now)
	s.breaker.tell(errors.Is(err, ErrAway), now)
	return dst, err
}

func (s *Sessions) does(ctx context.Context, v *Visit, dst []byte, now int64) ([]byte, error) {
	c := &v.request
	if c.destroy {
		return s.destroy(ctx, v, dst)
	}
	if v.Record.Version == 0 {
		return s.begin(ctx, v, dst)
	}
	if c.checks && c.ifVersion < v.Record.Version { // 0: only if there is none
		return dst, ErrConflict
	}
	told := v.bearer
	if c.rotate && !v.moved {
		if err := s.rotate(ctx, v, &told); err != nil {
			return dst, err
		}
	} else if c.rotate {
		s.refuse(MovedMeanwhile)
	}
	err := s.patch(ctx, v, &told, now)
	if told == v.bearer || v.moved { // what is in an old token is not refreshed
		return dst, err
	}
	return s.jar.set(dst, s.opt.Keys.Ring(), &told, s.age(v), v.Secure), err
}

// age is how long the client is to keep its token, in seconds, if the backend
// has a say in it.
func (s *Sessions) age(v *Visit) int64 {
	if v.request.maxAge > 0 {
		return int64(v.request.maxAge / time.Second)
	}
	if long := v.Record.End - v.Record.Created; long > s.opt.Max.Milliseconds() { // it had, before
		return max(1, (v.Record.End-time.Now().UnixMilli())/1000)
	}
	return 0
}

// begin makes a session under a new id, whatever the client has shown: an id
// that we have not given out just now may be known to others.
func (s *Sessions) begin(ctx context.Context, v *Visit, dst []byte) ([]byte, error) {
	c := &v.request
	ring := s.opt.Keys.Ring()
	switch {
	case c.checks && c.ifVersion != 0:
		return dst, ErrConflict
	case !c.sets():
		return dst, nil
	case ring == nil:
		return dst, ErrAway
	}
	told := newBearer()
	v.ID = told.ID()
	version, err := s.opt.Store.Patch(ctx, v.ID, &Patch{
		Changes: c.list, Create: true, Life: s.opt.Max, Idle: s.opt.Idle, MaxAge: c.maxAge,
	})
	if err != nil {
		return dst, err
	}
	s.Stats.Begun.Add(1)
	told.Version = version
	return s.jar.set(dst, ring, &told, s.age(v), v.Secure), nil
}

// patch changes what is there, if that is a change.
func (s *Sessions) patch(ctx context.Context, v *Visit, told *Bearer, now int64) error {
	c := &v.request
	if !c.changes(&v.Record) {
		if c.set {
			s.Stats.Unchanged.Add(1)
		}
		s.touchAt(ctx, v, now)
		return nil
	}
	p := Patch{Changes: c.list, IfVersion: c.ifVersion, Idle: s.opt.Idle, MaxAge: c.maxAge}
	var version uint64
	at, err := Follow(ctx, s.opt.Store, v.ID, func(id ID) (err error) {
		version, err = s.opt.Store.Patch(ctx, id, &p)
		return err
	})
	if err != nil {
		return err
	}
	s.Stats.Patched.Add(1)
	if at != v.ID { // somebody has rotated it: the client gets its token from that answer
		v.moved = true
	}
	v.ID, told.Version = at, version
	return nil
}
