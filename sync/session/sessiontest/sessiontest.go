package sessiontest

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"multiserver/sync/session"
)

// Faults are what can be done to the server of a store; the zero Faults are
// those of a store without one.
type Faults struct {
	Kill    func() // ends the server as a crash does
	Restart func() // starts it again, with or without what it held
	Pause   func() // it takes connections and answers nothing
	Resume  func()
	Spare   bool // another server takes over by itself, maybe at once
}

// patience is for what has to come about, on a busy machine.
const patience = 2 * time.Minute

// Run runs the contract against stores that open makes. Each test takes one
// store, and those that need two nodes two; all are to be of the same server,
// which faults speak of. open closes its store when the test ends.
func Run(t *testing.T, open func(t *testing.T) session.Store, faults Faults) {
	for _, c := range contract {
		t.Run(c.name, func(t *testing.T) {
			c.test(&suite{T: t, open: open, store: open(t)})
		})
	}
	if faults.Pause != nil {
		t.Run("a server that hangs costs no more than the time given", func(t *testing.T) { hangs(t, open(t), faults) })
	}
	if faults.Kill != nil {
		t.Run("a server that is killed is back when it is back", func(t *testing.T) { killed(t, open(t), faults) })
	}
}

var contract = []struct {
	name string
	test func(s *suite)
}{
	{"begins with a patch that may create", begins},
	{"patches of different keys merge", merges},
	{"of those who name a version one wins", oneWins},
	{"ends when idle", idleEnds},
	{"ends in any case", lifeEnds},
	{"max age moves both ends", maxAge},
	{"touching puts the idle end off", touches},
	{"rotation leaves a pointer", rotates},
	{"of several rotations one wins", rotatesOnce},
	{"no patch is lost in a rotation", patchesWhileRotating},
	{"a pointer ends", pointerEnds},
	{"dropped is gone", drops},
	{"limits change nothing", limits},
	{"any bytes are kept", anyBytes},
	{"another node sees it at once", twoNodes},
}

type suite struct {
	*testing.T
	open  func(t *testing.T) session.Store
	store session.Store
}

// NewID makes an id that no other test has.
func NewID() (id session.ID) {
	rand.Read(id[:])
	return id
}

func within(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	return ctx
}

// Changes makes changes of "key=value" and "key", which deletes.
func Changes(list ...string) (changes []session.Change) {
	for _, one := range list {
		key, value, set := strings.Cut(one, "=")
		c := session.Change{Key: []byte(key)}
		if set {
			c.Value = []byte(value)
		}
		changes = append(changes, c)
	}
	return changes
}

// Text shows a record's values as "a=1 b=2".
func Text(r *session.Record) string {
	var words []string
	for _, v := range r.Values {
		words = append(words, string(v.Key)+"="+string(v.Raw))
	}
	return strings.Join(words, " ")
}

func begin(list ...string) *session.Patch {
	return &session.Patch{Create: true, Life: time.Hour, Idle: time.Hour, Changes: Changes(list...)}
}

// begun makes a session.
func (s *suite) begun(list ...string) session.ID {
	s.Helper()
	id := NewID()
	s.patch(id, begin(list...), 1, nil)
	return id
}

func (s *suite) patch(id session.ID, p *session.Patch, version uint64, want error) {
	s.Helper()
	got, err := s.store.Patch(within(s), id, p)
	if !errors.Is(err, want) || err == nil && got != version {
		s.Fatalf("patch: version %d, %v; want %d, %v", got, err, version, want)
	}
}

// load loads id, which must be there as values and version, or err.
func (s *suite) load(id session.ID, version uint64, values string, want error) *session.Record {
	s.Helper()
	r := &session.Record{Version: 99, Values: []session.Value{{Key: []byte("old"), Raw: []byte("1")}}}
	err := s.store.Load(within(s), id, r)
	if !errors.Is(err, want) || r.Version != version || Text(r) != values {
		s.Fatalf("load: version %d, %q, %v; want %d, %q, %v", r.Version, Text(r), err, version, values, want)
	}
	return r
}

func (s *suite) gone(id session.ID) {
	s.Helper()
	var r session.Record
	until(s, "the session has ended", func() bool { return errors.Is(s.store.Load(within(s), id, &r), session.ErrNone) })
	s.patch(id, &session.Patch{Changes: Changes("a=1")}, 0, session.ErrNone)
	if err := s.store.Touch(within(s), id, time.Hour); !errors.Is(err, session.ErrNone) {
		s.Fatalf("touch: %v", err)
	}
	if err := s.store.Rotate(within(s), id, NewID(), time.Hour); !errors.Is(err, session.ErrNone) {
		s.Fatalf("rotate: %v", err)
	}
}

func until(t testing.TB, what string, f func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !f(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("did not come about: %s", what)
		}
	}
}

func begins(s *suite) {
	id := NewID()
	s.load(id, 0, "", session.ErrNone)
	s.patch(id, &session.Patch{Changes: Changes("a=1")}, 0, session.ErrNone)
	s.patch(id, &session.Patch{Create: true, IfVersion: 1, Changes: Changes("a=1")}, 0, session.ErrConflict)
	s.patch(id, begin("b=[2]", `a={"x":1}`), 1, nil)
	s.load(id, 1, `a={"x":1} b=[2]`, nil)
	s.patch(id, begin("b", "c=null", "z"), 2, nil)
	r := s.load(id, 2, `a={"x":1} c=null`, nil)
	if now := time.Now().UnixMilli(); r.End-r.Created != time.Hour.Milliseconds() || r.Idle > r.End || max(now-r.Created, r.Created-now) > patience.Milliseconds() {
		s.Errorf("created %d, idle %d, end %d; it is %d", r.Created, r.Idle, r.End, now)
	}
}

func merges(s *suite) {
	id := s.begun()
	var writers sync.WaitGroup
	for w := range 8 {
		writers.Go(func() {
			for i := range 100 {
				p := session.Patch{Changes: Changes(fmt.Sprintf("w%d.%d=%d", w, i%8, i))}
				if _, err := s.store.Patch(within(s), id, &p); err != nil {
					s.Errorf("writer %d, patch %d: %v", w, i, err)
				}
			}
		})
	}
	writers.Wait()
	var want []string
	for w := range 8 {
		for k := range 8 {
			want = append(want, fmt.Sprintf("w%d.%d=%d", w, k, 96+k-8*(k/4)))
		}
	}
	s.load(id, 801, strings.Join(want, " "), nil)
}

func oneWins(s *suite) {
	id := s.begun()
	for version := uint64(1); version <= 10; version++ {
		var won atomic.Int32
		var writers sync.WaitGroup
		for w := range 8 {
			writers.Go(func() {
				_, err := s.store.Patch(within(s), id, &session.Patch{IfVersion: version, Changes: Changes(fmt.Sprint("k=", w))})
				if err == nil {
					won.Add(1)
				} else if !errors.Is(err, session.ErrConflict) {
					s.Errorf("writer %d: %v", w, err)
				}
			})
		}
		writers.Wait()
		if won.Load() != 1 {
			s.Fatalf("version %d: %d have won", version, won.Load())
		}
	}
	s.patch(id, &session.Patch{IfVersion: 12}, 0, session.ErrConflict)
	s.patch(id, &session.Patch{IfVersion: 11}, 12, nil)
}
