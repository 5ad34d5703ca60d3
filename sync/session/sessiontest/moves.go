package sessiontest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"multiserver/sync/session"
)

// grace is that of rotations which tests do not wait for.
const grace = 30 * time.Second

func (s *suite) rotate(from, to session.ID, d time.Duration, want error) {
	s.Helper()
	if err := s.store.Rotate(within(s), from, to, d); !errors.Is(err, want) {
		s.Fatalf("rotate: %v; want %v", err, want)
	}
}

func rotates(s *suite) {
	old, id := s.begun("a=1"), NewID()
	was := s.load(old, 1, "a=1", nil)
	s.rotate(old, id, grace, nil)
	r := s.load(id, 1, "a=1", nil)
	if r.Created != was.Created || r.Idle != was.Idle || r.End != was.End || !r.Moved.Zero() {
		s.Errorf("moved as %+v; was %+v", r, was)
	}
	if p := s.load(old, 0, "", nil); p.Moved != id || p.End <= time.Now().UnixMilli() {
		s.Errorf("pointer to %v, want %v", p.Moved, id)
	}
	s.patch(old, &session.Patch{Changes: Changes("b=2")}, 0, session.ErrMoved)
	s.patch(old, begin("b=2"), 0, session.ErrMoved)
	s.rotate(old, NewID(), grace, session.ErrMoved)
	if err := s.store.Touch(within(s), old, time.Hour); !errors.Is(err, session.ErrMoved) {
		s.Errorf("touch: %v", err)
	}
	next := NewID()
	s.rotate(id, next, grace, nil) // and through two pointers
	at, err := session.Follow(within(s), s.store, old, func(at session.ID) error {
		_, err := s.store.Patch(within(s), at, &session.Patch{Changes: Changes("b=2")})
		return err
	})
	if at != next || err != nil {
		s.Errorf("patched at %v, %v; want %v", at, err, next)
	}
	s.load(next, 2, "a=1 b=2", nil)
}

func rotatesOnce(s *suite) {
	old := s.begun("a=1")
	ids := make([]session.ID, 4)
	var won atomic.Int32
	var clients sync.WaitGroup
	for i := range ids {
		ids[i] = NewID()
		clients.Go(func() {
			switch err := s.store.Rotate(within(s), old, ids[i], grace); {
			case err == nil:
				won.Add(1)
			case !errors.Is(err, session.ErrMoved) && !errors.Is(err, session.ErrConflict):
				s.Errorf("rotate: %v", err)
			}
		})
	}
	clients.Wait()
	to := s.load(old, 0, "", nil).Moved
	for _, id := range ids {
		if id == to {
			s.load(id, 1, "a=1", nil)
		} else {
			s.load(id, 0, "", session.ErrNone)
		}
	}
	if won.Load() != 1 {
		s.Errorf("%d have won", won.Load())
	}
}

// patchesWhileRotating: what was acknowledged is there afterwards, whether it
// came before the move or through the pointer.
func patchesWhileRotating(s *suite) {
	first := s.begun()
	var writers sync.WaitGroup
	for w := range 4 {
		writers.Go(func() {
			for i := range 25 {
				p := session.Patch{Changes: Changes(fmt.Sprintf("w%d=%d", w, i))}
				if _, err := session.Follow(within(s), s.store, first, func(id session.ID) error {
					_, err := s.store.Patch(within(s), id, &p)
					return err
				}); err != nil {
					s.Errorf("writer %d, patch %d: %v", w, i, err)
				}
			}
		})
	}
	id := first
	for range 3 {
		to := NewID()
		until(s, "rotated", func() bool {
			err := s.store.Rotate(within(s), id, to, grace)
			return err == nil || !errors.Is(err, session.ErrConflict)
		})
		id = to
	}
	writers.Wait()
	s.load(id, 101, "w0=24 w1=24 w2=24 w3=24", nil)
}

func pointerEnds(s *suite) {
	old, id := s.begun("a=1"), NewID()
	s.rotate(old, id, 50*time.Millisecond, nil)
	s.gone(old)
	s.load(id, 1, "a=1", nil)
}

func drops(s *suite) {
	drop := func(id session.ID) {
		s.Helper()
		if err := s.store.Drop(within(s), id); err != nil {
			s.Fatal(err)
		}
		s.load(id, 0, "", session.ErrNone)
	}
	id := s.begun("a=1")
	drop(id)
	s.gone(id)
	drop(id)
	old, id := s.begun("a=1"), NewID()
	s.rotate(old, id, grace, nil)
	drop(old)
	s.load(id, 1, "a=1", nil)
}

func limits(s *suite) {
	id := s.begun("a=1")
	var many []string
	for i := range session.MaxKeys {
		many = append(many, fmt.Sprintf("k%02d=%d", i, i))
	}
	half := `"` + strings.Repeat("x", session.MaxBytes/2) + `"`
	s.patch(id, &session.Patch{Changes: Changes(many...)}, 0, session.ErrLimit)
	s.patch(id, &session.Patch{Changes: Changes("b=1", strings.Repeat("k", session.MaxKey+1)+"=1")}, 0, session.ErrLimit)
	s.load(id, 1, "a=1", nil)
	s.patch(id, &session.Patch{Changes: Changes("b=" + half)}, 2, nil)
	s.patch(id, &session.Patch{Changes: Changes("c=" + half)}, 0, session.ErrLimit)
	s.patch(id, &session.Patch{Changes: Changes("c="+half, "b")}, 3, nil)
	s.patch(id, &session.Patch{Changes: Changes(append(many, "a", "c")...)}, 4, nil)
	s.load(id, 4, strings.Join(many, " "), nil)
	s.patch(NewID(), begin(append(many, "a=1")...), 0, session.ErrLimit)
}

func anyBytes(s *suite) {
	id := s.begun()
	list := []string{"=1", "$a.b=2", "_v=3", `a b="ü\u0000\"\\"`, "v=" + "9007199254740993", "ü€😀=[]", "\x00\x01=" + `{}`, "m=1e400", "i=0"}
	s.patch(id, &session.Patch{Changes: Changes(list...)}, 2, nil)
	r := s.load(id, 2, Text(sorted(list)), nil)
	if len(r.Values) != len(list) {
		s.Errorf("%d values, want %d", len(r.Values), len(list))
	}
}

func sorted(list []string) *session.Record {
	r := new(session.Record)
	for _, c := range Changes(list...) {
		r.Put(c.Key, c.Value)
	}
	return r
}

func twoNodes(s *suite) {
	id, other := s.begun("a=1"), s.open(s.T)
	var r session.Record
	if err := other.Load(within(s), id, &r); errors.Is(err, session.ErrNone) {
		s.Skip("stores of this kind share nothing")
	} else if err != nil || Text(&r) != "a=1" {
		s.Fatalf("other node: %q, %v", Text(&r), err)
	}
	for i := range 20 { // it may hold a copy now, which must not outlive the change for long
		s.patch(id, &session.Patch{Changes: Changes(fmt.Sprint("a=", i))}, uint64(2+i), nil)
		until(s, "the other node sees the change", func() bool {
			return other.Load(within(s), id, &r) == nil && Text(&r) == fmt.Sprint("a=", i)
		})
	}
	if err := other.Drop(within(s), id); err != nil {
		s.Fatal(err)
	}
	until(s, "this node sees that it is gone", func() bool { return errors.Is(s.store.Load(within(s), id, &r), session.ErrNone) })
}

// hangs: no assertion on how long it took but that it took much less than the
// server's rest.
func hangs(t *testing.T, store session.Store, faults Faults) {
	id, later := NewID(), NewID()
	if _, err := store.Patch(within(t), id, begin("a=1")); err != nil {
		t.Fatal(err)
	}
	faults.Pause()
	resumed := false
	defer func() {
		if !resumed {
			faults.Resume()
		}
	}()
	for range 3 {
		ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
		if _, err := store.Patch(ctx, later, begin("a=1")); !errors.Is(err, session.ErrAway) {
			t.Errorf("patch: %v", err)
		}
		cancel()
	}
	faults.Resume()
	resumed = true
	works(t, store)
	var r session.Record
	until(t, "what was there is there", func() bool { return store.Load(within(t), id, &r) == nil && Text(&r) == "a=1" })
}

func killed(t *testing.T, store session.Store, faults Faults) {
	works(t, store)
	faults.Kill()
	ctx, cancel := context.WithTimeout(context.Background(), 500*time.Millisecond)
	defer cancel()
	_, err := store.Patch(ctx, NewID(), begin("a=1"))
	if over := faults.Spare && err == nil; !over && !errors.Is(err, session.ErrAway) {
		t.Errorf("patch: %v", err)
	}
	faults.Restart()
	works(t, store)
}

// works waits until a session can be made and read.
func works(t testing.TB, store session.Store) {
	t.Helper()
	until(t, "the store works", func() bool {
		var r session.Record
		id := NewID()
		if _, err := store.Patch(within(t), id, begin("a=1")); err != nil {
			return false
		}
		return store.Load(within(t), id, &r) == nil && Text(&r) == "a=1"
	})
}
