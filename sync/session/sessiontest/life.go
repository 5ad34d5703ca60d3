package sessiontest

import (
	"time"

	"multiserver/sync/session"
)

func idleEnds(s *suite) {
	id := NewID()
	s.patch(id, &session.Patch{Create: true, Life: time.Hour, Idle: 50 * time.Millisecond, Changes: Changes("a=1")}, 1, nil)
	s.gone(id)
	s.patch(id, begin("b=1"), 1, nil) // nothing of the old one is left
	s.load(id, 1, "b=1", nil)
}

func lifeEnds(s *suite) {
	id := NewID()
	s.patch(id, &session.Patch{Create: true, Life: 50 * time.Millisecond, Idle: time.Hour, Changes: Changes("a=1")}, 1, nil)
	_ = s.store.Touch(within(s), id, time.Hour) // no touch puts that off
	s.gone(id)
}

func maxAge(s *suite) {
	id := s.begun("a=1")
	s.patch(id, &session.Patch{MaxAge: 60 * 24 * time.Hour}, 2, nil) // Memcached takes more than 30 days for a date
	r := s.load(id, 2, "a=1", nil)
	if left := r.End - time.Now().UnixMilli(); r.Idle != r.End || left < 59*24*time.Hour.Milliseconds() || left > 61*24*time.Hour.Milliseconds() {
		s.Fatalf("%d ms left, %d until idle", left, r.Idle)
	}
	s.patch(id, &session.Patch{Idle: time.Minute}, 3, nil)
	if again := s.load(id, 3, "a=1", nil); again.End != r.End || again.Idle != r.Idle {
		s.Fatalf("a patch has moved the ends: %d, %d", again.Idle-r.Idle, again.End-r.End)
	}
	s.patch(id, &session.Patch{MaxAge: 50 * time.Millisecond}, 4, nil)
	s.gone(id)
}

func touches(s *suite) {
	id := NewID()
	s.patch(id, &session.Patch{Create: true, Life: 2 * time.Hour, Idle: time.Minute, Changes: Changes("a=1")}, 1, nil)
	before := s.load(id, 1, "a=1", nil)
	touch := func(idle time.Duration) *session.Record {
		s.Helper()
		if err := s.store.Touch(within(s), id, idle); err != nil {
			s.Fatal(err)
		}
		return s.load(id, 1, "a=1", nil)
	}
	if r := touch(time.Hour); r.Idle-before.Idle < 50*time.Minute.Milliseconds() || r.End != before.End {
		s.Errorf("an hour: idle end %d ms later", r.Idle-before.Idle)
	}
	if r := touch(time.Second); r.Idle-before.Idle < 50*time.Minute.Milliseconds() {
		s.Errorf("a second: idle end %d ms later", r.Idle-before.Idle)
	}
	if r := touch(9 * time.Hour); r.Idle != r.End {
		s.Errorf("9 hours: idle end %d ms after the end", r.Idle-r.End)
	}
}
