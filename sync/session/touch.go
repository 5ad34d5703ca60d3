package session

import (
	"context"
	"encoding/binary"
	"errors"
	"sync/atomic"
)

// touched remembers which sessions were touched lately, so that of many
// requests at once only one touches. It forgets when two ids share a place; then
// one touch more is made.
type touched [1024]struct{ id, until atomic.Uint64 }

// first tells whether nobody has touched id lately, and notes that somebody
// will have until then, in unix ms.
func (t *touched) first(id ID, now, until int64) bool {
	place := &t[binary.BigEndian.Uint16(id[8:])%uint16(len(t))]
	half := binary.BigEndian.Uint64(id[:])
	if place.id.Load() == half && place.until.Load() > uint64(now) {
		return false
	}
	place.id.Store(half)
	place.until.Store(uint64(until))
	return true
}

// touch puts the idle end off, at most every tenth of its life.
func (s *Sessions) touch(v *Visit, now int64) {
	if v.Record.Version == 0 || !s.due(v, now) || !s.breaker.pass(now) {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), s.opt.Timeout)
	defer cancel()
	s.breaker.tell(errors.Is(s.touchAt(ctx, v, now), ErrAway), now)
}

// due tells whether the last touch is a tenth of the idle time ago.
func (s *Sessions) due(v *Visit, now int64) bool {
	idle := s.opt.Idle.Milliseconds()
	return v.Record.Idle < v.Record.End && v.Record.Idle-now < idle-idle/10
}

func (s *Sessions) touchAt(ctx context.Context, v *Visit, now int64) error {
	if !s.due(v, now) || !s.touched.first(v.ID, now, now+s.opt.Idle.Milliseconds()/10) {
		return nil
	}
	err := s.opt.Store.Touch(ctx, v.ID, s.opt.Idle)
	if err == nil {
		s.Stats.Touched.Add(1)
	}
	return err
}
