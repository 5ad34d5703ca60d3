package session

import (
	"context"
	"errors"
)

// rotate moves the session to a new id. It comes before the patch: what a login
// sets must not come to lie under an id that others may know.
func (s *Sessions) rotate(ctx context.Context, v *Visit, told *Bearer) error {
	b := newBearer()
	err := s.opt.Store.Rotate(ctx, v.ID, b.ID(), s.opt.Grace)
	if errors.Is(err, ErrMoved) {
		s.refuse(MovedMeanwhile) // a request at the same time has, and its answer tells the client
		return nil
	}
	if err != nil {
		return err
	}
	s.Stats.Rotated.Add(1)
	b.Version = v.Record.Version
	*told, v.ID = b, b.ID()
	return nil
}

// destroy drops the session. What the answer sets besides begins a new one.
func (s *Sessions) destroy(ctx context.Context, v *Visit, dst []byte) ([]byte, error) {
	if v.Record.Version != 0 {
		if err := s.drop(ctx, v); err != nil {
			return dst, err
		}
		s.Stats.Dropped.Add(1)
		v.Record.Reset()
	}
	if v.request.sets() {
		return s.begin(ctx, v, dst)
	}
	if v.offers > 0 {
		dst = s.jar.clear(dst, v.Secure)
	}
	return dst, nil
}

// drop drops where the session is now, and the pointer that the client came by.
func (s *Sessions) drop(ctx context.Context, v *Visit) error {
	pointer := new(Record)
	for range hops {
		err := s.ahead(ctx, v.ID, pointer)
		if errors.Is(err, ErrNone) {
			break
		}
		if err != nil {
			return err
		}
		if err := s.opt.Store.Drop(ctx, v.ID); err != nil {
			return err
		}
		if pointer.Moved.Zero() {
			break
		}
		v.ID = pointer.Moved
	}
	if v.moved {
		return s.opt.Store.Drop(ctx, v.bearer.ID())
	}
	return nil
}

// ahead loads what is in the store now: a copy might not be a pointer yet.
func (s *Sessions) ahead(ctx context.Context, id ID, into *Record) error {
	if s.fresh != nil {
		return s.fresh.Refresh(ctx, id, into)
	}
	return s.opt.Store.Load(ctx, id, into)
}
